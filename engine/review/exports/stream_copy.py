"""A part of a video into an MP4 without decoding it: from a keyframe on, where nothing else is needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
from av.bitstream import BitStreamFilterContext

# Units of the bit stream with words of whoever encoded it; the picture needs none of them.
WITHOUT_WORDS = {"h264": "filter_units=remove_types=6", "hevc": "filter_units=remove_types=39-40"}
NEAR_S = 1e-4  # times are kept as seconds, and ticks are longer


# No name and version of a program.
OPTIONS = {"fflags": "+bitexact", "movflags": "+faststart"}


def copy(source: Path, target: Path, times_s: tuple[float, ...]) -> bool:
    """The frames of these times (of the file, in order) as they are, each with the time that it had. False,
    and nothing is written, where that is not all that would come: the codec is one whose words cannot be
    taken out, the first frame is none to begin with, or one of them refers to a frame that is left out.

    Raises OSError, and av.FFmpegError for a file that cannot be written.
    """
    with av.open(str(source)) as given:
        stream = given.streams.video[0]
        words = WITHOUT_WORDS.get(stream.codec_context.name)
        span = None if words is None else _span(given, stream, times_s)
    if words is None or span is None:
        return False
    first, last = span
    with (
        av.open(str(source)) as given,
        av.open(str(target), "w", format="mp4", options=OPTIONS) as made,
    ):
        stream = given.streams.video[0]
        into = made.add_stream_from_template(stream)
        into.time_base = stream.time_base
        into.metadata.clear()
        clean = BitStreamFilterContext(words, stream)
        for number, packet in enumerate(_packets(given, stream)):
            if first <= number <= last:
                for one in clean.filter(packet):
                    one.stream = into
                    made.mux(one)
        for one in clean.filter(None):
            one.stream = into
            made.mux(one)
    return True


def _packets(container: Any, stream: Any) -> Any:
    return (packet for packet in container.demux(stream) if packet.dts is not None and packet.size)


def _span(container: Any, stream: Any, times_s: tuple[float, ...]) -> tuple[int, int] | None:
    """First and last packet, in the order of decoding, that are exactly these frames."""
    first_s, last_s = times_s[0] - NEAR_S, times_s[-1] + NEAR_S
    begin, count = None, 0
    for number, packet in enumerate(_packets(container, stream)):
        if packet.pts is None:
            return None
        pts_s = float(packet.pts * packet.time_base)
        inside = first_s <= pts_s <= last_s
        if begin is None:
            if not inside:
                continue
            if not packet.is_keyframe or abs(pts_s - times_s[0]) > NEAR_S:
                return None
            begin = number
        if not inside:
            return None  # shown outside of the part, and perhaps needed inside
        count += 1
        if count == len(times_s):
            return begin, number
    return None
