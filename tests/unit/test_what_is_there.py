"""Names and things that are no files: nothing hangs, nothing ends in a traceback, nothing is passed over."""

from __future__ import annotations

import codecs
import os
import shutil
import socket
import sys

import cv2
import numpy as np
import pytest

from engine.analysis.many.recordings import find_recordings, lines_of
from engine.faults import FaultCode, FaultError
from engine.files.natural import natural
from engine.sources import VIDEO_SUFFIXES, open_source, parse_source
from tests.fixtures.clips import made

UNIX = pytest.mark.skipif(sys.platform == "win32", reason="no such things there")


@pytest.fixture
def clip(tmp_path_factory):
    return made("constant.mp4", tmp_path_factory)


def names(recordings):
    return [recording.place for recording in recordings]


@pytest.mark.parametrize(
    "suffix",
    [".asf", ".m2v", ".MOD", ".divx", ".m2t", ".mpe", ".f4v", ".TOD", ".h264", ".gif", ".QT", ".wm", ".3g2"],
)
def test_a_folder_gives_videos_with_these_endings_in_any_case(tmp_path, suffix):
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / f"a{suffix}").touch()

    assert suffix.lower() in VIDEO_SUFFIXES
    assert names(find_recordings([str(tmp_path / "videos")], tmp_path / "out")) == [f"a{suffix}"]


def test_a_file_whose_name_says_nothing_is_looked_into_and_what_is_no_video_is_told(tmp_path, clip):
    folder = tmp_path / "videos"
    folder.mkdir()
    shutil.copy(clip, folder / "a.mp4")
    shutil.copy(clip, folder / "recording 7.xyz")
    shutil.copy(clip, folder / "NONAME")
    (folder / "notes.txt").write_text("no video, whatever FFmpeg draws of it\n" * 9)
    (folder / "report.pdf").write_bytes(b"%PDF-1.7 " + bytes(range(256)) * 8)
    cv2.imwrite(str(folder / "still.png"), np.zeros((8, 8, 3), np.uint8))
    told = []

    found = find_recordings([str(folder)], tmp_path / "out", told.append)

    assert names(found) == ["a.mp4", "NONAME", "recording 7.xyz"]
    assert [word in " ".join(told) for word in ("notes.txt", "report.pdf", "1 pictures")] == [True] * 3


def test_names_are_sorted_by_their_numbers():
    mixed = ["img10.png", "img2.png", "Img1.png", "img1b.png", "7.png", "10.png", "img02.png", "a.png", ""]

    assert sorted(mixed, key=natural) == [
        "", "7.png", "10.png", "a.png", "Img1.png", "img1b.png", "img02.png", "img2.png", "img10.png",
    ]  # fmt: skip


def test_videos_and_stills_are_taken_in_the_order_of_their_numbers(tmp_path):
    (tmp_path / "videos").mkdir()
    (tmp_path / "stills").mkdir()
    for number in (10, 2, 1):
        (tmp_path / "videos" / f"v{number}.mp4").touch()
        cv2.imwrite(str(tmp_path / "stills" / f"img{number}.png"), np.zeros((8, 8, 3), np.uint8))
    source = open_source(parse_source(str(tmp_path / "stills")))

    assert [source.read().name for _ in range(3)] == ["img1.png", "img2.png", "img10.png"]
    assert names(find_recordings([str(tmp_path / "videos")], tmp_path)) == ["v1.mp4", "v2.mp4", "v10.mp4"]
    source.close()


@UNIX
@pytest.mark.parametrize("name", ["b.mp4", "b.png", "b.dcm"])
def test_a_pipe_is_refused_at_once(tmp_path, name):
    os.mkfifo(tmp_path / name)

    with pytest.raises(FaultError) as caught:
        open_source(parse_source(str(tmp_path / name)))

    assert caught.value.code is FaultCode.SOURCE_UNREADABLE
    assert f"{name} is a pipe" in str(caught.value)


