"""What a comparison comes to: counted on known truth, with intervals, and no verdict they do not carry."""

from __future__ import annotations

import numpy as np
import pytest

from engine.intervals import two_stage_draws
from engine.promotion.acceptance import (
    Acceptance,
    DataUsed,
    Parity,
    Side,
    Verdict,
    read_acceptance,
    write_acceptance,
)
from engine.promotion.measures import MEASURES, Outcome, Row, Where
from engine.promotion.page import acceptance_text
from engine.promotion.statistics import Share, latency_rows, rows
from engine.promotion.watching import Moment, counts_of

HZ = 25.0


def row(where, measure, low, high):
    middle = 0.0 if low is None else (low + high) / 2
    return Row(
        where=where,
        measure=measure,
        in_use=50,
        candidate=50 + middle,
        low=low,
        high=high,
        units=9,
        clusters=9,
    )


def found(low, high, where=Where.RECORDINGS):
    return row(where, "dice", low, high)


def in_vain(low, high, where=Where.RECORDINGS):
    return row(where, "false_0s", low, high)


def acceptance(*some, stored_dice=1.0):
    side = Side(id="a", sha256="0" * 64, path="/a", engine="openvino f32")
    places = dict.fromkeys(
        (Where.DEMONSTRATION, *(one.where for one in some if one.where is not Where.MACHINE))
    )
    return Acceptance(
        made_utc="2026-01-01T00:00:00+00:00",
        source="b",
        app="1",
        in_use=side,
        candidate=side.model_copy(update={"id": "b"}),
        parity=Parity(stored_dice=stored_dice, max_dp=0.1, mask_dice=1, pooled_dice=0.999, images=24),
        rows=some,
        data=tuple(DataUsed(where=where, name="n", sha256="0" * 64, amount="1 frame") for where in places),
        took_s=1,
    )


LIKE, GOOD, BAD = (-1, 1), (1, 3), (-3, -1)
DEMO = Where.DEMONSTRATION


@pytest.mark.parametrize(
    ("some", "verdict", "needs_a_reason", "words"),
    [
        ((), Verdict.NONE, False, "The demonstration alone gives no verdict"),
        ((found(*GOOD, where=DEMO), in_vain(*LIKE, where=DEMO)), Verdict.NONE, False, "gives no verdict"),
        ((found(*BAD, where=DEMO),), Verdict.NONE, True, "worse on the demonstration (Dice"),
        ((found(*GOOD), in_vain(*LIKE)), Verdict.BETTER, False, "b is better than a in Dice"),
        ((found(*LIKE), in_vain(*LIKE)), Verdict.LIKE, False, "No difference"),
        ((found(*BAD), in_vain(*LIKE)), Verdict.WORSE, True, "worse on the locked recordings (Dice"),
        ((found(*GOOD), in_vain(*GOOD)), Verdict.MIXED, True, "It is better in Dice"),
        # A network that marks nothing is the best one where there are no polyps, and the reverse.
        ((in_vain(*BAD),), Verdict.NONE, False, "shows only polyps, or none"),
        ((found(*GOOD),), Verdict.NONE, False, "shows only polyps, or none"),
        ((found(None, None), in_vain(None, None)), Verdict.NONE, False, "it is too little"),
        ((found(*GOOD), in_vain(*LIKE, where=Where.IMAGES)), Verdict.BETTER, False, "better"),
    ],
)
def test_the_verdict_is_what_the_intervals_carry(some, verdict, needs_a_reason, words):
    made = acceptance(*some)

    assert made.verdict is verdict
    assert bool(made.objections) == needs_a_reason
    assert words in made.sentence


def test_another_mask_than_the_exported_one_needs_a_reason():
    made = acceptance(found(*GOOD), in_vain(*LIKE), stored_dice=0.9)

    assert made.objections == (
        "it gives another mask than it was exported with (Dice 0.90, at least 0.98 is expected)",
    )


def test_slower_needs_a_reason_only_where_live_masks_would_be_late():
    def made(in_use, candidate):
        return acceptance(*latency_rows([in_use] * 500, [candidate] * 500))

    assert made(10, 20).objections == ()
    assert made(10, 40).objections == ("it is too slow here for 30 pictures a second (40 ms each)",)
    assert made(40, 45).objections == ()  # the one in use is late, too


