import pytest

from engine.live.stats import Histogram, StatsRecorder
from tests.fixtures.values import presentation


def paint(stats, number, at_s, **kwargs):
    stats.painted(presentation(number, due_s=at_s - 0.008, **kwargs), at_s - 0.002, at_s)


def test_a_gap_in_the_numbers_painted_is_counted_as_dropped():
    stats = StatsRecorder()
    for number in (1, 2, 5):
        paint(stats, number, number / 30)

    assert stats.current(0.2).dropped == 2
    assert stats.current(0.2).shown == 3


def test_a_seek_drops_nothing():
    stats = StatsRecorder()
    paint(stats, 1, 0.1, serial=0)
    paint(stats, 50, 0.2, serial=1)

    assert stats.current(0.2).dropped == 0


def test_a_frame_painted_first_without_and_then_with_its_mask_counts_once_as_masked():
    stats = StatsRecorder()
    paint(stats, 1, 0.1, masked=False)
    paint(stats, 1, 0.11)
    current = stats.current(0.2)

    assert (current.shown, current.masked) == (1, 1)


def test_a_frame_under_an_older_mask_counts_as_covered_with_the_masks_age():
    stats = StatsRecorder()
    for number in range(120):
        paint(stats, number, number / 30, masked=number % 2 == 0, mask_of=number - 1, mask_age_s=0.04)
    report = stats.report()

    assert report["masked_share"] == 0.0
    assert report["covered_share"] == pytest.approx(0.5, abs=0.02)
    assert report["stages"]["mask age"]["p95_ms"] == pytest.approx(40.0, abs=0.2)


def test_stages_are_forgotten_after_the_window():
    stats = StatsRecorder()
    stats.add("network", 100.0, now_s=0.0)
    stats.add("network", 4.0, now_s=10.0)
    (stage,) = stats.current(10.0).stages

    assert (stage.p50_ms, stage.samples) == (4.0, 1)


def test_while_nothing_new_is_shown_the_last_figures_stay_and_the_rates_do_not():
    stats = StatsRecorder()
    for number in range(60):
        stats.add("network", 4.0, now_s=number / 30)
        paint(stats, number, number / 30)
    paused = stats.current(now_s=100.0)

    assert {stage.name for stage in paused.stages} >= {"network", "paint", "due to painted"}
    assert paused.shown_hz == 0.0


def test_the_report_leaves_out_the_first_two_seconds():
    stats = StatsRecorder()
    for number in range(120):
        paint(stats, number, number / 30, masked=number > 30)
    report = stats.report()

    assert report["painted"] == pytest.approx(60, abs=2)
    assert report["masked_share"] == 1.0
    assert report["stages"]["due to mask painted"]["p50_ms"] == pytest.approx(8.0, abs=0.2)


def test_histogram_percentiles_are_right_to_a_tenth_of_a_millisecond():
    histogram = Histogram()
    for value in range(1, 101):
        histogram.add(float(value))

    assert histogram.percentile_ms(50) == pytest.approx(50, abs=0.11)
    assert histogram.percentile_ms(95) == pytest.approx(95, abs=0.11)
