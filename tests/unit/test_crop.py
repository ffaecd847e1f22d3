"""The network sees a part of the frame as it would see it cut out of the shown picture."""

import numpy as np
import pytest
from av.video.frame import VideoFrame

from engine.sources.crop import cropped
from engine.sources.picture import Converter, VideoPicture
from engine.types import Rect, Size

FORMATS = (
    "yuv420p",
    "yuvj422p",
    "yuv444p",
    "nv12",
    "yuyv422",
    "yuv420p10le",
    "p010le",
    "rgb24",
    "bgra",
    "gray",
    "gbrp",
)
BOX = Rect(34, 18, 128, 96)


def picture(width=250, height=162):
    y, x = np.mgrid[:height, :width]
    rgb = np.stack([40 + x * 0.8, 60 + y, 128 + 60 * np.sin(x / 17) * np.cos(y / 13)], 2)
    return rgb.clip(0, 255).astype(np.uint8)


def frame_of(name, **size):
    return VideoFrame.from_ndarray(picture(**size), "rgb24").reformat(format=name)


@pytest.mark.parametrize("name", FORMATS)
def test_a_part_has_the_pixels_that_the_frame_has_there(name):
    whole = frame_of(name)

    part = cropped(whole, BOX)

    assert part.format.name == name
    shown, cut = whole.to_ndarray(format="rgb24"), part.to_ndarray(format="rgb24")
    inner = np.s_[2:-2, 2:-2]  # chroma is interpolated across the cut
    assert (
        np.abs(shown[BOX.y : BOX.y + BOX.h, BOX.x : BOX.x + BOX.w][inner].astype(int) - cut[inner]).max() <= 2
    )


def test_a_palette_is_resolved_first():
    pixels = VideoFrame.from_ndarray(picture(), "rgb24").reformat(format="rgb8")  # 3, 3 and 2 bits
    part = cropped(pixels, BOX)

    assert np.array_equal(
        part.to_ndarray(format="rgb24"),
        pixels.to_ndarray(format="rgb24")[BOX.y : BOX.y + BOX.h, BOX.x : BOX.x + BOX.w],
    )


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("size", [Size(32, 32), Size(128, 96)])
def test_the_part_is_that_of_the_picture_as_it_is_shown(orientation, size):
    shown = VideoPicture(0, 0.0, 0.0, frame_of("yuv420p", width=240, height=240), Converter(), orientation)

    part = shown.rgb(size, BOX)

    down, across = BOX.h // size.height_px, BOX.w // size.width_px
    want = shown.bgra()[BOX.y : BOX.y + BOX.h, BOX.x : BOX.x + BOX.w, 2::-1].astype(float)
    want = want.reshape(size.height_px, down, size.width_px, across, 3).mean((1, 3))
    assert np.abs(part[1:-1, 1:-1] - want[1:-1, 1:-1]).max() < 6


def test_a_part_of_a_large_picture_is_halved_first_and_looks_alike():
    large = VideoPicture(0, 0.0, 0.0, frame_of("yuv420p", width=960, height=640), Converter())
    box = Rect(160, 80, 640, 480)

    part = large.rgb(Size(80, 60), box)

    want = large.bgra()[80:560, 160:800, 2::-1].reshape(60, 8, 80, 8, 3).mean((1, 3))
    assert np.abs(part - want).max() < 4
