"""What cannot be opened says in one sentence what was expected, what came, and what to do."""

from __future__ import annotations

import os
import threading

import pytest

from engine.faults import FaultCode, FaultError
from engine.sources import open_source, parse_source
from engine.sources.base import SourceOptions, SourceSpec
from tests.fixtures.clips import cut, made, sound_only


def fault_of(path, **options):
    with pytest.raises(FaultError) as caught:
        open_source(SourceSpec("file", str(path)), SourceOptions(**options))
    return caught.value


def test_a_missing_file(tmp_path):
    fault = fault_of(tmp_path / "gone.mp4")

    assert fault.code is FaultCode.SOURCE_MISSING
    assert str(tmp_path / "gone.mp4") in fault.expected
    assert fault.got == "no such file"


def test_an_empty_file(tmp_path):
    (tmp_path / "empty.mp4").touch()

    fault = fault_of(tmp_path / "empty.mp4")

    assert fault.code is FaultCode.SOURCE_UNREADABLE
    assert fault.got == "an empty file (0 bytes)"


@pytest.mark.parametrize(
    "words", ["just some words\n", "größer, länger, weiter\r\n" * 40], ids=["ascii", "utf-8"]
)
def test_a_text_file_renamed_mp4(tmp_path, words):
    (tmp_path / "text.mp4").write_text(words, encoding="utf-8")

    fault = fault_of(tmp_path / "text.mp4")

    assert fault.code is FaultCode.SOURCE_UNREADABLE
    assert fault.got == "a text file"
    assert fault.remedy == "choose a video (MP4, MKV, MOV, AVI, TS)"


def test_bytes_that_are_nothing(tmp_path):
    (tmp_path / "noise.mp4").write_bytes(bytes(range(128, 256)) * 50)

    fault = fault_of(tmp_path / "noise.mp4")

    assert fault.code is FaultCode.SOURCE_UNREADABLE
    assert fault.got == "data that is not in any known video format"


def test_sound_without_pictures(tmp_path):
    fault = fault_of(sound_only(tmp_path / "sound.mp4"))

    assert fault.code is FaultCode.SOURCE_UNREADABLE
    assert fault.got == "a file with sound only"


def test_a_folder_instead_of_a_file(tmp_path):
    fault = fault_of(tmp_path)

    assert fault.code is FaultCode.SOURCE_UNREADABLE
    assert fault.got == "a folder"


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root and Windows may read everything"
)
def test_a_file_without_permission(tmp_path):
    (tmp_path / "private.mp4").write_bytes(b"x" * 100)
    (tmp_path / "private.mp4").chmod(0)

    fault = fault_of(tmp_path / "private.mp4")

    assert fault.code is FaultCode.SOURCE_UNREADABLE
    assert fault.got == "no permission to read it"


def test_an_mp4_whose_recording_broke_off(tmp_path, tmp_path_factory):
    fault = fault_of(cut(made("constant.mp4", tmp_path_factory), 0.6, tmp_path / "cut.mp4"))

    assert fault.code is FaultCode.SOURCE_UNREADABLE
    assert "without its index" in fault.got


def test_a_video_of_which_no_picture_can_be_decoded(tmp_path, tmp_path_factory):
    data = made("packed.avi", tmp_path_factory).read_bytes()
    pictures_at, index_at = data.index(b"movi") + 12, data.index(b"idx1")
    (tmp_path / "zeros.avi").write_bytes(data[:pictures_at] + bytes(index_at - pictures_at) + data[index_at:])

    fault = fault_of(tmp_path / "zeros.avi")

    assert fault.code is FaultCode.SOURCE_UNREADABLE


def test_a_colour_that_is_none(tmp_path_factory):
    fault = fault_of(made("constant.mp4", tmp_path_factory), colour="purple")

    assert fault.code is FaultCode.ARGUMENT
    assert "bt709 limited" in fault.expected
    assert fault.got == "'purple'"


def test_a_failed_opening_leaves_no_thread(tmp_path_factory):
    before = threading.active_count()

    fault_of(made("constant.mp4", tmp_path_factory), colour="purple")

    assert threading.active_count() == before


def test_a_folder_without_pictures(tmp_path):
    (tmp_path / "notes.txt").write_text("no picture")

    with pytest.raises(FaultError) as caught:
        open_source(parse_source(str(tmp_path)))

    assert caught.value.code is FaultCode.SOURCE_UNREADABLE
    assert caught.value.got == "a folder without any"


def test_an_unknown_kind_names_the_known_ones():
    with pytest.raises(FaultError) as caught:
        open_source(SourceSpec("fiel", "x"))

    assert caught.value.code is FaultCode.ARGUMENT
    assert "file" in caught.value.remedy
