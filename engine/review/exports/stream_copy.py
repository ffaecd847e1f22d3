"""A part of a video into an MP4 without decoding it: from a keyframe on, where nothing else is needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import av
from av.bitstream import BitStreamFilterContext

# Units of the bit stream with words of whoever encoded it; the picture needs none of them.
WITHOUT_WORDS = {"h264": "filter_units=remove_types=6", "hevc": "filter_units=remove_types=39-40"}
LENGTH_AT = {"h264": 4, "hevc": 21}  # in the header: how many bytes a unit's length has, less one
HEVC_ARRAYS = 22  # in the header: how many arrays of units follow
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
        if words is not None and _has_words_in_front(stream.codec_context):
            return False
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
        clean = _cleaned(stream, words)
        for number, packet in enumerate(_packets(given, stream)):
            if first <= number <= last:
                for one in clean(packet):
                    one.stream = into
                    made.mux(one)
        for one in clean(None):
            one.stream = into
            made.mux(one)
    return True


def _cleaned(stream: Any, words: str) -> Callable[[av.Packet[Any] | None], Sequence[av.Packet[Any]]]:
    """What takes an encoder's words out of a packet; None: there is no more."""
    codec = stream.codec_context
    if not _is_by_lengths(codec):
        return BitStreamFilterContext(words, stream).filter
    # FFmpeg's filter would give start codes, and the file's header goes on saying that there are lengths.
    prefix = (codec.extradata[LENGTH_AT[codec.name]] & 3) + 1

    def clean(packet: av.Packet[Any] | None) -> Sequence[av.Packet[Any]]:
        return () if packet is None else (_without_words(packet, codec.name, prefix),)

    return clean


def _is_by_lengths(codec: Any) -> bool:
    """Units have their length in front (MP4, MKV), not a start code (TS, AVI)."""
    return bool(codec.extradata) and codec.extradata[0] == 1


def _without_words(packet: av.Packet[Any], codec: str, prefix: int) -> av.Packet[Any]:
    data, kept, at = bytes(packet), [], 0
    while at + prefix < len(data):
        end = at + prefix + int.from_bytes(data[at : at + prefix], "big")
        if not _is_words(codec, data[at + prefix]):
            kept.append(data[at:end])
        at = end
    clean = b"".join(kept)
    if len(clean) == len(data):
        return packet
    one = av.Packet(clean)
    one.pts, one.dts, one.duration, one.time_base = packet.pts, packet.dts, packet.duration, packet.time_base
    one.is_keyframe = packet.is_keyframe
    return one


def _is_words(codec: str, first_byte: int) -> bool:
    """Whether a unit is SEI, by its first byte (ITU-T H.264 7.3.1, H.265 7.3.1.2)."""
    return first_byte & 31 == 6 if codec == "h264" else first_byte >> 1 & 63 in (39, 40)


def _has_words_in_front(codec: Any) -> bool:
    """Whether they stand in the header, too, where HEVC may have any unit (ISO/IEC 14496-15 8.3.2.1)."""
    data = codec.extradata or b""
    if codec.name != "hevc" or not _is_by_lengths(codec):
        return False
    at = HEVC_ARRAYS + 1
    for _ in range(data[HEVC_ARRAYS]):
        if data[at] & 63 in (39, 40):
            return True
        count, at = int.from_bytes(data[at + 1 : at + 3], "big"), at + 3
        for _ in range(count):
            at += 2 + int.from_bytes(data[at : at + 2], "big")
    return False


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
