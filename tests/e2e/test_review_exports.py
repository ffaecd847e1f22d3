"""What is handed on of a recording is read back by others, and what comes from others is taken in."""

from __future__ import annotations

import csv
from contextlib import closing
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from pycocotools.coco import COCO

from app.cli import main
from distill.data.index import load_index
from distill.data.prepare import Wishes, prepare
from distill.data.splits import REVIEWED
from engine.analysis.judged import open_recording
from engine.analysis.one import analyse
from engine.analysis.results import RESULTS, SUMMARY, read_results, read_summary, summary_text
from engine.drawing.rle import decode
from engine.faults import FaultError
from engine.files.whole import sha256_of, write_json_lines, write_text
from engine.jobs.events import RunFolder
from engine.model_folder import load_model_folder
from engine.review.acts import FrameState, Verdict
from engine.review.analysis import analyse_into, begin, run_folder, spec_of
from engine.review.compare.figures import Share, compared, paired
from engine.review.compare.side import Side, found_by
from engine.review.edits import PERSONS, Edits
from engine.review.exports import cli
from engine.review.exports.dataset import add_to_data_set, check, group_of, side_of
from engine.review.exports.export import export
from engine.review.exports.formats import Only
from engine.review.exports.pictures import pixel_hash
from engine.review.imports.labels import take_labels
from engine.review.imports.opened import bring_in
from engine.review.imports.results import find_results, take_results
from engine.review.places import Places
from engine.review.review import Review
from engine.review.store import open_folder, open_side_car
from engine.review.timeline import frame_table
from engine.sources import parse_source
from engine.types import Size
from tests.fixtures.recorder import FIELD, POLYP, following_model, recorder_clip

FRAMES, SEEN = 60, range(15, 45)
RING, OWN, EMPTY = 20, 50, 55  # frames that a person has verified


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recorder")
    clip = recorder_clip(folder / "Mrs Smith.mp4", FRAMES, SEEN, -1)
    return clip, load_model_folder(following_model(folder))


@pytest.fixture(scope="module")
def car(made, tmp_path_factory):
    with open_side_car([made[0]], Places(tmp_path_factory.mktemp("library"), beside=False)) as one:
        analysis = begin(one, made[1])
        assert analyse_into(
            one.database, analysis, spec_of(one), RunFolder(run_folder(one.folder, analysis.id))
        )
        edits = Edits(one.database)
        edits.mask(RING, 1, ring(), "brush")
        edits.verify(RING)
        edits.mask(OWN, PERSONS + 1, disc(470, 100), "polygon")
        edits.mask(OWN, PERSONS + 2, disc(300, 250), "polygon")
        edits.verify(OWN)
        edits.set_state(EMPTY, FrameState.EMPTY)
        yield one


@pytest.fixture
def review(car):
    return Review(car, car.analyses[0])


def disc(x: int, y: int, radius: int = 20) -> np.ndarray:
    return cv2.circle(np.zeros((360, 640), np.uint8), (x, y), radius, 1, cv2.FILLED)


def ring() -> np.ndarray:
    return cv2.circle(disc(*POLYP, 25), POLYP, 8, 0, cv2.FILLED)


def in_cut(mask: np.ndarray) -> np.ndarray:
    box = FIELD.box
    return mask[box.y : box.y + box.h, box.x : box.x + box.w]


def picture(path: Path, flags: int = cv2.IMREAD_COLOR) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), flags)


@pytest.fixture(scope="module")
def box(car):
    """Where the endoscope's picture was found; as near to the drawn one as the lock is."""
    return Review(car, car.analyses[0]).field_of(range(FRAMES)).box


def cut(mask: np.ndarray, box) -> np.ndarray:
    return mask[box.y : box.y + box.h, box.x : box.x + box.w]


