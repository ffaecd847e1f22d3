"""`score`: prediction maps against masks, and what it refuses."""

import csv
import json

import cv2
import numpy as np
import pytest

from distill.__main__ import main
from distill.metrics import PROTOCOLS

POLYP = np.zeros((30, 40), np.uint8)
POLYP[5:20, 10:30] = 255
HALF = np.zeros((30, 40), np.uint8)
HALF[5:20, 10:20] = 255
BLACK = np.zeros((30, 40), np.uint8)


@pytest.fixture
def folders(tmp_path):
    """Writes the pictures and gives the arguments of `score`."""

    def write(predictions, masks):
        for folder, pictures in (("p", predictions), ("m", masks)):
            (tmp_path / folder).mkdir()
            for name, picture in pictures.items():
                cv2.imwrite(str(tmp_path / folder / name), picture)
        return ["score", "--predictions", str(tmp_path / "p"), "--masks", str(tmp_path / "m")]

    return write


def scored(arguments, tmp_path):
    out = tmp_path / "out" / "figures.json"
    assert main([*arguments, "--json", str(out)]) == 0
    return json.loads(out.read_text())


def test_one_object_a_protocol_at_the_top_level(folders, tmp_path):
    arguments = folders({"a.png": HALF, "b.png": POLYP}, {"a.png": POLYP, "b.png": POLYP})

    values = scored(arguments, tmp_path)

    assert values["n"] == 2
    assert set(PROTOCOLS) <= set(values)
    assert values["p05_image"]["dice"] == pytest.approx((2 / 3 + 1) / 2, abs=1e-6)
    assert values["p05_image"]["iou"] == pytest.approx((1 / 2 + 1) / 2, abs=1e-6)
    assert values["dataset_micro"]["dice"] == pytest.approx(2 * 450 / (450 + 600), abs=1e-6)
    assert values["lesions"]["iou_0.5"]["sensitivity"] == 1.0
    low, high = values["p05_image"]["interval"]["dice"]
    assert low < values["p05_image"]["dice"] < high


def test_mae_is_of_the_maps_as_given(folders, tmp_path):
    faint = np.where(POLYP > 0, 102, 51).astype(np.uint8)  # 0.4 and 0.2

    values = scored(folders({"a.png": faint}, {"a.png": POLYP}), tmp_path)

    assert values["mae"] == pytest.approx((300 * 0.6 + 900 * 0.2) / 1200, abs=1e-5)
    assert values["structure"]["mae"] == pytest.approx(0.0, abs=1e-6)  # that one is stretched first


def test_a_map_of_another_size_is_brought_to_the_masks(folders, tmp_path):
    small = cv2.resize(POLYP, (8, 6), interpolation=cv2.INTER_NEAREST)
    expected = cv2.resize(small.astype(np.float32) / 255, (40, 30), interpolation=cv2.INTER_LINEAR)
    found, there = expected > 0.5, POLYP > 0

    values = scored(folders({"a.png": small}, {"a.png": POLYP}), tmp_path)

    dice = 2 * (found & there).sum() / (found.sum() + there.sum())
    assert values["p05_image"]["dice"] == pytest.approx(dice, abs=1e-6)
    assert values["mae"] == pytest.approx(np.abs(expected - there).mean(), abs=1e-5)


def test_suffixes_may_differ(folders, tmp_path):
    assert scored(folders({"a.png": POLYP}, {"a.bmp": POLYP}), tmp_path)["n"] == 1


def test_an_image_without_a_polyp_counts_as_a_negative_and_never_in_dice(folders, tmp_path):
    predictions = {"a.png": HALF, "clean.png": BLACK, "noisy.png": HALF}
    arguments = folders(predictions, {"a.png": POLYP, "clean.png": BLACK, "noisy.png": BLACK})

    values = scored(arguments, tmp_path)

    assert values["n"] == 1
    assert values["p05_image"]["dice"] == pytest.approx(2 / 3, abs=1e-6)
    assert values["negatives"]["n"] == 2
    assert values["negatives"]["false_positive_rate"] == 0.5
    assert values["negatives"]["false_detections_per_image"] == 0.5
    assert values["lesions"]["iou_0.5"]["false_detections_per_image"] == 0.0


def test_the_threshold_is_of_detections_and_not_of_the_protocols(folders, tmp_path):
    faint = np.where(HALF > 0, 180, 0).astype(np.uint8)  # 0.7
    arguments = folders({"a.png": faint, "n.png": faint}, {"a.png": POLYP, "n.png": BLACK})

    values = scored([*arguments, "--threshold", "0.75"], tmp_path)

    assert values["p05_image"]["dice"] == pytest.approx(2 / 3, abs=1e-6)
    assert values["negatives"]["false_positive_rate"] == 0.0
    assert values["lesions"]["iou_0.5"]["sensitivity"] == 0.0
    assert values["counting"]["threshold"] == 0.75


