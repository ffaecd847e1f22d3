"""What every source of pictures promises, over a clip a container whose frames carry their number."""

from __future__ import annotations

import random
import threading

import cv2
import numpy as np
import pytest

from engine.faults import FaultCode, FaultError
from engine.sources import open_source, parse_source
from engine.sources.base import SourceOptions
from engine.types import Size
from tests.fixtures.clips import CLIPS, Clip, cut, cut_start, made, number_in, variable, write

TIMED = sorted(set(CLIPS) - {"untimed.avi", "raw.h264"})  # containers that keep the frames' own time stamps


@pytest.fixture
def opened(tmp_path_factory):
    """Opens a named clip, or a path; closes what it opened."""
    sources = []

    def open_clip(name, **options):
        path = made(name, tmp_path_factory) if name in CLIPS else name
        sources.append(open_source(parse_source(str(path)), SourceOptions(**options)))
        return sources[-1]

    yield open_clip
    for source in sources:
        source.close()


@pytest.fixture
def no_ring(monkeypatch):
    """The clips are so small that all their pictures would be kept, and no seek would touch the file."""
    monkeypatch.setattr("engine.sources.file.cursor.SEEK_RING_BYTES", 0)
    monkeypatch.setattr("engine.sources.file.cursor.PLAY_RING_BYTES", 0)


def pictures(source):
    while (picture := source.read()) is not None:
        yield picture


def read_all(source):
    """(rank, painted number) of every picture, the fault at the end if there was one."""
    seen, fault = [], None
    while True:
        try:
            picture = source.read()
        except FaultError as error:
            if fault is not None:
                pytest.fail(f"told twice: {error}")
            fault = error
            continue
        if picture is None:
            return seen, fault
        seen.append((picture.index, number_in(picture.bgra())))


@pytest.mark.parametrize("name", CLIPS)
@pytest.mark.parametrize("throughput", [False, True], ids=["slices", "frames"])
def test_every_picture_comes_once_and_in_order(opened, name, throughput):
    seen, fault = read_all(opened(name, throughput=throughput))

    assert fault is None
    assert seen == [(number, number) for number in range(len(CLIPS[name].times_ms))]


@pytest.mark.parametrize("name", TIMED)
def test_time_stamps_are_the_files_own(opened, name):
    times_s = np.array([picture.pts_s for picture in pictures(opened(name))])

    expected_s = np.array(CLIPS[name].times_ms) / 1000
    assert np.allclose(times_s - times_s[0], expected_s - expected_s[0], atol=0.0011)


@pytest.mark.parametrize("name", ["untimed.avi", "raw.h264"])
def test_wrong_or_missing_time_stamps_become_growing_ones(opened, name):
    times_s = [picture.pts_s for picture in pictures(opened(name))]

    assert np.all(np.diff(times_s) > 0)


@pytest.mark.parametrize("name", CLIPS)
def test_forty_random_seeks_hit_their_frame(opened, no_ring, name):
    source = opened(name)
    frames = len(CLIPS[name].times_ms)
    targets = random.Random(name).choices(range(frames), k=40)

    hits = []
    for target in targets:
        source.seek(target)
        picture = source.read()
        hits.append((picture.index, number_in(picture.bgra())))

    assert hits == [(target, target) for target in targets]


@pytest.mark.parametrize("name", CLIPS)
def test_after_a_seek_playing_goes_on_frame_by_frame(opened, no_ring, name):
    source = opened(name)
    source.seek(50)

    following = [number_in(source.read().bgra()) for _ in range(30)]

    assert following == list(range(50, 80))


@pytest.mark.parametrize("name", ["variable.mp4", "transport.ts", "one_gop.mp4"])
@pytest.mark.parametrize("ring", [0, 2**20], ids=["no-ring", "small-ring"])
def test_stepping_back_meets_every_frame(opened, monkeypatch, name, ring):
    monkeypatch.setattr("engine.sources.file.cursor.SEEK_RING_BYTES", ring)
    source = opened(name)

    met = []
    for target in range(60, 39, -1):
        source.seek(target)
        met.append(number_in(source.read().bgra()))

    assert met == list(range(60, 39, -1))


