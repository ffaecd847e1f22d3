"""The network's picture of a large frame, made in two steps."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from av.video.frame import VideoFrame

from engine.sources.picture import Converter
from engine.sources.shrink import halved
from engine.types import Size


def mucosa(width_px, height_px, pixels="yuv420p"):
    """A smooth reddish picture with small bright dots."""
    rng = np.random.default_rng(5)
    relief = cv2.resize(rng.uniform(0, 1, (9, 16, 3)), (width_px, height_px), interpolation=cv2.INTER_CUBIC)
    picture = np.clip((90, 40, 40) + relief * (150, 90, 70), 0, 255).astype(np.uint8)
    picture[::37, ::41] = 255
    return VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pixels, dst_colorspace=1)


def test_a_large_picture_shrinks_as_by_an_exact_area_filter():
    frame = mucosa(1920, 1080)
    exact = [
        cv2.resize(np.asarray(plane), (352, 352), interpolation=cv2.INTER_AREA).astype(np.float32)
        for plane in (frame.to_ndarray()[:1080], frame.to_ndarray()[1080:1350].reshape(540, 960))
    ]

    network = Converter("bt709 limited").rgb(frame, Size(352, 352)).astype(np.float32)

    luma = network @ np.array([0.2126, 0.7152, 0.0722], np.float32) * 219 / 255 + 16
    assert np.abs(luma - exact[0]).mean() < 0.5
    blue_difference = (network[..., 2] * 219 / 255 + 16 - luma) / 219 / 1.8556 * 224 + 128
    assert np.abs(blue_difference - exact[1]).mean() < 1.0


@pytest.mark.parametrize(
    ("frame", "size"),
    [
        (mucosa(640, 480), Size(352, 352)),
        (mucosa(1920, 1080, "nv12"), Size(352, 352)),
        (mucosa(1922, 1082), Size(352, 352)),
    ],
    ids=["too small", "not planar", "odd halves"],
)
def test_what_cannot_be_halved_is_left_to_the_filter(frame, size):
    assert halved(frame, size) is frame