@UNIX
def test_pipes_sockets_and_dead_links_in_a_folder_are_rows_with_a_fault(tmp_path, clip, monkeypatch):
    folder = tmp_path / "v"
    folder.mkdir()
    shutil.copy(clip, folder / "a.mp4")
    os.mkfifo(folder / "b.mp4")
    os.mkfifo(folder / "no ending")
    (folder / "d.mp4").symlink_to(tmp_path / "gone.mp4")
    monkeypatch.chdir(folder)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("c.mp4")
        told = []
        found = find_recordings([str(folder)], tmp_path / "out", told.append)

    assert [(row.place, bool(row.fault)) for row in found] == [
        ("a.mp4", False), ("b.mp4", True), ("c.mp4", True), ("d.mp4", True),
    ]  # fmt: skip
    assert all(word in row.fault for word, row in zip(("pipe", "socket", "link"), found[1:], strict=True))
    assert "a pipe" in told[0]


@pytest.mark.parametrize(
    "name",
    [
        "~x.mp4",
        "~nobody.mp4",
        "udp:1.mp4",
        "capture:0.mp4",
        "a%3d.mp4",
        "50%.mp4",
        "-x.mp4",
        "a\nb.mp4",
        " x.mp4",
        "x.mp4 ",
        "#x.mp4",
        "concat:a|b.mp4",
        "'x'.mp4",
        "x?.mp4",
    ],
)
@UNIX
def test_every_name_is_a_name(tmp_path, clip, monkeypatch, name):
    (tmp_path / "v").mkdir()
    shutil.copy(clip, tmp_path / "v" / name)
    monkeypatch.chdir(tmp_path / "v")

    for text in (name, str(tmp_path / "v" / name)):
        source = open_source(parse_source(text))
        assert source.read().index == 0
        source.close()
    (found,) = find_recordings([str(tmp_path / "v")], tmp_path / "out")
    assert found.source == str(tmp_path / "v" / name)
    assert parse_source(found.source).address == found.source


def test_a_name_that_no_disk_can_have_is_a_fault():
    with pytest.raises(FaultError):
        open_source(parse_source("x" * 5000))


@pytest.mark.parametrize(
    "data",
    [
        "a.mp4\nö.mp4\n".encode(),
        codecs.BOM_UTF8 + "a.mp4\r\nö.mp4".encode(),
        codecs.BOM_UTF16_LE + "a.mp4\r\nö.mp4\r\n".encode("utf-16-le"),
        codecs.BOM_UTF16_BE + "a.mp4\nö.mp4".encode("utf-16-be"),
        "a.mp4\r\nö.mp4\r\n".encode("utf-16-le"),
        '"a.mp4"\r\n"ö.mp4"\r\n'.encode(),
        "'a.mp4'\n  ö.mp4  \n".encode(),
    ],
)
def test_lists_as_windows_and_linux_write_them(data):
    assert [line for line in lines_of(data) if line] == ["a.mp4", "ö.mp4"]


def test_a_list_names_files_beside_it_whatever_they_are_called(tmp_path, clip, monkeypatch):
    monkeypatch.chdir("/")
    for name in ("~x.mp4", "capture:0.mp4"):
        shutil.copy(clip, tmp_path / name)
    (tmp_path / "list.txt").write_text('~x.mp4\n"capture:0.mp4"\n')

    found = find_recordings([str(tmp_path / "list.txt")], tmp_path / "out")

    assert [row.source for row in found] == [str(tmp_path / "~x.mp4"), str(tmp_path / "capture:0.mp4")]


def test_a_list_in_another_encoding_is_named(tmp_path):
    (tmp_path / "list.txt").write_bytes("ö.mp4\n".encode("cp1252"))

    with pytest.raises(FaultError, match="UTF-8 or UTF-16"):
        find_recordings([str(tmp_path / "list.txt")], tmp_path / "out")