def test_an_acceptance_is_read_as_it_was_written_and_shown_as_a_table(tmp_path):
    made = acceptance(found(*GOOD), in_vain(*BAD), *latency_rows([10.0] * 9, [10.0] * 9))
    write_acceptance(tmp_path, made)

    text = acceptance_text(made)

    assert read_acceptance(tmp_path) == made
    lines = [line for line in text.splitlines() if line.startswith(("  Dice on frames", "  false activ"))]
    assert [line.count("*") for line in lines] == [1, 1]
    assert "52.0*  +2.0 (+1.0 to +3.0)" in lines[0]
    assert text.endswith(made.sentence)


# Counting.


def moments(pattern: str) -> list[Moment]:
    """A letter a frame: `.` nothing, `x` marked in vain, `P` a polyp, `H` one that is marked."""
    return [
        Moment(
            rank / HZ, letter in "PH", hit=letter == "H", in_vain=letter == "x", dice=0.8 * (letter == "H")
        )
        for rank, letter in enumerate(pattern)
    ]


def figure(counts, key):
    shares = counts[key]
    return sum(share.part for share in shares) / sum(share.of for share in shares) * MEASURES[key].scale


def test_false_activations_are_runs_of_frames_by_how_long_they_last():
    counts = counts_of("clip", moments("." * 20 + "x" * 5 + "." * 10 + "x" * 30 + "." * 35))

    assert figure(counts, "false_0s") == pytest.approx(2 * 60 / 4)
    assert figure(counts, "false_1s") == pytest.approx(1 * 60 / 4)
    assert figure(counts, "false_2s") == 0


def test_the_first_mark_is_timed_from_when_the_polyp_is_in_view_and_a_missed_one_counts_all_its_time():
    away = "." * 30  # longer than a second
    counts = counts_of("clip", moments("PPPPPHHHPP" + away + "PPPPPPPPPP" + away))

    assert figure(counts, "polyps_met") == 50.0
    assert [share.part for share in counts["first_mark"]] == pytest.approx([5 / HZ, 10 / HZ])
    assert figure(counts, "frames_marked") == 15.0
    assert figure(counts, "dice") == pytest.approx(12.0)


def test_a_polyp_that_is_behind_a_fold_for_a_moment_appears_once():
    assert len(counts_of("clip", moments("PPP" + "." * 20 + "HHH"))["polyps_met"]) == 1


# Intervals.


def test_two_models_that_do_the_same_differ_by_nothing():
    counts = counts_of("clip", moments(("PH" * 60 + "xx") * 5))

    made = rows(Where.RECORDINGS, counts, counts)

    assert {one.outcome for one in made} == {Outcome.UNSURE, Outcome.UNTOLD}
    assert all(one.low == one.high == 0 for one in made if one.low is not None)


def test_a_difference_in_every_recording_is_sure_and_one_in_a_single_recording_is_not():
    def some(better_in):
        return {"dice": [Share(f"clip {i}", 0.6 + 0.2 * (i in better_in), 1) for i in range(12)]}

    (everywhere,) = rows(Where.RECORDINGS, some(()), some(range(12)))
    (once,) = rows(Where.RECORDINGS, some(()), some((3,)))

    assert everywhere.outcome is Outcome.BETTER
    assert everywhere.low == pytest.approx(20.0)
    assert once.outcome is Outcome.UNSURE


def test_many_moments_of_few_recordings_tell_less_than_as_many_of_many():
    def width(clusters):
        def shares(shift):
            return {
                "dice": [Share(f"{i % clusters}", 0.5 + shift * (-1) ** (i % clusters), 1) for i in range(60)]
            }

        (made,) = rows(Where.RECORDINGS, shares(0.0), shares(0.1))
        return made.high - made.low

    assert width(4) > 2 * width(60)


def test_four_moments_carry_no_interval():
    counts = {"dice": [Share("clip", 0.5, 1)] * 4}

    assert rows(Where.RECORDINGS, counts, counts)[0].outcome is Outcome.UNTOLD


def test_each_draw_has_as_many_clusters_and_moments_as_there_are():
    clusters = ["a"] * 6 + ["b"] * 2

    draws = two_stage_draws(clusters, draws=500)

    assert draws.shape == (500, 8)
    in_a = draws[:, :6].sum(1)
    assert set(in_a.tolist()) == {0, 6, 12}
    assert np.array_equal(draws[:, 6:].sum(1) * 3, 12 - in_a)