def test_only_negatives_have_no_dice(folders, tmp_path):
    values = scored(folders({"a.png": BLACK}, {"a.png": BLACK}), tmp_path)

    assert values["n"] == 0
    assert not set(PROTOCOLS) & set(values)


def test_the_index_gives_sets_and_groups(folders, tmp_path):
    arguments = folders({"a.png": HALF, "b.png": POLYP}, {"a.png": POLYP, "b.png": POLYP})
    lines = [{"image": f"images/{s}/{s}.jpg", "set": f"set-{s}", "group": "same"} for s in "ab"]
    (tmp_path / "index.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

    values = scored([*arguments, "--index", str(tmp_path / "index.jsonl")], tmp_path)

    assert values["groups"] == 1
    assert values["sets"]["set-a"]["p05_image"]["dice"] == pytest.approx(2 / 3, abs=1e-6)
    assert values["sets"]["set-b"]["p05_image"]["dice"] == 1.0


def test_the_table_has_a_line_an_image(folders, tmp_path):
    arguments = folders({"a.png": HALF, "n.png": BLACK}, {"a.png": POLYP, "n.png": BLACK})

    assert main([*arguments, "--csv", str(tmp_path / "t.csv")]) == 0

    with (tmp_path / "t.csv").open() as stream:
        first, second = csv.DictReader(stream)
    assert (first["name"], first["polyp"], first["lesions"]) == ("a", "1", "1")
    assert float(first["dice"]) == pytest.approx(2 / 3, abs=1e-5)
    assert (second["name"], second["polyp"], second["dice"]) == ("n", "0", "")


def test_the_gallery_starts_with_the_worst(folders, tmp_path):
    wrong = np.zeros_like(POLYP)
    wrong[25:30, 30:40] = 255
    arguments = folders({"a.png": POLYP, "b.png": wrong}, {"a.png": POLYP, "b.png": POLYP})

    assert main([*arguments, "--gallery", str(tmp_path / "g.png")]) == 0

    sheet = cv2.imread(str(tmp_path / "g.png"))
    tile = 240
    predictions = [sheet[60:, left : left + tile] for left in (2 * tile, 5 * tile)]
    # What is found is drawn low on the right in the worst image, and at the polyp's place in the other one.
    centres = [np.argwhere(part.max(2) > 60).mean(0) for part in predictions]
    assert centres[0][0] > centres[1][0]
    assert centres[0][1] > centres[1][1]


@pytest.mark.parametrize(
    ("predictions", "masks", "named"),
    [
        ({"a.png": POLYP, "lonely.png": POLYP}, {"a.png": POLYP}, "lonely.png"),
        ({"a.png": POLYP}, {"a.png": POLYP, "forgotten.png": POLYP}, "forgotten.png"),
        ({"a.png": POLYP, "a.bmp": POLYP}, {"a.png": POLYP}, "a.bmp"),
        ({}, {"a.png": POLYP}, "pictures in"),
        ({"a.png": POLYP}, {"a.png": POLYP // 255 + HALF // 255}, "cannot be known"),
    ],
)
def test_a_folder_that_cannot_be_scored_is_a_sentence_that_names_it(
    folders, tmp_path, capsys, predictions, masks, named
):
    out = tmp_path / "figures.json"

    assert main([*folders(predictions, masks), "--json", str(out)]) == 3

    assert named in capsys.readouterr().err
    assert not out.exists()


def test_a_prediction_that_is_no_picture_is_named(folders, tmp_path, capsys):
    arguments = folders({}, {"broken.png": POLYP})
    (tmp_path / "p" / "broken.png").write_bytes(b"no picture")

    assert main(arguments) == 3

    assert "broken.png" in capsys.readouterr().err


def test_the_events_tell_start_files_faults_and_the_end(folders, tmp_path):
    arguments = [*folders({"a.png": POLYP}, {"a.png": POLYP}), "--events", str(tmp_path / "events.jsonl")]

    assert main([*arguments, "--json", str(tmp_path / "f.json")]) == 0
    cv2.imwrite(str(tmp_path / "p" / "lonely.png"), POLYP)
    assert main(arguments) == 3

    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    kinds = [event["kind"] for event in events]
    assert kinds == ["start", "progress", "file", "done", "start", "fault", "done"]
    assert [event["outcome"] for event in events if event["kind"] == "done"] == ["ok", "failed"]
