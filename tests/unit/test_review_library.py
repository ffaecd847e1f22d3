"""The list of all recordings: found again after a move, and made again when it is lost."""

from __future__ import annotations

import pytest

from engine.faults import FaultError
from engine.review.edits import Edits
from engine.review.library.index import Library, side_cars_in
from engine.review.places import Places
from engine.review.store import open_side_car


@pytest.fixture
def library(tmp_path):
    return Library(tmp_path / "library.db")


def recorded(tmp_path, name, content=b"pictures"):
    path = tmp_path / "videos" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content + name.encode())
    return path


def noted(tmp_path, library, *names):
    for name in names:
        with open_side_car([recorded(tmp_path, name)], Places(tmp_path / "kept")) as car:
            library.note(car)


def test_recordings_are_listed_and_found_by_words(tmp_path, library):
    noted(tmp_path, library, "left colon.mp4", "right colon.mp4")
    assert {one.title for one in library.entries()} == {"left colon.mp4", "right colon.mp4"}
    assert [one.title for one in library.entries("COLON left")] == ["left colon.mp4"]
    assert library.entries("nothing") == []


def test_what_is_known_of_a_recording_is_told_anew(tmp_path, library):
    path = recorded(tmp_path, "a.mp4")
    with open_side_car([path], Places(tmp_path / "kept")) as car:
        library.note(car)
        Edits(car.database).verify(3)
        library.note(car)
    (one,) = library.entries()
    assert (one.verified, one.findings, one.done, one.is_here) == (1, 0, False, True)
    path.unlink()
    assert not library.entries()[0].is_here


def test_a_recording_that_moved_without_its_side_car_finds_it(tmp_path, library):
    noted(tmp_path, library, "a.mp4")
    moved = (tmp_path / "videos" / "a.mp4").rename(tmp_path / "moved.mp4")
    with open_side_car([moved], Places(tmp_path / "kept"), known=library.side_car_of) as car:
        assert car.folder == tmp_path / "videos" / "a.mp4.review"
        assert car.recording.paths == (moved,)


def test_a_copy_has_the_side_car_of_the_recording_which_stays_where_it_was(tmp_path, library):
    noted(tmp_path, library, "a.mp4")
    path = tmp_path / "videos" / "a.mp4"
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(path.read_bytes())
    with open_side_car([copy], Places(tmp_path / "kept"), known=library.side_car_of) as car:
        assert car.recording.paths == (path,)


def test_a_lost_or_damaged_index_is_made_again_of_the_folders(tmp_path, library):
    noted(tmp_path, library, "a.mp4", "b.mp4")
    before = library.entries()
    (tmp_path / "library.db").write_bytes(b"no database" * 1000)
    assert library.entries() == []
    assert library.rebuild(side_cars_in(tmp_path, below=True)) == 2
    assert library.entries() == before
    assert len(list(tmp_path.glob("library.damaged-*"))) == 1


def test_removing_a_recording_from_the_list_touches_no_file(tmp_path, library):
    noted(tmp_path, library, "a.mp4")
    (one,) = library.entries()
    library.remove(one.folder)
    assert library.entries() == []
    assert one.paths[0].exists()
    assert one.folder.exists()


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FaultError, match="cannot be written"):
        Library(tmp_path / "file" / "library.db").entries()
