"""Capture devices: FFmpeg's own picture generator as a real device, and a fake behind OpenCV's."""

from __future__ import annotations

import threading
from itertools import pairwise

import cv2
import numpy as np
import pytest

from engine.faults import FaultCode, FaultError
from engine.sources import open_source, parse_source
from engine.sources.base import SourceOptions
from engine.sources.live.capture import OpenCvFeed, format_options
from engine.sources.live.devices import DeviceInfo, list_devices
from engine.sources.live.grabber import LiveSource
from engine.types import Size

GENERATOR = "lavfi:testsrc2=size=320x240:rate=50,realtime"
SILENT = FaultError(FaultCode.SOURCE_LOST, "a picture", "none", "look")


def test_a_device_gives_pictures_in_its_own_time():
    source = open_source(parse_source(GENERATOR))
    try:
        pictures = [source.read() for _ in range(10)]
    finally:
        source.close()

    assert source.info.live
    assert (source.info.width_px, source.info.height_px, source.info.rate_hz) == (320, 240, 50.0)
    assert pictures[0].bgra().shape == (240, 320, 4)
    assert all(later.index > earlier.index for earlier, later in pairwise(pictures))
    assert all(later.captured_s > earlier.captured_s for earlier, later in pairwise(pictures))


def test_a_closed_device_leaves_no_thread():
    before = set(threading.enumerate())
    source = open_source(parse_source(GENERATOR))

    source.close()

    for thread in set(threading.enumerate()) - before:
        thread.join(5)  # on a busy computer it may still be on its way out
        assert not thread.is_alive()


def test_a_device_that_is_not_there_names_those_that_are(monkeypatch):
    monkeypatch.setattr(
        "engine.sources.live.capture.list_devices", lambda: (DeviceInfo("v4l2:/dev/video7", "Endo Grabber"),)
    )

    with pytest.raises(FaultError) as caught:
        open_source(parse_source("v4l2:/dev/video99"))

    assert caught.value.code is FaultCode.DEVICE_MISSING
    assert "/dev/video99" in caught.value.expected
    assert "v4l2:/dev/video7 (Endo Grabber)" in caught.value.remedy


def test_without_any_device_it_says_so(monkeypatch):
    monkeypatch.setattr("engine.sources.live.capture.list_devices", lambda: ())

    with pytest.raises(FaultError) as caught:
        open_source(parse_source("v4l2:/dev/video99"))

    assert "connect a device" in caught.value.remedy


def test_an_unknown_pixel_format_is_refused():
    with pytest.raises(FaultError) as caught:
        open_source(parse_source("v4l2:/dev/video99"), SourceOptions(pixel_format="H265"))

    assert caught.value.code is FaultCode.ARGUMENT
    assert "MJPG" in caught.value.expected


def test_nothing_asked_means_the_devices_own_default():
    assert format_options("v4l2", SourceOptions()) == [{}]


def test_a_size_is_asked_for_uncompressed_first():
    ways = format_options("v4l2", SourceOptions(size=Size(1920, 1080), rate_hz=59.94))

    assert [way["input_format"] for way in ways] == ["nv12", "yuyv422", "mjpeg"]
    assert {(way["video_size"], way["framerate"]) for way in ways} == {("1920x1080", "59.94")}


@pytest.mark.parametrize(
    ("scheme", "pixel_format", "option"),
    [
        ("v4l2", "MJPG", ("input_format", "mjpeg")),
        ("dshow", "MJPG", ("vcodec", "mjpeg")),
        ("dshow", "YUYV", ("pixel_format", "yuyv422")),
        ("avfoundation", "NV12", ("pixel_format", "nv12")),
    ],
)
def test_a_chosen_format_is_the_only_one_asked_for(scheme, pixel_format, option):
    (way,) = format_options(scheme, SourceOptions(pixel_format=pixel_format))

    assert option in way.items()


def test_linux_devices_are_listed_by_their_makers_names(tmp_path):
    for node, index, name in (("video10", "0", "Second"), ("video2", "0", "First"), ("video3", "1", "First")):
        (tmp_path / node).mkdir()
        (tmp_path / node / "index").write_text(f"{index}\n")
        (tmp_path / node / "name").write_text(f"{name}\n")

    assert list_devices("linux", tmp_path) == (
        DeviceInfo("v4l2:/dev/video2", "First"),
        DeviceInfo("v4l2:/dev/video10", "Second"),
    )


def test_a_computer_without_devices_lists_none(tmp_path):
    assert list_devices("linux", tmp_path / "none") == ()


def test_every_listed_device_can_be_asked_for(tmp_path):
    (tmp_path / "video0").mkdir()

    (device,) = list_devices("linux", tmp_path)

    assert parse_source(device.address).kind == "capture"


class FakeCapture:
    """What cv2.VideoCapture would be: `pictures` reads that work, then none."""

    def __init__(self, pictures, opens=True):
        self.left, self.opens = pictures, opens
        self.asked = []
        self.released = False

    def isOpened(self):
        return self.opens

    def set(self, key, value):
        self.asked.append((key, value))

    def get(self, key):
        return 30.0 if key == cv2.CAP_PROP_FPS else 0.0

    def read(self):
        if self.left == 0:
            return False, None
        self.left -= 1
        return True, np.full((48, 64, 3), (10, 20, 30), np.uint8)

    def release(self):
        self.released = True


def test_opencv_is_asked_for_the_format_before_the_size_and_for_one_buffer():
    capture = FakeCapture(pictures=1)
    options = SourceOptions(pixel_format="MJPG", size=Size(1280, 720), rate_hz=60)

    OpenCvFeed(0, options, make=lambda number, backend: capture).open()

    keys = [key for key, _ in capture.asked]
    assert keys == [
        cv2.CAP_PROP_FOURCC,
        cv2.CAP_PROP_FRAME_WIDTH,
        cv2.CAP_PROP_FRAME_HEIGHT,
        cv2.CAP_PROP_FPS,
        cv2.CAP_PROP_BUFFERSIZE,
    ]
    assert capture.asked[-1] == (cv2.CAP_PROP_BUFFERSIZE, 1)


def test_opencvs_pictures_come_out_as_they_went_in_until_the_plug_is_pulled():
    capture = FakeCapture(pictures=1)
    source = LiveSource(OpenCvFeed(0, SourceOptions(), lambda *_: capture), "capture:0", "auto", 5.0, SILENT)
    picture = source.read()

    with pytest.raises(FaultError) as caught:
        source.read()

    source.close()
    assert picture.bgra()[0, 0].tolist() == [10, 20, 30, 255]
    assert picture.rgb(Size(8, 8))[0, 0].tolist() == [30, 20, 10]
    assert caught.value.code is FaultCode.SOURCE_LOST
    assert capture.released


def test_opencv_without_the_device_is_a_missing_device():
    capture = FakeCapture(pictures=0, opens=False)

    with pytest.raises(FaultError) as caught:
        OpenCvFeed(3, SourceOptions(), make=lambda *_: capture).open()

    assert caught.value.code is FaultCode.DEVICE_MISSING
    assert capture.released
