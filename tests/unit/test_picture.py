"""Odd pictures: turned, narrow, changing size, woven of two fields, with pixels that are not square."""

from __future__ import annotations

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from av.video.frame import VideoFrame

from engine.sources import open_source, parse_source
from engine.types import Size

DARK, BRIGHT = 40, 200


def half_and_half(width_px, height_px):
    """Left half dark, right half bright."""
    pixels = np.full((height_px, width_px, 3), DARK, np.uint8)
    pixels[:, width_px // 2 :] = BRIGHT
    return pixels


def encode(path, pixels, frames=5, turn_deg=0, aspect=None, options=None):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options=options or {})
        stream.height, stream.width = pixels.shape[:2]
        stream.pix_fmt = "yuv420p"
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        if turn_deg:
            stream.set_display_rotation(turn_deg)
        for number in range(frames):
            frame = VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.fixture
def opened():
    sources = []

    def open_path(path):
        sources.append(open_source(parse_source(str(path))))
        return sources[-1]

    yield open_path
    for source in sources:
        source.close()


def is_dark(pixel):
    return abs(int(pixel[1]) - DARK) < 12


@pytest.mark.parametrize(
    ("turn_deg", "size", "dark_at", "bright_at"),
    [
        (0, (96, 64), (32, 8), (32, 88)),
        (90, (64, 96), (88, 32), (8, 32)),  # counterclockwise: what was left is at the bottom
        (-90, (64, 96), (8, 32), (88, 32)),
        (180, (96, 64), (32, 88), (32, 8)),
    ],
)
def test_a_turned_recording_stands_upright(tmp_path, opened, turn_deg, size, dark_at, bright_at):
    source = opened(encode(tmp_path / "turned.mp4", half_and_half(96, 64), turn_deg=turn_deg))

    picture = source.read()
    shown = picture.bgra()

    assert (picture.width_px, picture.height_px) == size
    assert (source.info.width_px, source.info.height_px) == size
    assert shown.shape[:2] == size[::-1]
    assert is_dark(shown[dark_at])
    assert not is_dark(shown[bright_at])


MATRICES = {  # of the track header: x' = a x + c y, y' = b x + d y; what is to be shown of the stored picture
    "as stored": ((1, 0, 0, 1), lambda stored: stored),
    "mirrored": ((-1, 0, 0, 1), lambda stored: stored[:, ::-1]),
    "upside down": ((1, 0, 0, -1), lambda stored: stored[::-1]),
    "turned by 180": ((-1, 0, 0, -1), lambda stored: stored[::-1, ::-1]),
    "transposed": ((0, 1, 1, 0), lambda stored: stored.swapaxes(0, 1)),
    "turned clockwise": ((0, 1, -1, 0), lambda stored: stored.swapaxes(0, 1)[:, ::-1]),
    "turned counterclockwise": ((0, -1, 1, 0), lambda stored: stored.swapaxes(0, 1)[::-1]),
    "transposed and turned": ((0, -1, -1, 0), lambda stored: stored.swapaxes(0, 1)[::-1, ::-1]),
}


@pytest.mark.parametrize("name", MATRICES)
def test_a_display_matrix_turns_and_mirrors_exactly(tmp_path, opened, name):
    stored = half_and_half(96, 64)
    stored[:20, :30] = 160
    path = encode(tmp_path / "stored.mp4", stored)
    data, ((a, b, c, d), shown) = bytearray(path.read_bytes()), MATRICES[name]
    place = data.index(b"tkhd") + 44
    data[place : place + 36] = np.array(
        [a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30], ">i4"
    ).tobytes()
    (tmp_path / "shown.mp4").write_bytes(data)

    picture, before = opened(tmp_path / "shown.mp4").read(), opened(path).read()

    assert np.array_equal(picture.bgra(), shown(before.bgra()))
    assert np.array_equal(
        picture.rgb(Size(picture.width_px, picture.height_px)), shown(before.rgb(Size(96, 64)))
    )
    assert opened(tmp_path / "shown.mp4").info.width_px == picture.bgra().shape[1]


def test_the_track_that_the_file_marks_as_its_default_is_shown(tmp_path, opened):
    path = tmp_path / "two.mkv"
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("mpeg4", rate=25) for _ in range(2)]
        for stream, (width, height) in zip(streams, ((96, 64), (160, 128)), strict=True):
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        streams[0].disposition = av.stream.Disposition(0)
        streams[1].disposition = av.stream.Disposition.default
        for number in range(10):
            for stream in streams:
                frame = VideoFrame.from_ndarray(half_and_half(stream.width, stream.height), format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, 25)
                container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode())

    assert opened(path).info.width_px == 160


def test_a_turned_recording_is_turned_for_the_network_too(tmp_path, opened):
    picture = opened(encode(tmp_path / "turned.mp4", half_and_half(96, 64), turn_deg=90)).read()

    network = picture.rgb(Size(20, 30))

    assert network.shape == (30, 20, 3)
    assert is_dark(network[27, 10])
    assert not is_dark(network[3, 10])


@pytest.mark.parametrize("width_px", [96, 98, 130, 250])
def test_lines_are_packed_whatever_the_width(tmp_path, opened, width_px):
    shown = opened(encode(tmp_path / "narrow.mp4", half_and_half(width_px, 64))).read().bgra()

    assert shown.shape == (64, width_px, 4)
    assert shown.flags.c_contiguous
    assert not shown.flags.writeable
    assert is_dark(shown[32, 4])
    assert not is_dark(shown[32, width_px - 4])


def test_a_stream_may_change_its_size(tmp_path, opened):
    small = encode(tmp_path / "small.h264", half_and_half(96, 64))
    large = encode(tmp_path / "large.h264", half_and_half(160, 128))
    (tmp_path / "both.h264").write_bytes(small.read_bytes() + large.read_bytes())
    source = opened(tmp_path / "both.h264")

    sizes = []
    while (picture := source.read()) is not None:
        shown = picture.bgra()
        sizes.append((picture.width_px, picture.height_px))
        assert shown.shape[:2] == (picture.height_px, picture.width_px)
        assert picture.rgb(Size(32, 32)).shape == (32, 32, 3)

    assert sizes == [(96, 64)] * 5 + [(160, 128)] * 5


def test_pixels_that_are_not_square_are_said(tmp_path, opened):
    source = opened(encode(tmp_path / "wide.mp4", half_and_half(96, 64), aspect=Fraction(12, 11)))

    assert source.info.pixel_aspect == pytest.approx(12 / 11)


@pytest.mark.parametrize(
    ("options", "interlaced"), [({}, False), ({"x264-params": "interlaced=1:tff=1"}, True)]
)
def test_interlaced_recordings_are_said(tmp_path, opened, options, interlaced):
    assert (
        opened(encode(tmp_path / "woven.mp4", half_and_half(96, 64), options=options)).info.interlaced
        is interlaced
    )


def test_the_networks_picture_is_no_darker_than_the_screens(tmp_path, opened):
    rng = np.random.default_rng(0)
    textured = cv2.resize(
        rng.integers(30, 220, (27, 48, 3), np.uint8), (960, 540), interpolation=cv2.INTER_CUBIC
    )
    picture = opened(encode(tmp_path / "texture.mp4", textured)).read()

    network = picture.rgb(Size(352, 352)).astype(float)

    shown = np.ascontiguousarray(picture.bgra()[..., 2::-1])
    shrunk = cv2.resize(shown, (352, 352), interpolation=cv2.INTER_AREA).astype(float)
    assert abs((network - shrunk).mean()) < 1.5
    assert np.abs(network - shrunk).mean() < 2.5
