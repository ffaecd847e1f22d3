"""What a person types or drops becomes a kind and an address."""

from __future__ import annotations

import subprocess
import sys

import pytest

from engine.faults import FaultCode, FaultError
from engine.sources import SOURCES, parse_source
from engine.sources.base import SourceSpec


@pytest.mark.parametrize(
    ("text", "kind", "address"),
    [
        ("clip.mp4", "file", "clip.mp4"),
        ("  clip.mp4\n", "file", "clip.mp4"),
        ("/data/no such folder/clip.mkv", "file", "/data/no such folder/clip.mkv"),
        ("file:///data/a%20b.mp4", "file", "/data/a b.mp4"),
        (r"C:\videos\clip.mp4", "file", r"C:\videos\clip.mp4"),
        ("polyp.JPG", "images", "polyp.JPG"),
        ("v4l2:/dev/video0", "capture", "v4l2:/dev/video0"),
        ("/dev/video1", "capture", "v4l2:/dev/video1"),
        ("dshow:USB Video: 2", "capture", "dshow:USB Video: 2"),
        ("avfoundation:0", "capture", "avfoundation:0"),
        ("capture:0", "capture", "capture:0"),
        ("rtsp://10.0.0.5:554/main", "stream", "rtsp://10.0.0.5:554/main"),
        ("RTSP://camera/main", "stream", "RTSP://camera/main"),
        ("udp://@:5000", "stream", "udp://@:5000"),
        ("udp://127.0.0.1:5000?pkt_size=1316", "stream", "udp://127.0.0.1:5000?pkt_size=1316"),
        ("srt://host:9000", "stream", "srt://host:9000"),
        ("https://host/clip.mp4", "stream", "https://host/clip.mp4"),
        ("demo:", "demo", ""),
    ],
)
def test_what_is_understood(text, kind, address):
    assert parse_source(text) == SourceSpec(kind, address)


def test_a_folder_is_a_folder_of_pictures(tmp_path):
    assert parse_source(str(tmp_path)) == SourceSpec("images", str(tmp_path))


def test_a_file_whose_name_looks_like_a_scheme_is_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "case:12.mp4").touch()

    assert parse_source("case:12.mp4").kind == "file"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("gopher://host/x", "gopher"),
        ("rtsp://", "without a host"),
        ("udp://127.0.0.1", "without a port"),
        ("tcp://encoder", "without a port"),
        ("srt://encoder", "without a port"),
        ("udp://239.1.1.1:5000?localaddr=eth0", "localaddr=eth0"),
        ("rtsp://host:port/x", "Port"),
        ("v4l2:", "without a device"),
        ("dshow:", "without a device"),
    ],
)
def test_nonsense_is_one_clear_sentence(text, word):
    with pytest.raises(FaultError) as caught:
        parse_source(text)

    assert caught.value.code is FaultCode.ARGUMENT
    assert word in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize(
    "text", ["clip.mp4", "v4l2:/dev/video0", "dshow:USB Video", "rtsp://host/x", "demo:"]
)
def test_a_spec_can_be_written_down_and_read_back(text):
    spec = parse_source(text)

    assert parse_source(spec.text) == spec


def test_every_kind_that_can_be_parsed_is_in_the_table(tmp_path):
    parts = [tmp_path / "a.mp4", tmp_path / "b.mp4"]
    for part in parts:
        part.touch()
    texts = ("a.mp4", "a.png", "capture:0", "udp://@:1", "demo:", "\n".join(map(str, parts)))
    kinds = {parse_source(text).kind for text in texts}

    assert kinds == set(SOURCES)


def test_importing_the_table_imports_no_decoder():
    code = "import sys, engine.sources; sys.exit('av' in sys.modules or 'cv2' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
