"""A picture that is gone is told, and one that never was is not."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest

from engine.faults import FaultError
from engine.sources import open_source
from engine.sources.base import SourceOptions, SourceSpec
from engine.sources.file.promise import Promise
from tests.fixtures.clips import Clip, constant, write
from tests.fixtures.damage import packets_of

PACKET_BYTES = 188


def read_through(path: Path, throughput: bool = True) -> tuple[list[int], FaultError | None]:
    source = open_source(SourceSpec("file", str(path)), SourceOptions(throughput=throughput))
    ranks: list[int] = []
    try:
        while (picture := source.read()) is not None:
            ranks.append(picture.index)
    except FaultError as fault:
        return ranks, fault
    finally:
        source.close()
    return ranks, None


def starts_of_pictures(data: bytes, pid: int = 0x100) -> list[int]:
    """Where a picture's first packet lies in a transport stream."""
    return [
        at
        for at in range(0, len(data), PACKET_BYTES)
        if data[at + 1] & 0x40 and (data[at + 1] & 0x1F) << 8 | data[at + 2] == pid
    ]


def head_lost(data: bytearray, at: int) -> None:
    data[at + 2] ^= 0x20  # another PID


def start_zeroed(data: bytearray, at: int) -> None:
    start = at + 4 + (data[at + 4] + 1 if data[at + 3] & 0x20 else 0)
    start += 9 + data[start + 8]  # behind the head of the picture
    data[start : at + PACKET_BYTES] = bytes(at + PACKET_BYTES - start)


def head_no_head(data: bytearray, at: int) -> None:
    start = at + 4 + (data[at + 4] + 1 if data[at + 3] & 0x20 else 0)
    data[start] = 0x55


@pytest.mark.parametrize("codec", ["libx264", "mpeg2video"])
@pytest.mark.parametrize(
    ("damage", "number"), [(head_lost, 17), (start_zeroed, 17), (head_no_head, 17), (start_zeroed, 59)]
)
def test_a_picture_lost_in_a_transport_stream_is_told(tmp_path, codec, damage, number):
    path = write(Clip("whole.ts", constant(60), codec=codec, time_base=Fraction(1, 25)), tmp_path)
    data = bytearray(path.read_bytes())
    damage(data, starts_of_pictures(data)[number])
    path.write_bytes(data)

    ranks, fault = read_through(path)

    assert len(ranks) < 60
    assert fault is not None
    assert fault.lost_frames >= 1


@pytest.mark.parametrize("left_out", [(17,), (17, 18, 40)])
def test_a_picture_that_the_recorder_left_out_is_none_that_is_lost(tmp_path, left_out):
    times = tuple(at for number, at in enumerate(constant(60)) if number not in left_out)
    path = write(Clip("dropped.ts", times), tmp_path)

    ranks, fault = read_through(path)

    assert ranks == list(range(60 - len(left_out)))
    assert fault is None


def test_what_an_edit_list_cuts_off_is_not_missing(tmp_path):
    whole = write(Clip("whole.mp4", constant(60), gop=10), tmp_path)
    path = tmp_path / "edited.mp4"
    with av.open(str(whole)) as old, av.open(str(path), "w") as new:
        track = new.add_stream_from_template(old.streams.video[0])
        first_s = 13 / 25
        shift = round(first_s / float(old.streams.video[0].time_base))
        for packet in old.demux(video=0):
            if packet.size and packet.pts is not None and packet.pts >= round(shift * 10 / 13):
                packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
                packet.stream = track
                new.mux(packet)

    ranks, fault = read_through(path)

    assert 40 <= len(ranks) < 50
    assert fault is None


def test_time_stamps_that_an_avi_lacks_and_ffmpeg_guesses_lose_no_picture_at_the_end():
    promise = Promise(strict=True)
    for pts in (*range(58), 59, 60):
        promise.packet(pts, is_key=pts % 10 == 0, size_bytes=100)

    ranks = [promise.frame(pts) for pts in (*range(58), 60, 59)]

    assert ranks == [*range(58), None, None]
    assert promise.missing(given=60) == 0


def test_a_picture_lost_among_b_frames_of_an_avi_is_told(tmp_path):
    path = write(Clip("b.avi", constant(60), codec="mpeg2video", gop=10, time_base=Fraction(1, 25)), tmp_path)
    place, size = packets_of(path)[5]
    data = bytearray(path.read_bytes())
    data[place : place + size] = bytes(size)
    path.write_bytes(data)

    ranks, fault = read_through(path)

    assert len(ranks) == 59
    assert fault is not None
    assert fault.lost_frames == 1


def test_a_title_in_no_encoding_is_passed_over(tmp_path):
    path = write(Clip("titled.mp4", constant(10)), tmp_path)
    data = path.read_bytes()
    assert b"Lavf" in data
    path.write_bytes(data.replace(b"Lavf", b"La\xfff"))

    ranks, fault = read_through(path)

    assert (len(ranks), fault) == (10, None)
