"""An H.264 picture that is missing is told by the next one; one that nobody refers to is missed by nobody."""

from __future__ import annotations

import io

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame

from engine.sources.live.frame_numbers import FrameNumbers

KINDS = {
    "one reference": {"tune": "zerolatency", "g": "30"},
    "B-frames": {"bf": "3", "g": "25"},
    "pyramid, open": {"x264-params": "b-pyramid=normal:bframes=5:ref=5:open-gop=1:keyint=20"},
    "slices": {"x264-params": "slices=4:bframes=0:ref=4:keyint=40"},
    "fields": {"x264-params": "interlaced=1:keyint=40"},
    "no keyframes": {"x264-params": "intra-refresh=1:bframes=0"},
    "scaling lists": {"x264-params": "cqm=jvt"},
    "baseline": {"profile": "baseline"},
    "high422": {"profile": "high422"},
    "high444": {"profile": "high444"},
}
PIXELS = {"high422": "yuv422p10le", "high444": "yuv444p"}
NAL_REFERENCE, SLICE = 0x60, 1


def packets(kind: str, count: int = 60) -> list[bytes]:
    made = []
    noise = np.random.default_rng(0).integers(0, 255, (12, 16, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    with av.open(io.BytesIO(), "w", format="h264") as container:
        stream = container.add_stream("libx264", rate=30, options={"preset": "veryfast"} | KINDS[kind])
        stream.width, stream.height, stream.pix_fmt = 128, 96, PIXELS.get(kind, "yuv420p")
        for number in range(count):
            frame = VideoFrame.from_ndarray(np.roll(noise, 3 * number, 1), format="rgb24")
            made += [bytes(packet) for packet in stream.encode(frame)]
        made += [bytes(packet) for packet in stream.encode()]
    return made


def told(sent: list[bytes]) -> list[int]:
    numbers = FrameNumbers(None)
    return [place for place, packet in enumerate(sent) if numbers.misses_one(packet)]


def types_of(packet: bytes) -> list[int]:
    return [part[0] for part in packet.split(b"\x00\x00\x01")[1:]]


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_that_is_whole_misses_nothing_and_a_lost_reference_is_told_by_the_next_picture(kind):
    sent = packets(kind)
    references = [
        place
        for place, packet in enumerate(sent[:-1])
        if any(unit & 0x1F == SLICE and unit & NAL_REFERENCE for unit in types_of(packet))
        and not any(unit & 0x1F == 5 for unit in types_of(sent[place + 1]))  # it begins anew anyway
    ]

    assert told(sent) == []
    assert len(references) > 10
    for place in references[::3]:
        assert told(sent[:place] + sent[place + 1 :])[:1] == [place], place


def test_a_lost_picture_that_no_other_refers_to_is_not_missed():
    sent = packets("B-frames")
    apart = [
        place for place, packet in enumerate(sent) if not any(u & NAL_REFERENCE for u in types_of(packet))
    ]

    assert len(apart) > 10
    assert told(sent[: apart[5]] + sent[apart[5] + 1 :]) == []


@pytest.mark.parametrize("length", [0, 1, 3, 4, 5, 6, 9])
def test_what_is_cut_off_tells_nothing(length):
    sent = packets("one reference", count=3)

    numbers = FrameNumbers(sent[0][:30])
    assert numbers.misses_one(sent[1][:length]) is False


def test_a_sequence_whose_numbers_may_have_gaps_is_believed(monkeypatch):
    from engine.sources.live import frame_numbers

    sent = packets("one reference")
    real = frame_numbers.numbering_of
    monkeypatch.setattr(
        frame_numbers, "numbering_of", lambda unit: frame_numbers.Numbering(real(unit).bits, True, False)
    )

    assert told(sent[:10] + sent[11:]) == []
