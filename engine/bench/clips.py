"""Clips to measure with: a moving textured scene of a chosen size, rate and bit rate."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.frame import VideoFrame

from engine.types import U8

_NOISES = 7  # a prime: the pattern does not lock to the key frames
_BT709, _LIMITED = 1, 1


def moving_clip(
    path: Path,
    width_px: int = 1920,
    height_px: int = 1080,
    rate_hz: int = 30,
    seconds: float = 10.0,
    bit_rate: int = 10_000_000,
) -> Path:
    """Write an H.264 clip (High profile, B-frames, keyframe every two seconds) and return its path.

    The camera drifts over a reddish texture under sensor noise that never repeats: a decoder works as hard as
    on a recording of the same bit rate. Width and height are even; seeded, so every call writes the same
    pictures. Raises OSError and av.FFmpegError as the system says it.
    """
    rng = np.random.default_rng(7)
    luma, chroma_b, chroma_r = _texture(rng, width_px * 2, height_px * 2)
    noises = [
        rng.normal(0, 4, (height_px, width_px)).astype(np.int8).astype(np.int16) for _ in range(_NOISES)
    ]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate_hz)
        stream.width, stream.height, stream.pix_fmt = width_px, height_px, "yuv420p"
        context = stream.codec_context
        context.bit_rate = bit_rate
        context.gop_size, context.max_b_frames = rate_hz * 2, 2
        context.colorspace, context.color_range = _BT709, _LIMITED
        context.options = {
            "preset": "veryfast",
            "profile": "high",
            "maxrate": str(bit_rate),
            "bufsize": str(bit_rate),
        }
        for number in range(round(rate_hz * seconds)):
            x, y = _drift(number / rate_hz, width_px, height_px)
            window = np.s_[y : y + height_px, x : x + width_px]
            half = np.s_[y // 2 : (y + height_px) // 2, x // 2 : (x + width_px) // 2]
            noisy = cv2.add(luma[window].astype(np.int16), noises[number % _NOISES])
            planes = (np.clip(noisy, 16, 235).astype(np.uint8), chroma_b[half], chroma_r[half])
            flat = np.concatenate([plane.reshape(-1) for plane in planes])
            frame = VideoFrame.from_ndarray(flat.reshape(height_px * 3 // 2, width_px), format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, rate_hz)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def _texture(rng: np.random.Generator, width_px: int, height_px: int) -> tuple[U8, U8, U8]:
    """Y [H, W], Cb and Cr [H/2, W/2] of something like mucosa: large folds, small grain."""
    relief = np.zeros((height_px, width_px), np.float32)
    for cells, weight in ((6, 40.0), (24, 20.0), (96, 10.0), (384, 6.0)):
        coarse = rng.normal(0, 1, (max(2, cells * height_px // width_px), cells)).astype(np.float32)
        relief += weight * cv2.resize(coarse, (width_px, height_px), interpolation=cv2.INTER_CUBIC)
    small = cv2.resize(relief, (width_px // 2, height_px // 2), interpolation=cv2.INTER_AREA)
    return (
        np.clip(110 + relief, 16, 235).astype(np.uint8),
        np.clip(105 - small * 0.1, 16, 240).astype(np.uint8),
        np.clip(165 + small * 0.15, 16, 240).astype(np.uint8),
    )


def _drift(at_s: float, width_px: int, height_px: int) -> tuple[int, int]:
    """The window's upper left corner in the texture, even numbers."""
    x = width_px / 2 * (1 + 0.95 * np.sin(at_s * 0.7))
    y = height_px / 2 * (1 + 0.95 * np.sin(at_s * 0.9 + 1))
    return int(x) // 2 * 2, int(y) // 2 * 2
