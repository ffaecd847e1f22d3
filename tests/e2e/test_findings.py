"""`analyse` of a recorder's screen by a model that follows: what is marked, and the table of findings."""

from __future__ import annotations

import csv
import json
import shutil
from contextlib import closing
from itertools import zip_longest

import cv2
import numpy as np
import pytest

from engine.analysis import cli as analyse_cli
from engine.analysis.judged import judged_frames, open_judge, open_recording
from engine.analysis.one import analyse
from engine.analysis.results import is_whole, read_results, read_summary
from engine.drawing.rle import decode
from engine.files.whole import sha256_of
from engine.model_folder import load_model_folder
from engine.sources import parse_source
from engine.sources.field_finder import finder_of
from engine.types import Rect
from engine.view.lock_on import iou
from engine.view.outline import silhouette
from tests.fixtures.models import red_model
from tests.fixtures.recorder import (
    FIELD,
    FLASH,
    LAMP,
    POLYP,
    RATE_HZ,
    THUMBNAIL,
    following_model,
    recorder_clip,
)

FRAMES, SEEN, FLASHES = 70, range(15, 55), 40


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recorder")
    clip = recorder_clip(folder / "screen.mp4", FRAMES, SEEN, FLASHES)
    return clip, following_model(folder)


@pytest.fixture(scope="module")
def out(made, tmp_path_factory):
    clip, model = made
    folder = tmp_path_factory.mktemp("out") / "results"
    assert run(clip, model, folder) == 0
    return folder


@pytest.fixture(scope="module")
def lines(out):
    return list(read_results(out))


def run(clip, model, folder, *more):
    return analyse_cli.main([str(clip), "--model", str(model), "--out", str(folder), *more])