def test_coco_is_read_by_pycocotools_to_the_pixel(review, tmp_path, box, capsys):
    export(review, "coco", tmp_path / "out", only=Only.VERIFIED)
    coco = COCO(str(tmp_path / "out" / "annotations" / "instances_default.json"))
    capsys.readouterr()
    by_rank = {image["rank"]: image for image in coco.loadImgs(coco.getImgIds())}

    assert set(by_rank) == {RING, OWN, EMPTY}
    (annotation,) = coco.loadAnns(coco.getAnnIds(imgIds=[by_rank[RING]["id"]]))
    assert np.array_equal(coco.annToMask(annotation), cut(ring(), box))
    assert annotation["area"] == ring().sum()
    assert len(coco.getAnnIds(imgIds=[by_rank[OWN]["id"]])) == 2
    assert coco.getAnnIds(imgIds=[by_rank[EMPTY]["id"]]) == []


def test_what_leaves_is_the_endoscopes_picture_alone_unless_all_of_it_is_asked_for(review, tmp_path, box):
    export(review, "masks", tmp_path / "cut", only=Only.VERIFIED)
    export(review, "masks", tmp_path / "full", only=Only.VERIFIED, full_frame=True)
    whole, part = (picture(tmp_path / name / "images" / f"frame_{RING:06d}.png") for name in ("full", "cut"))

    assert whole.shape == (360, 640, 3)
    assert part.shape == (box.h, box.w, 3)
    assert part[0, 0].max() == 0  # outside of the octagon, in its box
    assert part[box.h // 2, box.w // 2].max() > 20
    middle = np.s_[100:200, 100:200]
    assert np.array_equal(part[middle], cut(whole, box)[middle])


def test_the_exported_frame_is_the_frame_of_that_rank_and_its_table_says_so(review, made, tmp_path):
    export(review, "masks", tmp_path / "out", only=Only.VERIFIED, full_frame=True)
    rows = list(csv.DictReader((tmp_path / "out" / "frames.csv").open()))
    assert [(int(row["rank"]), row["state"]) for row in rows] == [
        (RING, "verified"),
        (OWN, "verified"),
        (EMPTY, "verified empty"),
    ]
    with closing(open_recording(parse_source(str(made[0])))) as source:
        for row in rows:
            source.seek(int(row["rank"]))
            exact = source.read().bgra()[..., :3]
            there = picture(tmp_path / "out" / row["picture"])
            assert np.array_equal(there, exact)
            assert pixel_hash(there) == row["sha256"]
            assert float(row["pts_s"]) == pytest.approx(int(row["rank"]) / 25)


@pytest.mark.parametrize(
    ("name", "least"), [("coco", 1.0), ("cvat", 1.0), ("yolo", 0.99), ("masks", 1.0), ("dataset", 1.0)]
)
def test_the_readers_of_the_training_find_the_same_masks(review, tmp_path, box, name, least):
    export(review, name, tmp_path / "out", only=Only.VERIFIED)
    prepared = prepare([tmp_path / "out"], tmp_path / "data", Wishes(negatives=True))

    assert prepared.problems == ()
    index = load_index(tmp_path / "data")
    assert len(index.records) == 3
    rows = csv.DictReader((tmp_path / "out" / "frames.csv").open()) if name != "dataset" else ()
    ranks = {Path(row["picture"]).stem: int(row["rank"]) for row in rows}
    names = {one: Path(one.image).stem for one in index.records}
    found = {ranks.get(stem, int(stem[-6:])): one for one, stem in names.items()}
    assert found[EMPTY].has_no_polyp
    for rank, wanted in ((RING, ring()), (OWN, disc(470, 100) | disc(300, 250))):
        mask = picture(index.root / found[rank].mask, cv2.IMREAD_GRAYSCALE) > 127
        wanted = cut(wanted, box) > 0
        assert (mask & wanted).sum() / (mask | wanted).sum() >= least, (name, rank)


def test_a_track_of_cvat_is_an_object_from_its_first_frame_to_its_last(review, tmp_path):
    from xml.etree import ElementTree as ET

    export(review, "cvat", tmp_path / "out", only=Only.ALL)
    root = ET.parse(tmp_path / "out" / "annotations.xml").getroot()
    tracks = root.findall("track")
    long = max(tracks, key=len)
    shown = [shape for shape in long if shape.get("outside") == "0"]
    assert [int(shape.get("rank")) for shape in shown] == list(SEEN)
    assert long[-1].get("outside") == "1"
    assert len(tracks) == 3


def test_a_clip_keeps_times_and_shows_marks_beside_what_was_filmed(review, tmp_path, box):
    export(review, "clip", tmp_path / "out", only=Only.ALL, range_=(20, 29), look="side")
    with av.open(str(tmp_path / "out" / "clip.mp4")) as clip:
        frames = list(clip.decode(video=0))
    assert [float(frame.pts * frame.time_base) for frame in frames] == pytest.approx(
        [rank / 25 for rank in range(20, 30)], abs=1e-3
    )
    image = frames[5].to_ndarray(format="bgr24")
    left, right = image[: box.h, : box.w].astype(int), image[: box.h, box.w : 2 * box.w].astype(int)
    around = np.s_[
        POLYP[1] - box.y - 45 : POLYP[1] - box.y + 45, POLYP[0] - box.x - 45 : POLYP[0] - box.x + 45
    ]
    assert np.abs(left - right)[around].max() > 100
    assert np.abs(left - right)[10:40, 200:].max() < 40


def test_kept_findings_leave_alone(car, tmp_path):
    review = Review(car, car.analyses[0])
    counts = export(review, "csv", tmp_path / "own", only=Only.KEPT)
    assert counts == {"findings": 2}  # what a person drew, nobody has to keep
    row, *own = sorted(review.rows, key=lambda row: row.who)
    for one in own:
        review.edits.judge(one.anchor, Verdict.REJECT)
    try:
        with pytest.raises(FaultError, match="No finding is kept yet"):
            export(review, "coco", tmp_path / "none", only=Only.KEPT)
        review.edits.judge(row.anchor, Verdict.KEEP)
        counts = export(review, "csv", tmp_path / "csv", only=Only.KEPT)
        assert counts == {"findings": 1}
        assert export(review, "masks", tmp_path / "masks", only=Only.KEPT)["frames"] == len(SEEN)
    finally:
        while review.edits.take_back():
            pass


def test_the_verb_exports_a_side_car_and_refuses_a_folder_that_is_in_use(car, tmp_path, capsys):
    places = Places(tmp_path)
    asked = [str(car.folder), "--format", "csv", "--out", str(tmp_path / "out")]
    assert cli.main(asked, places) == 0
    assert "3 findings" in capsys.readouterr().out
    assert cli.main(asked, places) == 2
    assert "There is something in" in capsys.readouterr().err
    asked[-1] = str(tmp_path / "other")
    assert cli.main([*asked, "--range", "nonsense"], places) == 2
    assert not (tmp_path / "other").exists()


def test_a_preset_is_never_passed_over(made, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("POLYPLIVE__REVIEW__SIDE_CARS", "library")
    monkeypatch.setenv("POLYPLIVE__REVIEW__LIBRARY", str(tmp_path / "kept"))
    asked = ["export", str(made[0]), "--format", "csv", "--out"]
    model = ["--model", str(made[1].path)]

    assert main([*asked, str(tmp_path / "none"), *model, "--preset", "loud"]) == 2
    assert "has no preset loud. It has standard, quiet." in capsys.readouterr().err
    assert main([*asked, str(tmp_path / "quiet"), *model, "--preset", "quiet"]) == 0
    capsys.readouterr()
    assert main([*asked, str(tmp_path / "other"), "--preset", "standard"]) == 2
    assert "those of preset quiet, not standard" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()


def test_a_recording_that_was_never_opened_is_analysed_first(made, tmp_path, monkeypatch):
    monkeypatch.setenv("POLYPLIVE__REVIEW__SIDE_CARS", "library")
    monkeypatch.setenv("POLYPLIVE__REVIEW__LIBRARY", str(tmp_path / "kept"))
    out = tmp_path / "out"
    asked = ["export", str(made[0]), "--format", "masks", "--out", str(out), "--model", str(made[1].path)]
    assert main([*asked, "--range", "0.8s:1s"]) == 0

    rows = list(csv.DictReader((out / "frames.csv").open()))
    assert [int(row["rank"]) for row in rows] == list(range(20, 26))
    (folder,) = (tmp_path / "kept").iterdir()
    with open_folder(folder) as car:
        assert car.analyses[0].done


def test_an_export_that_is_broken_off_leaves_nothing(review, tmp_path):
    def stop(done, of):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(review, "coco", tmp_path / "out", only=Only.ALL, tick=stop)
    assert list(tmp_path.iterdir()) == []


def test_a_data_set_grows_by_versions_that_never_change(car, review, tmp_path):
    first = add_to_data_set(review, tmp_path / "set")
    before = {path: path.read_bytes() for path in first.rglob("*") if path.is_file()}
    assert add_to_data_set(review, tmp_path / "set") == first  # nothing is new
    review.edits.verify(25, [])
    try:
        second = add_to_data_set(Review(car, car.analyses[0], review.edits), tmp_path / "set")
    finally:
        review.edits.undo("frame:25")

    assert (first.name, second.name) == ("v1", "v2")
    assert {path: path.read_bytes() for path in first.rglob("*") if path.is_file()} == before
    index = load_index(second)
    assert sorted(one.frame for one in index.records) == sorted([RING, 25, OWN, EMPTY])
    group = group_of(car)
    assert {(one.group, one.split) for one in index.records} == {(group, side_of(group))}
    check(first)
    check(second)
    assert prepare([second], tmp_path / "prepared", Wishes(negatives=True)).problems == ()
    prepared = load_index(tmp_path / "prepared")
    assert {(one.set, one.group, one.split) for one in prepared.records} == {
        (REVIEWED, group, side_of(group))
    }
    assert sorted(one.frame for one in prepared.records) == sorted(one.frame for one in index.records)
    (second / index.records[0].image).write_bytes(b"other")
    with pytest.raises(FaultError, match="is not what was added"):
        check(second)


def test_one_recording_in_five_is_for_validation_for_ever():
    sides = [side_of(f"recording-{number:016x}") for number in range(1000)]
    assert sides.count("validation") == 200
    assert side_of("recording-000000000000000a") == "validation"


# What comes from others.


SHAPE = "<polygon frame='99' points='1,1;9,1;9,9'/>"


@pytest.fixture
def fresh(made, tmp_path):
    with open_side_car([made[0]], Places(tmp_path / "fresh", beside=False)) as one:
        yield one


@pytest.mark.parametrize("name", ["coco", "cvat", "masks"])
def test_labels_that_were_handed_on_come_back_as_they_were(review, fresh, tmp_path, name):
    export(review, name, tmp_path / "out", only=Only.VERIFIED, full_frame=name == "masks")
    place = {"coco": "annotations/instances_default.json", "cvat": "annotations.xml", "masks": "masks"}[name]
    edits = Edits(fresh.database)
    count = take_labels(edits, tmp_path / "out" / place, Size(640, 360), FRAMES, verified=True)

    assert count == (2 if name == "cvat" else 3)
    assert edits.frame(RING).state is FrameState.VERIFIED
    (mask,) = edits.frame(RING).masks.values()
    assert np.array_equal(decode(mask.rle), ring())
    assert mask.source == name
    union = sum(decode(one.rle) for one in edits.frame(OWN).masks.values())
    assert np.array_equal(union, disc(470, 100) | disc(300, 250))
    edits.undo_stroke(edits.last_stroke)
    assert edits.frames == {}


def test_labels_of_others_come_in_for_a_recording_that_nobody_has_opened_yet(made, review, tmp_path):
    places = Places(tmp_path / "fresh", beside=False)
    export(review, "masks", tmp_path / "out", only=Only.VERIFIED, full_frame=True)
    assert bring_in([made[0]], places, tmp_path / "out" / "masks") == 3

    with open_side_car([made[0]], places) as one:
        edits = Edits(one.database)
        assert edits.frame(RING).state is FrameState.TOUCHED
        (mask,) = edits.frame(RING).masks.values()
        assert np.array_equal(decode(mask.rle), ring())
        assert one.analyses == ()


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.json", "{}", "images"),
        ("a.json", '{"images": [], "annotations": []}', "no label"),
        (
            "a.xml",
            "<annotations><track><polygon frame='99' points='1,1;9,1;9,9'/></track></annotations>",
            "frame 99",
        ),
        ("a.xml", "<annotations>", "no element"),
        ("a.txt", "", "neither"),
    ],
)
def test_labels_that_cannot_be_used_are_told_and_nothing_is_kept(fresh, tmp_path, name, text, said):
    (tmp_path / name).write_text(text)
    edits = Edits(fresh.database)
    with pytest.raises(FaultError, match=said):
        take_labels(edits, tmp_path / name, Size(640, 360), FRAMES)
    assert edits.last_stroke == 0


