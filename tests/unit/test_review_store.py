"""The side-car of a recording: where it is, whose it is, and what becomes of a damaged, old or newer one."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import pytest

from engine.faults import FaultCode, FaultError
from engine.files.whole import output_fault
from engine.jobs.ended import INPUT_UNUSABLE
from engine.review import schema, store
from engine.review.analysis import main, paths_of
from engine.review.database import DATABASE, open_database, upgrade
from engine.review.edits import Edits
from engine.review.identity import PART_BYTES, identity_of
from engine.review.library.kept import start_anew
from engine.review.places import Places
from engine.review.schema import CURRENT, Version
from engine.review.store import find_side_car, open_folder, open_side_car
from engine.review.timeline import frame_table


@pytest.fixture
def places(tmp_path):
    return Places(tmp_path / "library")


@pytest.fixture
def video(tmp_path):
    folder = tmp_path / "videos"
    folder.mkdir()
    path = folder / "a.mp4"
    path.write_bytes(b"pictures" * 1000)
    return path


def opened(video: Path, places: Places, **options):
    return open_side_car([video], places, **options)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_it_lies_beside_its_recording_and_nothing_else_is_written_there(video, places):
    before = video.stat().st_mtime_ns, video.read_bytes()

    with opened(video, places) as car:
        assert car.folder == video.with_name("a.mp4.review")
        assert car.recording.title == "a.mp4"
        assert car.recording.paths == (video,)

    assert sorted(path.name for path in video.parent.iterdir()) == ["a.mp4", "a.mp4.review"]
    assert (video.stat().st_mtime_ns, video.read_bytes()) == before


def test_it_lies_in_the_library_by_setting_and_where_the_folder_cannot_be_written(video, places, monkeypatch):
    with opened(video, Places(places.library, beside=False)) as car:
        assert car.folder.parent == places.library
    start_anew(car.folder)
    writable = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != video.parent and writable(path, mode))
    with opened(video, places) as car:
        assert car.folder.parent == places.library
        assert car.folder.name.startswith("a.mp4-")


def test_of_the_demonstration_nothing_is_written_into_the_program(places):
    with open_side_car(paths_of("demo:"), places) as car:
        assert car.folder.parent == places.library


@pytest.mark.parametrize("beside", [True, False])
def test_a_renamed_recording_finds_its_side_car_and_keeps_where_it_is_now(video, places, beside):
    places = Places(places.library, beside)
    with opened(video, places) as car:
        folder = car.folder
    moved = video.rename(video.with_name("b.mp4"))

    with opened(moved, places) as car:
        assert car.folder == folder
        assert car.recording.paths == (moved,)


def test_a_recording_moved_with_its_side_car_is_known_in_its_new_folder(video, places, tmp_path):
    opened(video, places).close()
    there = video.parent.rename(tmp_path / "elsewhere")

    with opened(there / "a.mp4", places) as car:
        assert car.recording.paths == (there / "a.mp4",)


def test_another_recording_under_the_same_name_is_told_and_nothing_is_overwritten(video, places):
    with opened(video, places) as car:
        pass
    before = files(car.folder)[DATABASE]
    video.write_bytes(b"others!!" * 1000)

    with pytest.raises(FaultError, match=r"a\.mp4 is not the recording that was analysed") as error:
        opened(video, places)

    assert error.value.code is FaultCode.REVIEW
    assert files(car.folder)[DATABASE] == before
    aside = start_anew(car.folder)
    with opened(video, places):
        assert (aside / DATABASE).exists()


def test_two_recordings_that_begin_with_the_same_file_have_a_side_car_each(video, places):
    others = [video.with_name(name) for name in ("b.mp4", "c.mp4")]
    for number, path in enumerate(others):
        path.write_bytes(b"%d" % number)
    folders = []
    for other in (*others, *others):
        with open_side_car([video, other], places) as car:
            folders.append(car.folder)
            assert car.recording.paths == (video, other)
    assert folders[:2] == folders[2:]
    assert len(set(folders)) == 2


def test_a_side_car_without_its_database_is_told_and_set_aside_on_demand(video, places):
    car = opened(video, places)
    car.close()
    folder = car.folder
    (folder / "analysis-1").mkdir()
    (folder / DATABASE).unlink()
    with pytest.raises(FaultError, match=r"there is no such file.*start anew"):
        opened(video, places)
    aside = start_anew(find_side_car([video], places))
    opened(video, places).close()
    assert (aside / "analysis-1").is_dir()


def test_what_another_window_has_open_is_not_set_aside(video, places):
    with opened(video, places) as car, pytest.raises(FaultError, match="Another window has this recording"):
        start_anew(car.folder)


def test_a_recording_that_was_only_touched_is_the_same(video, places):
    opened(video, places).close()
    os.utime(video, (1, 1))

    opened(video, places).close()


def test_the_hash_sees_a_change_at_either_end_and_in_the_middle(tmp_path):
    path = tmp_path / "long"
    content = bytearray(9 * PART_BYTES)
    path.write_bytes(content)
    known = identity_of(path)
    for at in (0, len(content) // 2, len(content) - 1):
        changed = content.copy()
        changed[at] = 1
        path.write_bytes(changed)
        assert not identity_of(path).is_same(known)


def test_a_second_window_reads_and_says_why(video, places):
    with opened(video, places) as first, opened(video, places) as second:
        assert not first.why_read_only
        assert "Another window has this recording open" in second.why_read_only
        with pytest.raises(FaultError), second.database.change() as change:
            change.run("UPDATE recording SET title = 'x'")
    with opened(video, places) as third:
        assert not third.why_read_only


def test_where_nothing_can_be_written_it_is_read_and_says_so(video, places, monkeypatch):
    opened(video, places).close()

    def refuse(path, busy):
        raise output_fault(path.parent, OSError(30, "Read-only file system"))

    monkeypatch.setattr(store, "held", refuse)
    with opened(video, places) as car:
        assert "Here the recording can be looked at, not changed" in car.why_read_only
        assert car.recording.paths == (video,)


def test_on_a_full_disk_it_is_read_and_says_so(video, places, monkeypatch):
    opened(video, places).close()

    def full(path, *, write=True):
        database = open_database(path, write=write)
        database.rows("PRAGMA query_only = ON")  # SQLite refuses each change from here on
        return database

    monkeypatch.setattr(store, "open_database", full)
    with opened(video, places) as car:
        assert "Nothing more can be kept in" in car.why_read_only
        assert car.recording.paths == (video,)


def test_a_recording_that_changed_or_went_while_it_is_open_is_told_before_anything_goes_on(video, places):
    with opened(video, places) as car:
        car.check_parts()
        video.write_bytes(b"others!!" * 1000)
        with pytest.raises(FaultError, match="is not the recording that was analysed"):
            car.check_parts()
        assert main([str(car.folder), "1"]) == INPUT_UNUSABLE
        video.unlink()
        with pytest.raises(FaultError, match=r"a\.mp4 cannot be read"):
            car.check_parts()


def test_a_drive_that_was_pulled_is_not_taken_for_a_damaged_side_car(video, places):
    with opened(video, places) as car:
        video.parent.rename(video.parent.with_name("pulled"))
        with pytest.raises(FaultError) as error, car.database.change():
            raise_unreachable()
    assert "its drive does not answer" in str(error.value)
    assert error.value.code is FaultCode.OUTPUT


def raise_unreachable():
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorname = "SQLITE_IOERR_WRITE"
    raise error


def test_a_reader_sees_what_another_connection_has_just_written(video, places):
    with opened(video, places) as writer, opened(video, places, write=False) as reader:
        with writer.database.change() as change:
            change.run("UPDATE recording SET title = 'now'")
        assert reader.recording.title == "now"


def test_a_change_is_kept_whole_or_not_at_all(video, places):
    with opened(video, places) as car:
        with suppress(RuntimeError), car.database.change() as change:
            change.run("UPDATE recording SET title = 'half'")
            raise RuntimeError
        assert car.recording.title == "a.mp4"


def test_several_files_are_one_recording_in_their_order(video, places):
    more = video.with_name("a-2.mp4")
    more.write_bytes(b"more")
    with open_side_car([video, more], places) as car:
        assert car.recording.paths == (video, more)
    with opened(video, places) as alone:
        assert alone.folder != car.folder


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda path: path.write_bytes(b"no database at all, but long enough to be one" * 99), "read"),
        (lambda path: path.write_bytes(path.read_bytes()[:5000]), "read"),
        (lambda path: path.write_bytes(b""), "it holds nothing"),
    ],
)
def test_a_damaged_side_car_is_told_and_left_as_it_is(video, places, damage, said):
    with opened(video, places) as car:
        path = car.folder / DATABASE
    damage(path)
    before = path.read_bytes()

    with pytest.raises(FaultError, match=said) as error:
        opened(video, places).recording  # noqa: B018

    assert error.value.code is FaultCode.REVIEW
    assert path.read_bytes() == before


def test_a_newer_side_car_is_refused_in_one_sentence(video, places):
    with opened(video, places) as car:
        path = car.folder / DATABASE
    set_version(path, Version(CURRENT.major + 1))

    with pytest.raises(FaultError, match="written by a newer polyplive"):
        opened(video, places)


def test_a_newer_minor_version_is_opened_as_it_is(video, places):
    with opened(video, places) as car:
        path = car.folder / DATABASE
    newer = Version(CURRENT.major, CURRENT.minor + 1)
    set_version(path, newer)

    opened(video, places).close()

    with closing(sqlite3.connect(path)) as connection:
        assert schema.version_of(connection) == newer


NEXT = Version(CURRENT.major, CURRENT.minor + 1)
AFTER = Version(CURRENT.major + 1)
STEPS = {
    CURRENT: (NEXT, "ALTER TABLE recording ADD COLUMN mood TEXT"),
    NEXT: (AFTER, "UPDATE recording SET mood = title || '!'"),
}


def test_an_older_side_car_is_brought_up_step_by_step_and_kept_as_it_was(video, places):
    with opened(video, places) as car:
        path = car.folder / DATABASE

    backup = upgrade(path, STEPS, AFTER)

    with closing(sqlite3.connect(path)) as connection:
        assert schema.version_of(connection) == AFTER
        assert connection.execute("SELECT mood FROM recording").fetchall() == [("a.mp4!",)]
    with closing(sqlite3.connect(backup)) as connection:
        assert schema.version_of(connection) == CURRENT
    assert upgrade(path, STEPS, AFTER) is None


def test_a_step_that_fails_leaves_the_file_as_it_was_before_it(video, places):
    with opened(video, places) as car:
        path = car.folder / DATABASE

    with pytest.raises(sqlite3.OperationalError):
        upgrade(path, {CURRENT: (NEXT, "DELETE FROM part; NONSENSE")}, NEXT)

    with open_folder(car.folder) as again:
        assert again.recording.paths == (video,)


def test_every_older_version_has_a_way_to_this_one():
    version = min(schema.MIGRATIONS, default=CURRENT)
    while version < CURRENT:
        version = schema.MIGRATIONS[version][0]
    assert version == CURRENT


def set_version(path: Path, version: Version) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {version.number}")


SAID = "INSERT INTO act VALUES (1, '', '', 1, 'verdict', 'findings', '{}')"
JUDGED = (
    "INSERT INTO analysis VALUES (1, '', '', '', '', '', '{point}', '\"frame\"', '', '', 2, 2, 1, '[]', NULL)"
)
FRAMES = (
    "INSERT INTO chunk VALUES (1, 1, 0, 1, zeroblob(4), zeroblob(8), x'00', zeroblob(16), x'00', x'00', "
    "x'{field}', '[\"[0, 0, 9, 9, \\\"rectangle\\\", 0]\"]')"
)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (SAID, lambda car: Edits(car.database).told),
        (SAID.replace("{}", "{"), lambda car: Edits(car.database)),
        (SAID.replace("findings", "frame:x"), lambda car: Edits(car.database)),
        (JUDGED.format(point="{}"), lambda car: car.analyses),
        (FRAMES.format(field="01"), lambda car: frame_table(car.database, 1)),
        (FRAMES.format(field=""), lambda car: frame_table(car.database, 1)),
        ("DELETE FROM part", lambda car: car.recording),
    ],
)
def test_values_that_are_none_are_damage_and_told(video, places, written, read):
    with opened(video, places) as car:
        with closing(sqlite3.connect(car.folder / DATABASE)) as connection, connection:
            connection.execute(written)
        with pytest.raises(FaultError, match=r"cannot be read .*start anew") as error:
            read(car)
        assert error.value.code is FaultCode.REVIEW