def rows(folder):
    with (folder / "findings.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def holds(component, at):
    x, y, w, h = component["box"]
    return x <= at[0] < x + w and y <= at[1] < y + h


def _is_in(box, x, y):
    return box.x <= x < box.x + box.w and box.y <= y < box.y + box.h


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_nothing_outside_of_the_endoscopes_picture_is_marked_though_a_thumbnail_would_be(
    made, lines, tmp_path
):
    box, inside = FIELD.box, np.zeros((360, 640), np.uint8)
    near = cv2.dilate(silhouette(FIELD.form, FIELD.cut, box.w, box.h), np.ones((9, 9)))
    inside[box.y : box.y + box.h, box.x : box.x + box.w] = near
    marks = [decode(line["mask"]) for line in lines if line["mask"]]

    assert len(marks) > 20
    assert not any((mask > inside).any() for mask in marks)
    assert not any(
        holds(component, (THUMBNAIL.x + THUMBNAIL.w // 2, THUMBNAIL.y + THUMBNAIL.h // 2))
        for line in lines
        for component in (*line["components"], *line["candidates"])
    )

    assert run(*made, tmp_path / "whole", "--whole-frame") == 0
    whole = list(read_results(tmp_path / "whole"))
    centres = [(x + w // 2, y + h // 2) for x, y, w, h in (c["box"] for c in whole[-1]["components"])]
    assert any(_is_in(THUMBNAIL, *at) for at in centres)
    assert any(_is_in(LAMP, *at) for at in centres)
    assert not any("region" in line for line in whole)
    assert read_summary(tmp_path / "whole").region == "frame"


def test_the_first_frames_are_looked_at_as_the_last(lines):
    assert {tuple(line["region"]) for line in lines} == {tuple(lines[-1]["region"])}
    assert iou(Rect(*lines[0]["region"]), FIELD.box) > 0.97


def test_a_flash_of_one_frame_is_a_candidate_and_never_a_component(lines):
    flashed = [line["index"] for line in lines if any(holds(c, FLASH) for c in line["candidates"])]

    assert flashed == [FLASHES]
    assert not any(holds(component, FLASH) for line in lines for component in line["components"])


def test_what_lasts_is_a_candidate_at_first_and_then_a_component_of_one_track(lines):
    early = [line["index"] for line in lines if any(holds(c, POLYP) for c in line["candidates"])]
    shown = [line for line in lines if any(holds(c, POLYP) for c in line["components"])]

    assert early[0] == SEEN.start
    assert SEEN.start + 3 <= shown[0]["index"] <= SEEN.start + 5  # 165 ms of 25 Hz
    assert {component["track"] for line in shown for component in line["components"]} == {1}
    assert {line["components"][0]["state"] for line in shown} == {"confirmed", "held"}


def test_the_table_has_a_row_for_the_finding_that_agrees_with_the_lines(out, lines):
    (row,) = rows(out)
    seen = [
        (line, component)
        for line in lines
        for component in (*line["components"], *line["candidates"])
        if component["track"] == 1 and component["state"] != "held"
    ]
    confirmed = [line for line, component in seen if component["state"] == "confirmed"]
    largest = max((component for _, component in seen), key=lambda c: c["area_px"])

    assert row["id"] == "1"
    assert float(row["start_s"]) == seen[0][0]["pts_s"] == SEEN.start / RATE_HZ
    assert float(row["end_s"]) == seen[-1][0]["pts_s"] == SEEN[-1] / RATE_HZ
    assert float(row["first_confirmed_s"]) == confirmed[0]["pts_s"]
    assert int(row["frames"]) == len(seen) == len(SEEN)
    assert float(row["peak"]) == max(component["peak"] for _, component in seen)
    assert [int(row[f"box_{side}"]) for side in "xywh"] == largest["box"]


def test_the_thumbnail_shows_the_finding_with_its_outline_in_the_shape_of_the_frame(out, lines):
    (row,) = rows(out)
    picture = cv2.imread(str(out / row["thumbnail"]))
    region = Rect(*lines[-1]["region"])
    height, width = picture.shape[:2]
    scale = width / region.w

    assert height / width == pytest.approx(region.h / region.w, abs=0.02)
    blue, green, red = picture[round((POLYP[1] - region.y) * scale), round((POLYP[0] - region.x) * scale)]
    assert red > 200 > 60 > max(blue, green)
    rim = picture[:, round((POLYP[0] - region.x) * scale)].astype(int)
    assert (rim[:, 1] - rim[:, 2]).max() > 20  # the outline is green, mucosa and disc are not
    assert [path.name for path in (out / "findings").iterdir()] == ["0001.jpg"]


def test_the_summary_counts_findings_by_how_long_they_lasted(out):
    summary = read_summary(out)

    assert (summary.preset, summary.region) == ("standard", "field")
    assert summary.findings == {"all": 1, "0.5": 1, "1": 1, "2": 0}
    assert summary.files == ("results.jsonl", "findings.csv", "findings")
    assert summary.sha256["findings.csv"] == sha256_of(out / "findings.csv")
    assert is_whole(out, summary)


def test_maps_are_the_same_wherever_a_recording_is_begun(made):
    clip, model = made
    spec, folder = parse_source(str(clip)), load_model_folder(model)
    with closing(open_judge(folder, folder.card.points["standard"], precision="f32")) as judge:

        def maps(start):
            with closing(open_recording(spec)) as source:
                frames = judged_frames(source, judge, start=start, finder=finder_of("field", spec))
                return [(frame.result.mask.roi, frame.result.mask.probability) for frame in frames]

        whole = maps(0)
        for start in (1, 33):
            pairs = zip_longest(maps(start), whole[start:])
            assert all(a[0] == b[0] and np.array_equal(a[1], b[1]) for a, b in pairs), start


def test_a_preset_decides_what_is_confirmed_and_one_that_is_not_there_is_told(made, tmp_path, capsys):
    assert run(*made, tmp_path / "quiet", "--preset", "quiet") == 0
    assert rows(tmp_path / "quiet") == []
    assert read_summary(tmp_path / "quiet").preset == "quiet"
    assert not (tmp_path / "quiet" / "findings").exists()
    capsys.readouterr()

    assert run(*made, tmp_path / "none", "--preset", "loud") == 2
    assert "has no preset loud. It has standard, quiet." in capsys.readouterr().err
    assert run(*made, tmp_path / "none", "--preset", "loud", "--workers", "1") == 2
    assert not (tmp_path / "none").exists()


def test_files_of_a_run_that_followed_are_replaced_and_what_is_not_ours_is_left_alone(made, out, tmp_path):
    clip, model = made
    plain, folder = red_model(tmp_path), shutil.copytree(out, tmp_path / "out")
    first = contents(folder)
    assert len(rows(folder)) == 1

    def stop(done, total):
        if done == 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        analyse(parse_source(str(clip)), folder, model=load_model_folder(model), progress=stop)
    assert contents(folder) == first

    (folder / "findings" / "mine.txt").write_text("mine")
    assert run(clip, plain, folder) == 2
    (folder / "findings" / "mine.txt").unlink()

    assert run(clip, plain, folder) == 0
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["results.jsonl", "summary.json"]
    told = json.loads((folder / "summary.json").read_text())
    assert not {"preset", "region", "findings"} & set(told)
    assert "candidates" not in (folder / "results.jsonl").read_text()

    (folder / "findings").mkdir()
    (folder / "findings" / "mine.txt").write_text("mine")
    assert run(clip, plain, folder) == 0
    assert run(clip, model, folder) == 2
    assert (folder / "findings" / "mine.txt").read_text() == "mine"
