"""Frames that a recording promises and does not give: gaps in the numbers, told once, the same everywhere."""

from __future__ import annotations

import contextlib
import os
from fractions import Fraction

import pytest

from engine.faults import FaultCode, FaultError
from engine.sources import open_source, parse_source
from engine.sources.base import SourceOptions
from tests.fixtures.clips import CLIPS, Clip, constant, number_in, write
from tests.fixtures.damage import break_length, packets_of, zero_packet

RATE_HZ = 25
FRAMES = 50
X265 = {"x265-params": "log-level=none"}
CODED = {
    "h264.mp4": Clip("h264.mp4", constant(FRAMES), gop=12),
    "h264.mkv": Clip("h264.mkv", constant(FRAMES), gop=12),
    "h264.ts": Clip("h264.ts", constant(FRAMES), gop=12),
    "hevc.mp4": Clip("hevc.mp4", constant(FRAMES), codec="libx265", codec_options=X265),
    "mpeg4.mp4": Clip("mpeg4.mp4", constant(FRAMES), codec="mpeg4", time_base=Fraction(1, RATE_HZ)),
    "mpeg2.mkv": Clip("mpeg2.mkv", constant(FRAMES), codec="mpeg2video", time_base=Fraction(1, RATE_HZ)),
    "vp9.mkv": Clip("vp9.mkv", constant(FRAMES), codec="libvpx-vp9", codec_options={"deadline": "realtime"}),
}


@pytest.fixture
def read(tmp_path):
    """(index, time stamp, picture) of every frame, and the faults, of a path."""

    def read_all(path, *, throughput=False, meanwhile=None):
        source = open_source(parse_source(str(path)), SourceOptions(throughput=throughput))
        frames, faults = [], []
        try:
            while True:
                try:
                    picture = source.read()
                except FaultError as error:
                    faults.append(error)
                    continue
                if picture is None:
                    return frames, faults
                frames.append((picture.index, picture.pts_s, picture.bgra()))
                if meanwhile and len(frames) == 5:
                    meanwhile()
        finally:
            source.close()

    return read_all


def indices(frames):
    return [index for index, *_ in frames]


@pytest.mark.parametrize("name", ["h264.mp4", "h264.mkv", "hevc.mp4", "mpeg4.mp4", "mpeg2.mkv", "vp9.mkv"])
@pytest.mark.parametrize("throughput", [False, True], ids=["as the window", "as analyse"])
def test_a_packet_of_zeros_leaves_gaps_and_its_frames_are_counted(read, tmp_path, name, throughput):
    damaged = zero_packet(write(CODED[name], tmp_path), 20, tmp_path / f"damaged-{name}")

    frames, (fault,) = read(damaged, throughput=throughput)

    assert indices(frames) == [round(pts_s * RATE_HZ) for _, pts_s, _ in frames]
    missing = sorted(set(range(FRAMES)) - set(indices(frames)))
    assert missing
    assert fault.lost_frames == len(missing)
    assert not fault.harmless
    assert f"{len(missing)} of its {FRAMES} frames" in str(fault)
    assert f"frame {missing[0]}" in str(fault)


@pytest.mark.parametrize("name", ["h264.mp4", "hevc.mp4"])
@pytest.mark.parametrize("number", [0, 3, 17, FRAMES - 2])
def test_window_and_analyse_give_the_same_frames_the_same_numbers(read, tmp_path, name, number):
    damaged = break_length(write(CODED[name], tmp_path), number, tmp_path / f"damaged-{name}")

    window, window_faults = read(damaged)
    analysed, analysed_faults = read(damaged, throughput=True)

    assert [frame[:2] for frame in window] == [frame[:2] for frame in analysed]
    assert list(map(str, window_faults)) == list(map(str, analysed_faults))
    assert len(window) + window_faults[0].lost_frames == FRAMES


def test_a_picture_that_comes_behind_its_successors_takes_none_of_their_ranks(read, tmp_path):
    damaged = break_length(write(CLIPS["short_gop.mp4"], tmp_path), 20, tmp_path / "damaged.mp4")
    times_ms = CLIPS["short_gop.mp4"].times_ms

    frames, (fault,) = read(damaged)

    assert {rank: round(pts_s * 1000) for rank, pts_s, _ in frames} == {
        rank: times_ms[rank] for rank, _, _ in frames
    }
    assert len(frames) + fault.lost_frames == len(times_ms)


def test_hevc_goes_on_behind_a_damaged_packet_instead_of_waiting_for_a_keyframe(read, tmp_path):
    damaged = break_length(write(CODED["hevc.mp4"], tmp_path), 20, tmp_path / "damaged.mp4")

    frames, (fault,) = read(damaged)

    assert len(frames) > FRAMES - 5
    assert indices(frames)[-1] == FRAMES - 1
    assert "of its pictures are damaged" in fault.said
    assert "breaks off" not in fault.said


def test_pictures_that_refer_to_a_lost_one_say_so_and_those_of_a_whole_file_do_not(tmp_path):
    whole = write(CODED["hevc.mp4"], tmp_path)
    told = {}
    for path in (whole, break_length(whole, 20, tmp_path / "damaged.mp4")):
        source, told[path.name] = open_source(parse_source(str(path))), set()
        with contextlib.suppress(FaultError):
            while (picture := source.read()) is not None:
                told[path.name] |= {picture.index} if picture.damaged else set()
        source.close()

    assert told["hevc.mp4"] == set()
    assert 24 in told["damaged.mp4"]
    assert told["damaged.mp4"] < set(range(15, 25)), "the next keyframe is whole again"