@pytest.fixture(scope="module")
def results(made, tmp_path_factory):
    folder = tmp_path_factory.mktemp("many")
    analyse(parse_source(str(made[0])), folder / "one", model=made[1])
    return folder


def without_tracks(folder: Path, out: Path) -> Path:
    """The same results as of a model that judges each frame by itself."""
    lines = list(read_results(folder))
    for line in lines:
        del line["candidates"]
        line["components"] = [part for part in line["components"] if part["state"] != "held"]
        for part in line["components"]:
            del part["track"], part["state"]
    write_json_lines(out / RESULTS, lines)
    summary = read_summary(folder)
    files = {"files": (RESULTS,), "sha256": {RESULTS: sha256_of(out / RESULTS)}, "findings": None}
    write_text(out / SUMMARY, summary_text(summary.model_copy(update=files)))
    return out


@pytest.mark.parametrize("follows", [True, False])
def test_results_of_analyse_open_without_inference(made, fresh, results, tmp_path, follows):
    (tmp_path / "plain").mkdir()
    folder = results / "one" if follows else without_tracks(results / "one", tmp_path / "plain")
    analysis = take_results(fresh, find_results(folder, made[0]))
    review = Review(fresh, analysis)

    assert not analysis.has_maps
    assert take_results(fresh, folder) == analysis
    assert len(review.table) == FRAMES
    (row,) = review.rows
    assert (row.first_rank, row.last_rank) == (SEEN.start if follows else SEEN.start + 4, SEEN.stop - 1)
    (mask,) = review.machine_masks(30).values()
    assert mask[POLYP[1], POLYP[0]]
    assert mask.sum() == pytest.approx(np.pi * 30**2, rel=0.15)
    export(review, "csv", tmp_path / "out", only=Only.ALL)


