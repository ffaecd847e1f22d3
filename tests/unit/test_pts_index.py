"""The table of time stamps: what is in it, what it answers, when it is kept."""

from __future__ import annotations

import threading
from fractions import Fraction

import numpy as np
import pytest

from engine.faults import FaultCode, FaultError
from engine.sources.file import pts_cache
from engine.sources.file.index_thread import BackgroundIndex
from engine.sources.file.pts_index import PtsIndex, build
from tests.fixtures.clips import CLIPS, made


def never():
    return False


def table(pts=(0, 40, 80, 200, 240), keys=(0, 3), ordered=True):
    keyframe = np.isin(np.arange(len(pts)), keys)
    return PtsIndex(np.array(pts, np.int64), keyframe, Fraction(1, 1000), ordered)


def same(left, right):
    return (
        np.array_equal(left.pts, right.pts)
        and np.array_equal(left.keyframe, right.keyframe)
        and (left.time_base, left.ordered) == (right.time_base, right.ordered)
    )


@pytest.mark.parametrize(
    ("pts_s", "rank"), [(-1, 0), (0, 0), (0.039, 0), (0.04, 1), (0.199, 2), (0.2, 3), (9, 4)]
)
def test_rank_at_is_the_last_frame_that_has_started(pts_s, rank):
    assert table().rank_at(pts_s) == rank


def test_rank_of_knows_only_exact_stamps():
    assert table().rank_of(80) == 2
    assert table().rank_of(81) is None
    assert table().rank_of(9999) is None


@pytest.mark.parametrize(("rank", "keys"), [(0, [0]), (2, [0]), (3, [3, 0]), (4, [3, 0])])
def test_keyframes_before_come_nearest_first(rank, keys):
    assert table().keyframes_before(rank) == keys


def test_the_last_frame_lasts_as_long_as_the_others_did_on_average():
    assert table().duration_s == pytest.approx(0.24 * 5 / 4)
    assert table(pts=(7,), keys=(0,)).duration_s == 0
    assert table(pts=(7,), keys=(0,)).rate_hz is None


@pytest.mark.parametrize("name", CLIPS)
def test_every_frame_is_in_the_table(tmp_path_factory, name):
    built = build(made(name, tmp_path_factory), never)

    assert len(built) == len(CLIPS[name].times_ms)
    assert np.all(np.diff(built.pts) > 0)
    assert built.keyframe[0]


@pytest.mark.parametrize(
    ("name", "ordered"), [("transport.ts", True), ("untimed.avi", False), ("raw.h264", False)]
)
def test_files_that_cannot_be_seeked_by_time_are_known(tmp_path_factory, name, ordered):
    assert build(made(name, tmp_path_factory), never).ordered is ordered


@pytest.mark.parametrize("name", ["variable.mp4", "raw.h264"])
def test_building_stops_when_told(tmp_path_factory, monkeypatch, name):
    monkeypatch.setattr("engine.sources.file.pts_index._BREATHER_PACKETS", 10)

    assert build(made(name, tmp_path_factory), stopped=lambda: True) is None


def test_a_kept_index_is_taken_as_it_was(tmp_path_factory, tmp_path, monkeypatch):
    monkeypatch.setenv("POLYPLIVE_HOME", str(tmp_path))
    monkeypatch.setattr(pts_cache, "WORTH_KEEPING_BYTES", 0)
    path = made("variable.mp4", tmp_path_factory)

    pts_cache.store(path, table())

    assert same(pts_cache.load(path), table())


@pytest.fixture
def kept(tmp_path_factory, tmp_path, monkeypatch):
    """A file with a kept index, which is not the one its packets would give."""
    monkeypatch.setenv("POLYPLIVE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(pts_cache, "WORTH_KEEPING_BYTES", 0)
    path = tmp_path / "clip.mp4"
    path.write_bytes(made("variable.mp4", tmp_path_factory).read_bytes())
    pts_cache.store(path, table())
    return path


def test_a_changed_file_does_not_get_the_old_index(kept):
    kept.write_bytes(kept.read_bytes() + b"\0")

    assert pts_cache.load(kept) is None


def test_a_damaged_kept_index_is_made_again(kept, tmp_path):
    for file in (tmp_path / "home").rglob("*.npz"):
        file.write_bytes(b"PK nothing")

    assert pts_cache.load(kept) is None


def test_small_files_are_not_kept(kept, monkeypatch):
    monkeypatch.setattr(pts_cache, "WORTH_KEEPING_BYTES", kept.stat().st_size + 1)

    assert pts_cache.load(kept) is None


def test_a_cache_folder_that_cannot_be_written_is_no_fault(kept, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("POLYPLIVE_HOME", str(tmp_path / "file"))

    pts_cache.store(kept, table())

    assert pts_cache.load(kept) is None


def test_the_background_index_takes_the_kept_one(kept):
    index = BackgroundIndex(kept)

    try:
        assert same(index.wait(), table())
    finally:
        index.close()


def test_the_background_index_keeps_what_it_built(kept):
    kept.write_bytes(kept.read_bytes() + b"\0")
    index = BackgroundIndex(kept)
    built = index.wait()
    index.close()

    assert same(pts_cache.load(kept), built)


def test_closing_ends_a_build_that_takes_long(tmp_path_factory, monkeypatch):
    def endless(path, stopped):
        while not stopped():
            threading.Event().wait(0.001)

    monkeypatch.setattr("engine.sources.file.index_thread.build", endless)
    before = threading.active_count()
    index = BackgroundIndex(made("variable.mp4", tmp_path_factory))

    index.close()
    index.close()

    assert threading.active_count() == before
    assert index.wait() is None


def test_a_file_that_vanished_is_a_seek_fault(tmp_path):
    index = BackgroundIndex(tmp_path / "gone.mp4")

    with pytest.raises(FaultError) as caught:
        index.wait()

    index.close()
    assert caught.value.code is FaultCode.SEEK
    assert not caught.value.fatal
