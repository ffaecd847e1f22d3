"""Interlaced sources: two moments are never woven into one picture, and what is sharp stays sharp."""

from contextlib import closing

import av
import cv2
import numpy as np
import pytest
from av.video.frame import VideoFrame

from engine.sources import open_source, parse_source
from engine.sources.base import SourceOptions
from engine.sources.fields import is_woven, upper_field
from engine.types import Rect, Size

W, H, FRAMES = 720, 576, 4
STEP_PX = 9  # from one field to the next
WAYS = {
    "flagged h264": ("libx264", {"x264-params": "interlaced=1:tff=1", "crf": "10", "preset": "ultrafast"}),
    "flagged mpeg2": ("mpeg2video", {"flags": "+ildct+ilme", "qscale": "2"}),
    "not flagged": ("libx264", {"crf": "10", "preset": "ultrafast"}),
}


def scene(at):
    """A bar that moves over mucosa that stands still, uint8 [H, W, 3] BGR."""
    rough = np.random.default_rng(3).random((30, 40)).astype(np.float32)
    light = 70 + 120 * cv2.resize(rough, (W, H), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    picture = (light[..., None] * np.array([0.5, 0.6, 1.0])).astype(np.uint8)
    x = 60 + at * STEP_PX
    cv2.fillPoly(picture, [np.array([(x, 0), (x + 60, 0), (x + 160, H), (x + 100, H)])], (210, 220, 230))
    return picture


def woven(at):
    """The fields of two moments in one frame, the upper one first."""
    picture = scene(2 * at)
    picture[1::2] = scene(2 * at + 1)[1::2]
    return picture


def clip(path, pictures, way="flagged h264"):
    codec, options = WAYS[way]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = W, H, "yuv420p"
        stream.bit_rate = 20_000_000
        for picture in pictures:
            container.mux(stream.encode(frame_of(picture)))
        container.mux(stream.encode())
    return path


def frame_of(picture, pixels="yuv420p"):
    """As an interlaced camera stores colour: each field's by itself."""
    whole = VideoFrame.from_ndarray(picture, format="bgr24").reformat(format="yuv420p")
    fields = [
        VideoFrame.from_ndarray(np.ascontiguousarray(picture[by::2]), format="bgr24").reformat(
            format="yuv420p"
        )
        for by in (0, 1)
    ]
    for index, plane in enumerate(whole.planes):
        lines = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
        for by, field in enumerate(fields):
            own = field.planes[index]
            lines[by::2, : plane.width] = np.frombuffer(own, np.uint8).reshape(own.height, -1)[
                :, : plane.width
            ]
    return whole if pixels == "yuv420p" else whole.reformat(format=pixels)


def combing(pixels):
    """Share of what stands out between two lines that agree, uint8 [h, w, 3 or 4]."""
    green = pixels[..., 1].astype(int)
    above, line, below = green[:-2], green[1:-1], green[2:]
    return float(np.mean(np.abs(line - (above + below) / 2) - np.abs(above - below) > 20))


def read_all(path):
    with closing(open_source(parse_source(str(path)))) as source:
        while (picture := source.read()) is not None:
            yield picture


@pytest.fixture(scope="module")
def moving(tmp_path_factory):
    folder = tmp_path_factory.mktemp("woven")
    return {
        way: clip(folder / f"{i}.mkv", [woven(at) for at in range(FRAMES)], way) for i, way in enumerate(WAYS)
    }


@pytest.mark.parametrize("way", WAYS)
def test_fields_of_two_moments_are_never_shown_in_one_picture(moving, way):
    assert combing(woven(1)) > 0.02

    pictures = list(read_all(moving[way]))

    assert len(pictures) == FRAMES
    for picture in pictures:
        assert picture.bgra().shape == (H, W, 4)
        assert combing(picture.bgra()) < 0.001
        assert combing(picture.rgb(Size(W, H))) < 0.001
        assert combing(picture.rgb(Size(352, 280))) < 0.001
        assert combing(picture.rgb(Size(300, 200), Rect(60, 40, 600, 500))) < 0.001


def test_what_is_shown_is_the_moment_of_the_picture(moving):
    picture = list(read_all(moving["flagged h264"]))[2]

    shown, whole = picture.bgra()[..., :3].astype(int), scene(4).astype(int)

    assert np.abs(shown - whole).mean() < 4
    small = picture.rgb(Size(90, 72), Rect(0, 96, W, 384))[..., ::-1].astype(int)
    want = cv2.resize(scene(4)[96:480], (90, 72), interpolation=cv2.INTER_AREA).astype(int)
    assert np.abs(small - want).mean() < 4


def test_a_picture_that_one_jumps_to_is_the_one_that_was_played(moving):
    played = [picture.bgra().copy() for picture in read_all(moving["not flagged"])]

    with closing(open_source(parse_source(str(moving["not flagged"])))) as source:
        for rank in (3, 1, 2, 0):
            source.seek(rank)
            assert np.array_equal(source.read().bgra(), played[rank])


def test_a_flag_alone_softens_nothing(tmp_path):
    """Fine lines that stand still, said to be interlaced."""
    picture = scene(0)
    for row in range(40, H, 37):
        cv2.putText(picture, "Patient 0123  22:13:58", (40, row), cv2.FONT_HERSHEY_PLAIN, 1.0, (255,) * 3, 1)

    with closing(open_source(parse_source(str(clip(tmp_path / "a.mkv", [picture] * 2))))) as source:
        assert source.info.interlaced
        shown = source.read().bgra()[..., :3].astype(int)

    lines = np.s_[30:H:2], np.s_[:]
    assert np.abs(shown - picture)[lines].mean() < 4
    assert np.abs(shown - picture).mean() < 4


@pytest.mark.parametrize("pixels", ["yuyv422", "uyvy422", "nv12", "yuv422p10le", "bgr0", "rgb24"])
def test_whatever_the_layout_of_its_pixels_a_woven_frame_is_known_and_parted(pixels):
    source = VideoFrame.from_ndarray(woven(1), format="bgr24").reformat(format=pixels)
    still = VideoFrame.from_ndarray(scene(1), format="bgr24").reformat(format=pixels)

    assert is_woven(source)
    assert not is_woven(still)
    field = upper_field(source)
    shown = field.reformat(format="bgr24", interpolation="POINT").to_ndarray()
    assert shown.shape == (H // 2, W, 3)
    assert np.abs(shown.astype(int) - scene(2)[::2]).mean() < 6


def test_a_picture_of_720_lines_is_not_looked_at_without_a_flag():
    tall = cv2.resize(woven(1), (1280, 720), interpolation=cv2.INTER_NEAREST)

    assert not is_woven(VideoFrame.from_ndarray(tall, format="bgr24"))


def test_a_capture_device_that_weaves_is_shown_field_by_field():
    """A frame of two fields of 50 Hz, as a grabber of PAL gives it."""
    graph = "lavfi:testsrc2=size=720x288:rate=50,weave=first_field=top,format=yuyv422"
    with closing(open_source(parse_source(graph), SourceOptions())) as source:
        shown = [picture for _ in range(4) if (picture := source.read()) is not None]

        assert len(shown) > 1
        for picture in shown:
            assert combing(picture.frame.to_ndarray(format="bgra")) > 0.005
            assert combing(picture.bgra()) < 0.002