def test_a_seek_lands_on_the_number_that_playing_gave(read, tmp_path):
    damaged = zero_packet(write(CODED["h264.mp4"], tmp_path), 20, tmp_path / "damaged.mp4")
    frames, _ = read(damaged)
    source = open_source(parse_source(str(damaged)))

    for index, pts_s, picture in frames[10:40:3]:
        source.seek(index)
        found = source.read()
        assert (found.index, found.pts_s) == (index, pts_s)
        assert (found.bgra() == picture).all()
    source.close()


@pytest.mark.parametrize("throughput", [False, True])
def test_a_file_that_is_cut_while_it_is_read_is_not_complete(read, tmp_path, throughput):
    path = write(Clip("long.mp4", constant(400), b_frames=0), tmp_path)

    frames, faults = read(
        path, throughput=throughput, meanwhile=lambda: os.truncate(path, path.stat().st_size // 2)
    )

    assert len(frames) + faults[-1].lost_frames == 400 or "changed by another program" in str(faults[-1])
    assert not faults[-1].harmless


def test_a_file_that_is_overwritten_while_it_is_read_is_not_complete(read, tmp_path):
    path = write(CODED["h264.mp4"], tmp_path)

    def overwrite():
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2] + bytes(len(data) - len(data) // 2))

    _, (fault,) = read(path, meanwhile=overwrite)

    assert "changed by another program" in str(fault)


@pytest.mark.parametrize(
    ("name", "codec"),
    [("cut.flv", "flv"), ("cut.mxf", "mpeg2video"), ("cut.wmv", "wmv2"), ("cut.asf", "wmv2")],
)
@pytest.mark.parametrize("share", [0.45, 0.8])
def test_what_ends_before_its_headers_duration_is_not_complete(read, tmp_path, name, codec, share):
    whole = write(Clip(name, constant(FRAMES), codec=codec, b_frames=0, time_base=Fraction(1, 25)), tmp_path)
    assert read(whole)[1] == []
    whole.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * share)])

    frames, (fault,) = read(whole)

    assert fault.code is FaultCode.SOURCE_TRUNCATED
    assert not fault.harmless
    assert len(frames) + fault.lost_frames == pytest.approx(FRAMES, abs=3)


def test_frame_seven_of_a_cut_mxf_is_the_same_by_playing_and_by_seeking(read, tmp_path):
    path = write(
        Clip("cut.mxf", constant(FRAMES), codec="mpeg2video", gop=4, time_base=Fraction(1, 25)), tmp_path
    )
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    source = open_source(parse_source(str(path)))

    for index in (7, 3, 12, 20):
        source.seek(0)
        while (played := source.read()).index != index:
            pass
        source.seek(0)
        source.read()
        source._cursor.clear()
        source.seek(index)
        assert number_in(source.read().bgra()) == number_in(played.bgra())
    source.close()


@pytest.mark.parametrize("junk", ["noise", "the end of another", "another from its start"])
def test_what_lies_behind_a_whole_mp4_takes_nothing_from_it(read, tmp_path, junk):
    path, other = write(CODED["h264.mp4"], tmp_path), write(CODED["hevc.mp4"], tmp_path).read_bytes()
    behind = {
        "noise": bytes(range(1, 255)) * 40,
        "the end of another": other[3000:],
        "another from its start": other[:-700],
    }[junk]
    path.write_bytes(path.read_bytes() + behind)

    frames, faults = read(path)

    assert indices(frames) == list(range(FRAMES))
    assert faults == []


@pytest.mark.parametrize("name", ["h264.mkv", "vp9.mkv", "mpeg2.mkv"])
def test_frames_whose_packets_are_gone_leave_holes_that_are_told(read, tmp_path, name):
    path = write(CODED[name], tmp_path)
    places = packets_of(path)
    data = bytearray(path.read_bytes())
    data[places[20][0] - 12 : places[24][0]] = bytes(places[24][0] - places[20][0] + 12)
    path.write_bytes(data)

    frames, (fault,) = read(path)

    assert len(frames) + fault.lost_frames == FRAMES


def test_a_recorder_that_drops_frames_writes_a_whole_file(read, tmp_path):
    times_ms = tuple(at_ms for number, at_ms in enumerate(constant(FRAMES)) if number not in (20, 21, 33))

    frames, faults = read(write(Clip("drops.mkv", times_ms), tmp_path))

    assert len(frames) == len(times_ms)
    assert faults == []


def test_an_avi_with_b_frames_whose_time_stamps_are_made_up_is_whole(read, tmp_path):
    clip = Clip("b.avi", constant(FRAMES), time_base=Fraction(1, RATE_HZ))

    frames, faults = read(write(clip, tmp_path))

    assert indices(frames) == list(range(FRAMES))
    assert faults == []


@pytest.mark.parametrize(("name", "codec"), [("a.h264", "libx264"), ("a.m2v", "mpeg2video")])
def test_a_file_that_promises_nothing_and_breaks_off_within_a_picture_is_not_complete(
    read, tmp_path, name, codec
):
    path = write(Clip(name, constant(FRAMES), codec=codec, b_frames=0, time_base=Fraction(1, 25)), tmp_path)
    assert read(path)[1] == []
    packets = packets_of(path)
    path.write_bytes(path.read_bytes()[: packets[30][0] + packets[30][1] * 2 // 3])

    _, (fault,) = read(path)

    assert fault.code is FaultCode.SOURCE_TRUNCATED
