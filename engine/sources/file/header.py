"""What the header of a recording says: how long, how many frames, at what rate; where it can be believed."""

from __future__ import annotations

from fractions import Fraction

from av.container import InputContainer
from av.video.stream import VideoStream

_SANE_RATE_HZ = 300
# Formats whose header holds a duration of its own; elsewhere FFmpeg guesses one from the file's end or size.
_OWN_DURATION = frozenset({"mov", "matroska", "flv", "asf", "avi", "mxf"})
_OWN_COUNT = frozenset({"mov", "avi"})


def header_end_s(container: InputContainer) -> float | None:
    """When the header says that the file ends; None in formats whose header does not say."""
    if _OWN_DURATION.isdisjoint(container.format.name.split(",")) or not container.duration:
        return None
    return (container.duration + max(0, container.start_time or 0)) / 1e6


def header_frames(container: InputContainer, stream: VideoStream) -> int:
    """How many frames the header says that there are; 0 when it does not say."""
    return 0 if _OWN_COUNT.isdisjoint(container.format.name.split(",")) else stream.frames


def sane_rate_hz(stream: VideoStream) -> float | None:
    """What the header says; None where it says nothing, or nonsense (MPEG-TS: 90,000)."""
    return sane_hz(stream.average_rate) or sane_hz(stream.guessed_rate)


def sane_hz(rate: Fraction | None) -> float | None:
    """`rate`, or None where it is nonsense."""
    return float(rate) if rate and 0 < rate <= _SANE_RATE_HZ else None
