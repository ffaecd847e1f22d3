"""Figures by the size of the polyps: what fills the view and what is hardly there are seen for themselves."""

import numpy as np
import pytest

from distill.judging.compare import MISSED_WHOLE, compare
from distill.metrics.measure import Case, Sample, measure
from distill.metrics.report import report
from distill.metrics.rows import MISSED, ImageResult, card_rows
from distill.metrics.sizes import size_of
from distill.metrics.table import Row, read_table, write_table
from distill.verbs.measuring import told


def image(name, polyp_px, found=True, group=None):
    """A picture of 40 x 25 pixels whose polyp is so many of them, and found whole or not at all."""
    mask = np.zeros(1000, np.uint8)
    mask[:polyp_px] = 1
    probability = mask.astype(np.float32) * found
    shape = (25, 40)
    return measure(Sample(Case(name, "s", group or name), probability.reshape(shape), mask.reshape(shape)))


@pytest.mark.parametrize(
    ("share", "name"),
    [
        (0.0001, "under 1 %"),
        (0.01, "1 to 2 %"),
        (0.02, "2 to 20 %"),
        (0.2, "20 to 30 %"),
        (0.3, "over 30 %"),
        (1.0, "over 30 %"),
    ],
)
def test_a_size_is_from_its_lower_bound_up_to_the_next(share, name):
    assert size_of(share) == name


def test_each_size_has_dice_missed_and_how_many_with_intervals_over_groups():
    large = [image(f"l{n}", 400, found=n > 1, group=f"g{n // 2}") for n in range(8)]
    small = [image("s0", 5), image("s1", 9, found=False)]
    values = report([*large, *small, image("free", 0)])

    assert list(values["sizes"]) == ["under 1 %", "over 30 %"]  # none of the others is there
    over = values["sizes"]["over 30 %"]
    assert (over["n"], over["groups"], over["dice"], over["missed_whole"]) == (8, 4, 0.75, 0.25)
    assert over["interval"]["missed_whole"] == [0.0, 0.75]  # the two missed ones are of one group
    assert values["sizes"]["under 1 %"]["dice"] == 0.5


def test_they_are_told_beside_the_protocols():
    lines = list(told(report([image("a", 5), image("b", 400, found=False)])))

    (head,) = [line for line in lines if "missed whole" in line]
    assert head.split() == ["polyps", "Dice", "95", "%", "missed", "whole", "95", "%", "images"]
    (over,) = [line for line in lines if line.startswith("over 30 %")]
    assert over.split()[3:] == ["0.0000", "[0.0000,", "0.0000]", "1.0000", "[1.0000,", "1.0000]", "1"]


def test_a_model_card_has_a_row_a_size_and_figure():
    places = [Case(str(n), "ab"[n % 2], str(n)) for n in range(4)]
    outcomes = [
        ImageResult(0.9, 0.8, found=True, hit=True, polyp_share=0.4),
        ImageResult(0.0, 0.0, found=False, hit=False, polyp_share=0.5),
        ImageResult(0.6, 0.4, found=True, hit=True, polyp_share=0.005),
        ImageResult(1.0, 1.0, found=False, hit=False, polyp_share=0.0),
    ]
    rows = {(row.set, row.name): row for row in card_rows(places, outcomes)}

    assert rows["polyps over 30 %", "dice_polyp_images"].value == 0.45
    assert rows["polyps over 30 %", MISSED].value == 0.5
    assert rows["polyps over 30 %", MISSED].n == 2
    assert rows["polyps under 1 %", MISSED].value == 0.0
    assert ("polyps 2 to 20 %", MISSED) not in rows


def row(name, share, recall):
    return Row(Case(name, "s", name), {"dice": recall, "recall": recall}, share)


def test_two_runs_are_compared_size_by_size():
    a = [row("l", 0.5, 0.2), row("m", 0.1, 0.8), row("s", 0.001, 0.0)]
    b = [row("l", 0.5, 0.7), row("m", 0.1, 0.8), row("s", 0.001, 0.5)]

    dice = {d.set: d for d in compare([a], [b])}
    missed = {d.set: d for d in compare([a], [b], MISSED_WHOLE)}

    assert list(dice) == ["s", "polyps under 1 %", "polyps 2 to 20 %", "polyps over 30 %", "pooled"]
    assert dice["polyps over 30 %"].difference == pytest.approx(0.5)
    assert (missed["polyps under 1 %"].a, missed["polyps under 1 %"].b) == (1.0, 0.0)
    assert missed["polyps over 30 %"].difference == 0.0


def test_tables_tell_the_share_and_older_ones_are_read_without_it(tmp_path):
    path = tmp_path / "images.csv"
    write_table(path, [image("a", 300), image("free", 0)])
    new = read_table(path)
    path.write_text("\n".join(line.rpartition(",")[0] for line in path.read_text().splitlines()))
    old = read_table(path)

    assert [row.polyp_share for row in new] == [0.3, None]  # a negative has no polyp
    assert [row.polyp_share for row in old] == [None, None]
    assert [row.figures for row in old] == [row.figures for row in new]
    assert [d.set for d in compare([old], [new])] == ["s", "pooled"]