@pytest.mark.parametrize("name", CLIPS)
@pytest.mark.parametrize(("asked", "given"), [(-5, 0), (0, 0), (119, 119), (5000, 119)])
def test_a_seek_is_clamped_to_what_exists(opened, no_ring, name, asked, given):
    source = opened(name)
    source.seek(60)
    source.read()

    source.seek(asked)

    assert number_in(source.read().bgra()) == given


@pytest.mark.parametrize("name", ["transport.ts", "open_gop.ts", "variable.mkv"])
def test_after_a_jump_into_its_last_pictures_a_whole_file_ends_without_a_word_of_damage(opened, name):
    source = opened(name)
    source.seek(118)

    assert [picture.index for picture in pictures(source)] == [118, 119]


@pytest.mark.parametrize("name", CLIPS)
def test_after_the_end_a_seek_back_plays_again(opened, no_ring, name):
    source = opened(name)
    read_all(source)

    source.seek(30)

    assert number_in(source.read().bgra()) == 30


@pytest.mark.parametrize("name", CLIPS)
def test_index_at_is_the_frame_on_the_screen(opened, name):
    source = opened(name)
    times_s = [picture.pts_s for picture in pictures(source)]

    assert [source.index_at(at_s) for at_s in times_s] == list(range(len(times_s)))
    assert source.index_at((times_s[10] + times_s[11]) / 2) == 10
    assert source.index_at(times_s[0] - 1) == 0
    assert source.index_at(times_s[-1] + 100) == len(times_s) - 1


@pytest.mark.parametrize("name", CLIPS)
def test_info_knows_the_number_of_frames_once_indexed(opened, name):
    source = opened(name)

    source.index_at(0)

    assert source.info.frames == len(CLIPS[name].times_ms)
    assert source.info.seekable
    assert not source.info.live


def test_mean_rate_and_duration_are_counted_where_the_header_lies(opened):
    source = opened("variable.mkv")
    source.index_at(0)

    times_s = np.array(CLIPS["variable.mkv"].times_ms) / 1000
    assert source.info.rate_hz == pytest.approx(119 / (times_s[-1] - times_s[0]), rel=0.01)
    assert source.info.duration_s == pytest.approx(times_s[-1] * 120 / 119, rel=0.01)


