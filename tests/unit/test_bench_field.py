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
    monkeypatch.setattr(field, "demo_clip", lambda path, **_: recorder_clip(path, 8, range(0), -1))


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


def test_what_is_found_is_compared_with_the_box_of_each_image_and_a_look_is_timed(data, capsys):
    assert bench.main(["field", "--data", str(data), "--rounds", "1", "--json", str(data / "out.json")]) == 0

    figures = json.loads((data / "out.json").read_text())
    rows = {row["set"]: row for row in figures["fields"]}
    assert set(rows) == {"ward", "all"}
    assert all(row["images"] == 1 and row["mean_iou"] > 0.97 for row in rows.values())
    timed = {row["part"]: row for row in figures["lock"]}
    assert list(timed) == ["small picture", "look, unlocked", "look, locked"]
    assert all(timed[part]["ms_a_frame"] > 0 for part in ("look, unlocked", "look, locked"))
    assert "| ward | 1 |" in capsys.readouterr().out


def test_an_image_whose_field_is_not_near_to_its_box_is_named(data):
    box = THUMBNAIL
    field.BOXES.write_text(json.dumps({"images/ward/a.png": [box.x, box.y, box.w, box.h]}))

    below = field.run(data, rounds=1)["below"]

    assert [row["image"] for row in below] == ["images/ward/a.png"]


def test_a_set_is_a_row_with_its_mean_its_least_and_how_many_are_not_near():
    found = [("images/a/1.jpg", 1.0), ("images/a/2.jpg", 0.9), ("images/b/1.jpg", 0.98)]

    rows = [tuple(row.values()) for row in field.table_of(found)]

    assert rows == [("a", 2, 0.95, 0.9, 1), ("b", 1, 0.98, 0.98, 0), ("all", 3, 0.96, 0.9, 1)]


def test_without_the_images_there_are_times_and_a_line_that_says_so(capsys):
    assert bench.main(["field", "--rounds", "1"]) == 0

    assert "- not measured: IoU with boxes drawn by hand: no --data DIR" in capsys.readouterr().out


def test_a_folder_without_the_images_is_told(tmp_path, capsys):
    assert bench.main(["field", "--data", str(tmp_path), "--rounds", "1"]) == 2

    assert "--data" in capsys.readouterr().err
