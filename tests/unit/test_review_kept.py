"""A recording is said to be elsewhere, and what is known of it is taken away; the video itself never is."""

from __future__ import annotations

import pytest

from engine.faults import FaultError
from engine.files.lock import held
from engine.jobs.folder import LOCK
from engine.review.edits import Edits
from engine.review.library.kept import relink, remove, what_is_kept
from engine.review.places import Places
from engine.review.store import open_folder, open_side_car


@pytest.fixture
def video(tmp_path):
    path = tmp_path / "videos" / "a.mp4"
    path.parent.mkdir()
    path.write_bytes(b"pictures")
    return path


@pytest.fixture
def folder(video, tmp_path):
    with open_side_car([video], Places(tmp_path / "kept")) as car:
        Edits(car.database).verify(3)
        return car.folder


def test_what_would_be_deleted_is_told_and_the_recording_is_no_part_of_it(folder, video):
    kept = what_is_kept(folder)
    assert (kept.acts, kept.size_bytes > 0) == (1, True)
    remove(folder)
    assert [path.name for path in video.parent.iterdir()] == ["a.mp4"]
    assert video.read_bytes() == b"pictures"


def test_what_is_in_use_is_not_removed(folder):
    with open_folder(folder), pytest.raises(FaultError, match="Another window has this recording open"):
        remove(folder)
    run = folder / "analysis-1"
    run.mkdir()
    with held(run / LOCK), pytest.raises(FaultError):
        remove(folder)
    assert folder.is_dir()


def test_only_side_cars_are_removed(video):
    with pytest.raises(FaultError, match="Nothing was deleted"):
        remove(video.parent)
    assert video.exists()


def test_a_moved_recording_is_found_again_and_another_one_is_refused(folder, video, tmp_path):
    moved = video.rename(tmp_path / "moved.mp4")
    other = tmp_path / "other.mp4"
    other.write_bytes(b"others")
    with pytest.raises(FaultError, match="is not the recording that was analysed"):
        relink(folder, other)
    assert relink(folder, moved) == ()
    with open_folder(folder) as car:
        assert car.recording.paths == (moved,)


def test_parts_that_lie_beside_the_one_that_was_chosen_are_found_with_it(video, tmp_path):
    parts = [video, video.with_name("b.mp4"), video.with_name("c.mp4")]
    for number, path in enumerate(parts):
        path.write_bytes(b"part %d" % number)
    with open_side_car(parts, Places(tmp_path / "kept")) as car:
        folder = car.folder
    there = tmp_path / "there"
    there.mkdir()
    moved = [path.rename(there / path.name) for path in parts[:2]]
    gone = parts[2].rename(tmp_path / "elsewhere.mp4")
    assert relink(folder, moved[1]) == (parts[2],)
    assert relink(folder, gone) == ()
