"""Recordings that wait to be analysed: found in folders, kept over windows, taken out by a person."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.faults import FaultError
from engine.files.lock import held
from engine.review.library.found import recordings_in
from engine.review.library.index import Library
from engine.review.library.parts import are_parts, in_order
from engine.review.library.queue import Queue, State, Wanted
from engine.review.library.working import LOCK, Worker
from engine.review.places import Places

MODEL = Path("/models/light")


@pytest.fixture
def queue(tmp_path):
    return Queue(tmp_path / "queue.db")


def added(queue, *names, why=""):
    queue.add([Wanted((Path("/v") / name,), why) for name in names], MODEL, "standard")
    return [one for one in queue.items() if one.paths[0].name in names]


def test_what_was_added_first_comes_first_in_every_window(queue):
    first, second = added(queue, "b.mp4", "a.mp4")
    other = Queue(queue.path)
    assert other.next() == first
    assert other.next(without={first.id}) == second
    assert (first.model, first.preset, first.state) == (MODEL, "standard", State.WAITING)


def test_what_waits_is_not_added_twice_and_what_failed_waits_again(queue):
    (bad,) = added(queue, "bad.mp4", why="bad.mp4 is a pipe.")
    (good,) = added(queue, "good.mp4")
    assert (bad.state, bad.why, queue.next()) == (State.FAILED, "bad.mp4 is a pipe.", good)
    added(queue, "bad.mp4", "good.mp4")
    assert [(one.id, one.state) for one in queue.items()] == [
        (bad.id, State.WAITING),
        (good.id, State.WAITING),
    ]
    queue.fail(bad.id, "damaged")
    queue.again([bad.id])
    assert queue.next().why == ""


def test_what_is_taken_out_or_paused_is_not_wanted_by_whoever_works_on_it(queue, tmp_path):
    one, other = added(queue, "a.mp4", "b.mp4")
    queue.work_on(one.id, tmp_path / "a.mp4.review")
    assert queue.tell(one.id, 64, 200)
    queue.pause(True)
    assert not queue.tell(one.id, 128, 200)
    queue.pause(False)
    queue.cancel([one.id])
    assert not queue.tell(one.id, 128, 200)
    assert [left.id for left in queue.items()] == [other.id]


def test_what_a_killed_window_worked_on_waits_again_as_far_as_it_was(queue, tmp_path):
    (one,) = added(queue, "a.mp4")
    queue.work_on(one.id, tmp_path / "a.mp4.review")
    queue.tell(one.id, 64, 200)
    assert queue.next() is None
    queue.begin()
    again = queue.next()
    assert (again.id, again.done, again.total) == (one.id, 64, 200)


def test_while_one_window_works_on_it_another_one_does_not(queue, tmp_path):
    added(queue, "a.mp4")
    looks = iter([False, False, True])
    with held(tmp_path / LOCK):
        worker = Worker(
            queue, Library(tmp_path / "library.db"), Places(tmp_path), lambda seconds: next(looks)
        )
        worker.work()
    assert [one.state for one in queue.items()] == [State.WAITING]


def test_a_damaged_queue_is_set_aside_and_begun_anew(queue):
    added(queue, "a.mp4")
    queue.path.write_bytes(b"no database" * 1000)
    assert queue.items() == []
    assert len(list(queue.path.parent.glob("queue.damaged-*"))) == 1


def test_a_folder_gives_videos_and_folders_of_stills_below_and_nothing_of_side_cars(tmp_path):
    folder = tmp_path / "folder"
    for name in ("day 2/b.mp4", "a.mp4", "stills/10.png", "stills/9.png", "a.mp4.review/inside.mp4", "n.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    found = recordings_in([folder, folder / "a.mp4"], tmp_path / "library")
    assert {one.paths[0].relative_to(folder).as_posix() for one in found} == {
        "a.mp4",
        "day 2/b.mp4",
        "stills",
    }
    assert len(found) == 3


def test_a_folder_of_stills_alone_is_a_recording_and_one_of_neither_is_told(tmp_path):
    (tmp_path / "stills").mkdir()
    (tmp_path / "stills" / "1.png").write_bytes(b"x")
    (tmp_path / "empty").mkdir()
    assert recordings_in([tmp_path / "stills"], tmp_path) == [Wanted((tmp_path / "stills",))]
    with pytest.raises(FaultError, match="There are no videos in"):
        recordings_in([tmp_path / "empty"], tmp_path)


@pytest.mark.parametrize(
    ("names", "are"),
    [
        (["REC_0002.MP4", "REC_0001.mp4", "REC_0003.mp4"], True),
        (["case part 1.mkv", "case part 2.mkv"], True),
        (["patient 1.mp4", "patient 2.mp4"], False),
        (["REC_0001.mp4", "REC_0003.mp4"], False),
        (["left.mp4", "right.mp4"], False),
        (["REC_0001.mp4", "OTHER_0002.mp4"], False),
    ],
)
def test_names_tell_whether_files_are_one_recording(names, are):
    assert are_parts([Path("/v") / name for name in names]) is are


def test_parts_follow_each_other_by_their_numbers():
    assert [path.name for path in in_order([Path("r10.ts"), Path("r9.ts")])] == ["r9.ts", "r10.ts"]
