"""Two analyses compared: what the table says of them, also as a file."""

from __future__ import annotations

import csv

import pytest

from engine.faults import FaultError
from engine.review.compare.disagreements import ONLY_B, Disagreement
from engine.review.compare.figures import Comparison, Figures, Share
from engine.review.compare.sheet import write_sheet
from engine.review.compare.side import Side
from engine.review.recording import Analysis
from engine.types import OperatingPoint, Size


def side(name: str, preset: str = "standard", threshold: float = 0.5) -> Side:
    point = OperatingPoint(threshold, 0.001, preset=preset)
    weights, maps = name * 8, Size(80, 80)
    by = (1, "review", name, weights, f"/{name}", "standard")
    return Side(Analysis(*by, point, "field", "auto", "", maps, True, ()), point)


def figures(one: Side, **changes: object) -> Figures:
    known = {"counts": {0.0: 3}, "per_min": {0.0: 1.5}, "first_s": 11.25, "sensitivity": Share(7, 9)}
    return Figures(one, **(known | {"specificity": Share(0, 0), "dice": None} | changes))


FOUND = Comparison(
    figures(side("light")),
    figures(side("accurate", "quiet", 0.31), first_s=None),
    120.0,
    8,
    0.83,
    400,
    (Disagreement(ONLY_B, 30, 60, 11.2, 12.4),),
)


def test_every_row_of_the_file_says_of_which_weights_preset_and_threshold_it_is(tmp_path):
    write_sheet(tmp_path / "a.csv", FOUND, origin_s=10.0)
    with (tmp_path / "a.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))

    assert {(row["side"], row["weights_sha256"], row["preset"], row["threshold"]) for row in rows} == {
        ("A", "light" * 8, "standard", "0.5"),
        ("B", "accurate" * 8, "quiet", "0.31"),
        ("A and B", f"{'light' * 8} | {'accurate' * 8}", "standard | quiet", "0.5 | 0.31"),
    }
    by = {(row["what"], row["side"]): row for row in rows}
    assert by["findings a minute of at least 0 s", "A"]["value"] == "1.5"
    assert by["first finding, s", "A"]["value"] == "1.25"
    assert by["first finding, s", "B"]["value"] == ""
    met = by["sensitivity, verified polyps", "A"]
    assert (met["value"], met["count"], met["of"]) == ("0.777778", "7", "9")
    assert by["specificity, verified empty frames", "A"]["value"] == ""  # of no frames there is no share
    assert by["IoU of A and B", "A and B"]["value"] == "0.83"
    alone = by["found by this one alone", "B"]
    assert (alone["start_s"], alone["first_frame"], alone["last_frame"]) == ("1.2", "30", "60")


def test_a_file_that_cannot_be_written_is_said_and_nothing_is_left(tmp_path):
    with pytest.raises(FaultError, match="is a folder"):
        write_sheet(tmp_path, FOUND)
    (tmp_path / "file").touch()
    with pytest.raises(FaultError, match="file"):
        write_sheet(tmp_path / "file" / "a.csv", FOUND)
    assert [path.name for path in tmp_path.rglob("*")] == ["file"]
