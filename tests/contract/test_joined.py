"""Files of one recording, one after another: ranks, times and pictures are those of one file."""

from __future__ import annotations

from contextlib import closing

import pytest

from engine.faults import FaultError
from engine.review.analysis import spec_of
from engine.review.places import Places
from engine.review.store import open_side_car
from engine.sources import open_source, parse_source
from engine.sources.base import SourceOptions, SourceSpec
from engine.sources.joined import address_of
from tests.fixtures.clips import Clip, colour_clip, constant, cut, number_in, variable, write

FIRST, SECOND, THIRD = 30, 22, 12


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder = tmp_path_factory.mktemp("parts")
    clips = (
        Clip("a.mp4", constant(FIRST)),
        Clip("b.ts", constant(SECOND, start_ms=4000)),
        Clip("c.mkv", variable(THIRD)),
    )
    return [write(clip, folder) for clip in clips]


@pytest.fixture
def source(paths):
    with closing(open_source(SourceSpec("joined", address_of(paths)))) as one:
        yield one


def rest(source):
    found = []
    while (picture := source.read()) is not None:
        found.append((picture.index, number_in(picture.bgra()), picture.pts_s))
    return found


def test_every_frame_comes_once_with_its_rank_in_the_whole_and_times_that_grow(source):
    found = rest(source)
    assert source.info.frames == FIRST + SECOND + THIRD
    assert [rank for rank, _, _ in found] == list(range(FIRST + SECOND + THIRD))
    assert [number for _, number, _ in found] == [*range(FIRST), *range(SECOND), *range(THIRD)]
    times = [at_s for _, _, at_s in found]
    assert times == sorted(set(times))
    assert times[FIRST] == pytest.approx(FIRST / 25)
    assert times[FIRST + SECOND] == pytest.approx((FIRST + SECOND) / 25, abs=0.05)


@pytest.mark.parametrize("rank", [FIRST, 0, FIRST + SECOND - 1, 3, FIRST + SECOND + THIRD - 1, FIRST - 1])
def test_a_jump_lands_on_that_frame_whatever_file_it_is_in(source, rank):
    source.seek(rank)
    picture = source.read()
    assert picture.index == rank
    assert source.index_at(picture.pts_s) == rank
    source.seek(10**6)
    assert source.read().index == FIRST + SECOND + THIRD - 1


def test_its_address_is_read_back_as_what_it_is(paths):
    spec = SourceSpec("joined", address_of(paths))
    assert parse_source(spec.text) == spec
    with closing(open_source(spec)) as source:
        assert source.info.title == "a.mp4 (+2)"


def test_a_part_that_breaks_off_is_told_and_the_next_one_follows(paths, tmp_path):
    broken = cut(paths[1], 0.7, tmp_path / "broken.ts")
    with closing(open_source(SourceSpec("joined", address_of([broken, paths[0]])))) as source:
        found = []
        told = []
        while True:
            try:
                picture = source.read()
            except FaultError as fault:
                told.append(fault)
                continue
            if picture is None:
                break
            found.append(number_in(picture.bgra()))
    assert found[-FIRST:] == list(range(FIRST))
    assert all(not fault.fatal for fault in told)


def test_files_of_different_sizes_are_no_recording(paths, tmp_path):
    other = colour_clip(tmp_path / "other.mp4", 240, (90, 90, 90), "bt709", False, True)
    with pytest.raises(FaultError, match="not parts of one recording"):
        open_source(SourceSpec("joined", address_of([paths[0], other])), SourceOptions())


def test_the_side_car_of_several_files_knows_all_of_them(paths, tmp_path):
    places = Places(tmp_path, beside=False)
    with open_side_car(paths, places) as car, closing(open_source(spec_of(car))) as source:
        assert source.info.frames == FIRST + SECOND + THIRD
