"""Clips to measure with: the demonstration at a chosen rate and bit rate."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from fractions import Fraction
from importlib import resources
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from engine.types import U8

I16 = npt.NDArray[np.int16]

_NOISES = 7  # a prime: the pattern does not lock to the key frames
_BT709, _LIMITED = 1, 1


def demo_clip(
    path: Path, *, rate_hz: int, duration_s: float, bit_rate: int | None = None, live: bool = False
) -> Path:
    """The bundled demonstration as an endoscopy processor would put it into 1920x1080, and return its path.

    Enlarged between black sides, under sensor noise, H.264 at 10 Mb/s (12 at 60 Hz); its frames are shown one
    after the other at `rate_hz` and start anew at their end. `live`: as an encoder sends it that holds no
    picture back, with a keyframe every second. Raises OSError and av.FFmpegError.
    """
    width_px, height_px = 1920, 1080
    rng = np.random.default_rng(7)
    with av.open(str(resources.files("assets") / "demo" / "demo.mp4")) as container:
        small = [frame.reformat(format="yuv420p") for frame in container.decode(video=0)]
    inner_px = small[0].width * height_px // small[0].height // 4 * 4
    left = (width_px - inner_px) // 4 * 2
    noises = [
        rng.normal(0, 3, (height_px, inner_px)).astype(np.int8).astype(np.int16) for _ in range(_NOISES)
    ]

    def planes() -> Iterator[tuple[U8, U8, U8]]:
        for number in range(round(rate_hz * duration_s)):
            frame = small[number % len(small)].reformat(inner_px, height_px, interpolation="BICUBIC")
            luma, chroma_b, chroma_r = (_plane(frame, index) for index in range(3))
            yield (
                _framed(_noisy(luma, noises[number % _NOISES]), width_px, left, 16),
                _framed(chroma_b, width_px // 2, left // 2, 128),
                _framed(chroma_r, width_px // 2, left // 2, 128),
            )

    bit_rate = bit_rate or (12_000_000 if rate_hz > 30 else 10_000_000)
    return _encode(path, planes(), rate_hz, bit_rate, live=live)


def repeat_clip(clip: Path, path: Path, *, times: int) -> Path:
    """`clip` joined to itself without encoding it again, and return `path`: hours for the soak in seconds."""
    with av.open(str(path), "w") as output:
        target = None
        for stream, packet in repeated_packets(clip, times):
            packet.stream = target = target or output.add_stream_from_template(stream)
            output.mux(packet)
    return path


def repeated_packets(clip: Path, times: int | None) -> Iterator[tuple[VideoStream, Packet[VideoStream]]]:
    """The packets of `clip` with their stream, `times` over (None: for ever), time stamps going on.

    Raises OSError and av.FFmpegError.
    """
    offset = 0
    for _ in itertools.count() if times is None else range(times):
        with av.open(str(clip)) as source:
            stream = source.streams.video[0]
            end = 0
            for packet in source.demux(stream):
                if packet.pts is None or packet.dts is None:
                    continue
                end = max(end, packet.pts + (packet.duration or 0))
                packet.pts, packet.dts = packet.pts + offset, packet.dts + offset
                yield stream, packet
            offset += end


def _encode(
    path: Path, pictures: Iterator[tuple[U8, U8, U8]], rate_hz: int, bit_rate: int, *, live: bool = False
) -> Path:
    """Y, Cb, Cr planes as H.264 High, BT.709 limited: B-frames, a keyframe every two seconds; or live."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate_hz)
        context = stream.codec_context
        context.bit_rate = bit_rate
        context.gop_size, context.max_b_frames = (rate_hz, 0) if live else (rate_hz * 2, 2)
        context.colorspace, context.color_range = _BT709, _LIMITED
        context.options = {
            "preset": "veryfast",
            "profile": "high",
            "maxrate": str(bit_rate),
            "bufsize": str(bit_rate),
            **({"tune": "zerolatency"} if live else {}),
        }
        for number, planes in enumerate(pictures):
            height_px, width_px = planes[0].shape
            if number == 0:
                stream.width, stream.height, stream.pix_fmt = width_px, height_px, "yuv420p"
            flat = np.concatenate([plane.reshape(-1) for plane in planes])
            frame = VideoFrame.from_ndarray(flat.reshape(height_px * 3 // 2, width_px), format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, rate_hz)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def _noisy(luma: U8, noise: I16) -> U8:
    return np.clip(cv2.add(luma.astype(np.int16), noise), 16, 235).astype(np.uint8)


def _plane(frame: VideoFrame, index: int) -> U8:
    """One plane without the padding at the ends of its lines."""
    plane = frame.planes[index]
    lines = np.asarray(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
    return np.asarray(lines[:, : plane.width], np.uint8)


def _framed(plane: U8, width_px: int, left: int, value: int) -> U8:
    wide = np.full((plane.shape[0], width_px), value, np.uint8)
    wide[:, left : left + plane.shape[1]] = plane
    return wide