def test_results_of_many_recordings_are_found_by_the_recordings_name(made, results, tmp_path):
    assert find_results(results, made[0]) == results / "one"
    assert find_results(results, tmp_path / "moved" / "Mrs Smith.mp4") == results / "one"


def test_results_of_another_recording_or_broken_ones_are_refused(made, fresh, tmp_path):
    with pytest.raises(FaultError, match="no results of Mrs Smith"):
        find_results(tmp_path, made[0])
    with pytest.raises(FaultError, match="not whole"):
        take_results(fresh, tmp_path)


# Two analyses of one recording.


@pytest.mark.slow
def test_two_analyses_are_compared_in_figures(car, made):
    other = begin(car, made[1], region="frame")
    job = RunFolder(run_folder(car.folder, other.id))
    assert analyse_into(car.database, other, spec_of(car), job)
    a, b = (Side(one, one.point) for one in car.analyses)
    made_a, made_b = found_by(car, a), found_by(car, b)
    found = compared(car, paired(a, b, made_a, made_b, frame_table(car.database, other.id)))

    assert found.a.per_min[0.0] == pytest.approx(found.a.counts[0.0] / (59 / 25 / 60))
    assert found.a.first_s == pytest.approx((SEEN.start + 4) / 25)
    assert (found.a.sensitivity, found.a.specificity) == (Share(1, 3), Share(1, 1))
    assert found.b.first_s == found.a.first_s
    assert found.iou is not None
    assert 0.7 < found.iou < 1.0
    assert found.disagreements == ()
