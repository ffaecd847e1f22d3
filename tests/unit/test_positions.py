"""Where a recording was left: kept for that file as it is now, without its name."""

import os
from pathlib import Path

import pytest

from app.start.positions import MAX_FILES, Positions, worth_keeping
from engine.sources.base import SourceSpec


@pytest.fixture
def recording(tmp_path):
    path = tmp_path / "Doe, Jane.mp4"
    path.write_bytes(b"video")
    return SourceSpec("file", str(path))


@pytest.fixture
def positions(tmp_path):
    return Positions(tmp_path / "positions")


def test_a_position_is_there_in_the_next_window_and_can_be_forgotten(positions, recording, tmp_path):
    positions.keep(recording, 83.5)
    assert Positions(tmp_path / "positions").of(recording) == 83.5
    positions.keep(recording, None)

    assert positions.of(recording) is None


def test_another_file_of_the_same_name_begins_at_its_beginning(positions, recording):
    positions.keep(recording, 83.5)
    Path(recording.address).write_bytes(b"another video")

    assert positions.of(recording) is None


def test_no_name_of_a_recording_is_stored(positions, recording, tmp_path):
    positions.keep(recording, 83.5)
    (stored,) = (tmp_path / "positions").iterdir()

    assert "Doe" not in stored.name + stored.read_text()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"schema": 1}', '{"schema": 1, "pts_s": 1e999}', "[" * 4000]
)
def test_a_damaged_file_is_no_position_and_no_error(positions, recording, tmp_path, text):
    positions.keep(recording, 83.5)
    (stored,) = (tmp_path / "positions").iterdir()
    stored.write_text(text)

    assert positions.of(recording) is None


def test_only_the_newest_are_kept(positions, recording, tmp_path):
    folder = tmp_path / "positions"
    folder.mkdir()
    for number in range(MAX_FILES + 3):
        old = folder / f"{number:016}.json"
        old.write_text("{}")
        os.utime(old, (number, number))
    positions.keep(recording, 83.5)

    assert len(list(folder.iterdir())) == MAX_FILES
    assert positions.of(recording) == 83.5


def test_near_either_end_there_is_nothing_to_come_back_to():
    assert [worth_keeping(at_s, 60.0) for at_s in (2.0, 30.0, 58.0)] == [False, True, False]
    assert not worth_keeping(30.0, None)