@pytest.mark.parametrize("name", ["transport.ts", "open_gop.ts"])
def test_a_stream_joined_in_its_middle_counts_from_its_first_whole_picture(
    opened, no_ring, tmp_path_factory, tmp_path, name
):
    joined = cut_start(made(name, tmp_path_factory), 0.3, tmp_path / "joined.ts")
    source = opened(joined)
    seen, _ = read_all(source)
    first = seen[0][1]

    source.seek(seen[-1][0] // 2)

    assert seen == [(rank, first + rank) for rank in range(len(seen))]
    assert number_in(source.read().bgra()) == first + seen[-1][0] // 2


@pytest.mark.parametrize(
    ("name", "promise"),
    [
        ("fragmented.mp4", "promises"),
        ("variable.mkv", "promises"),
        ("transport.ts", "whole 188-byte packets"),
        ("packed.avi", "promises"),
    ],
)
def test_a_file_that_breaks_off_gives_every_picture_before_the_break_and_says_so_once(
    opened, tmp_path_factory, tmp_path, name, promise
):
    broken = cut(made(name, tmp_path_factory), 0.6, tmp_path / name)
    source = opened(broken)

    seen, fault = read_all(source)

    assert fault.code is FaultCode.SOURCE_TRUNCATED
    assert promise in fault.expected
    assert not fault.fatal
    assert len(seen) > 40
    assert seen[:-2] == [(number, number) for number in range(len(seen) - 2)]
    source.seek(0)
    assert read_all(source)[1] is None


@pytest.mark.parametrize("name", ["fragmented.mp4", "transport.ts", "packed.avi"])
@pytest.mark.parametrize("share", [0.5, 0.6, 0.7])
def test_no_half_decoded_picture_is_given_at_a_break(opened, tmp_path_factory, tmp_path, name, share):
    whole = {number: picture.bgra() for number, picture in enumerate(pictures(opened(name)))}
    source = opened(cut(made(name, tmp_path_factory), share, tmp_path / name))

    before_the_break = []
    with pytest.raises(FaultError):
        before_the_break.extend(pictures(source))

    assert len(before_the_break) > 15
    for picture in before_the_break:
        shown = picture.bgra()
        assert np.array_equal(shown, whole[number_in(shown)])


def test_an_mp4_with_its_index_in_front_plays_up_to_the_break(opened, tmp_path):
    front = Clip("front.mp4", variable(120), mux_options={"movflags": "faststart"})
    broken = cut(write(front, tmp_path), 0.6, tmp_path / "broken.mp4")

    seen, fault = read_all(opened(broken))

    assert fault.code is FaultCode.SOURCE_TRUNCATED
    # The last one or two were coded before pictures that are shown earlier and lie behind the break.
    assert seen[:-2] == [(number, number) for number in range(len(seen) - 2)]
    assert len(seen) > 60


def test_a_damaged_stretch_does_not_shift_what_comes_after_the_next_keyframe(
    opened, tmp_path_factory, tmp_path
):
    path = tmp_path / "damaged.mp4"
    data = bytearray(made("variable.mp4", tmp_path_factory).read_bytes())
    middle = len(data) * 45 // 100
    data[middle : middle + 700] = bytes(700)
    path.write_bytes(data)
    source = opened(path)

    seen, fault = read_all(source)

    assert source.damaged > 0
    assert fault.lost_frames == 120 - len(seen)
    assert seen[-40:] == [(number, number) for number in range(80, 120)]


def test_pixels_are_read_only_packed_and_a_buffer_of_their_own(opened):
    source = opened("variable.mp4")
    first, second = source.read(), source.read()

    shown, again, network = first.bgra(), first.bgra(), first.rgb(Size(50, 30))

    assert shown.shape == (96, 160, 4)
    assert network.shape == (30, 50, 3)
    for pixels in (shown, network):
        assert pixels.dtype == np.uint8
        assert pixels.flags.c_contiguous
        assert not pixels.flags.writeable
    assert not np.shares_memory(shown, again)
    assert not np.shares_memory(shown, second.bgra())
    assert number_in(shown) == 0  # later pictures did not paint over it


def test_the_networks_picture_is_the_whole_picture_shrunk_by_area(opened):
    picture = opened("variable.mp4").read()

    network = picture.rgb(Size(40, 24)).astype(int)

    shrunk = cv2.resize(picture.bgra()[..., 2::-1], (40, 24), interpolation=cv2.INTER_AREA).astype(int)
    assert np.abs(network - shrunk).mean() < 2.5
    assert np.abs(network - shrunk).max() < 25


def test_a_picture_keeps_its_pixels_after_the_source_is_closed(opened):
    source = opened("variable.mp4")
    picture = source.read()

    source.close()

    assert number_in(picture.bgra()) == 0


def test_a_closed_source_gives_nothing_and_closes_again(opened):
    source = opened("variable.mp4")

    source.close()
    source.close()

    assert source.read() is None


def test_closing_from_another_thread_ends_the_reader(opened):
    source = opened("transport.ts")
    started = threading.Event()
    outcome = []

    def read_and_seek():
        number = 0
        while source.read() is not None:
            number += 1
            source.seek(number * 37 % 100)
            started.set()
        outcome.append("ended")

    reader = threading.Thread(target=read_and_seek)
    reader.start()
    started.wait(5)

    source.close()

    reader.join(5)
    assert outcome == ["ended"]


def test_no_thread_outlives_its_source(opened):
    before = set(threading.enumerate())
    source = opened("one_gop.mp4")

    source.close()

    assert set(threading.enumerate()) == before
