"""`engine.bench field`: boxes drawn by hand against what is found, and what a look costs."""

from __future__ import annotations

import json

import cv2
import pytest

from engine.bench import __main__ as bench
from engine.bench.suites import field
from tests.fixtures.recorder import THUMBNAIL, recorder_clip
from tests.unit.test_lock_on import BESIDE, screen


@pytest.fixture(autouse=True)
def short_clip(monkeypatch):
    monkeypatch.setattr(field, "demo_clip", lambda path, **_: recorder_clip(path, 4, range(0), -1))


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A folder with one image, and boxes that say where its field is."""
    (tmp_path / "images" / "ward").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "images" / "ward" / "a.png"), screen(0.0))
    boxes = tmp_path / "boxes.json"
    boxes.write_text(json.dumps({"images/ward/a.png": [BESIDE.x, BESIDE.y, BESIDE.w, BESIDE.h]}))
    monkeypatch.setattr(field, "BOXES", boxes)
    return tmp_path


def test_sixty_boxes_of_eight_sets_are_known_and_hold_most_of_a_picture():
    boxes = field.boxes()

    assert len(boxes) == 60
    assert len({image.split("/")[1] for image in boxes}) == 8
    assert all(box.x >= 0 <= box.y and 280 <= box.w <= 416 and 230 <= box.h <= 416 for box in boxes.values())


def test_each_finder_is_compared_with_the_box_of_each_image(data, capsys):
    assert bench.main(["field", "--data", str(data), "--rounds", "1", "--json", str(data / "out.json")]) == 0

    figures = json.loads((data / "out.json").read_text())
    rows = {(row["set"], row["finder"]): row for row in figures["fields"]}
    assert set(rows) == {(name, finder) for name in ("ward", "all") for finder in ("still", "field_in")}
    assert all(row["images"] == 1 and row["mean_iou"] > 0.9 for row in rows.values())
    assert rows["ward", "field_in"]["mean_iou"] > 0.97
    assert {row["part"] for row in figures["lock"]} == {"small picture", "lock", "look"}
    assert all(row["calls"] == 4 and row["ms_a_frame"] > 0 for row in figures["lock"])
    assert "| ward | field_in | 1 |" in capsys.readouterr().out


def test_an_image_that_a_finder_is_not_near_to_is_named(data):
    box = THUMBNAIL
    field.BOXES.write_text(json.dumps({"images/ward/a.png": [box.x, box.y, box.w, box.h]}))

    below = field.run(data, rounds=1)["below"]

    assert [(row["image"], row["finder"]) for row in below] == [
        ("images/ward/a.png", "still"),
        ("images/ward/a.png", "field_in"),
    ]


def test_a_set_is_a_row_with_its_mean_its_least_and_how_many_are_not_near():
    found = [
        ("images/a/1.jpg", "still", 1.0),
        ("images/a/2.jpg", "still", 0.9),
        ("images/b/1.jpg", "still", 0.98),
    ]

    rows = [tuple(row.values()) for row in field.table_of(found)]

    assert rows == [
        ("a", "still", 2, 0.95, 0.9, 1),
        ("b", "still", 1, 0.98, 0.98, 0),
        ("all", "still", 3, 0.96, 0.9, 1),
    ]


def test_without_the_images_there_are_times_and_a_line_that_says_so(capsys):
    assert bench.main(["field", "--rounds", "1"]) == 0

    assert "- not measured: IoU with boxes drawn by hand: no --data DIR" in capsys.readouterr().out


def test_a_folder_without_the_images_is_told(tmp_path, capsys):
    assert bench.main(["field", "--data", str(tmp_path), "--rounds", "1"]) == 2

    assert "--data" in capsys.readouterr().err
