"""A live source gives the newest picture and says so when there is none: with a feed that does as told."""

from __future__ import annotations

import queue
import threading
import time

import numpy as np
import pytest
from av.video.frame import VideoFrame

from engine.faults import FaultCode, FaultError
from engine.sources.live import Facts, LiveSource

SILENT = FaultError(FaultCode.SOURCE_LOST, "a picture", "none", "look")


def frame(level=0):
    return VideoFrame.from_ndarray(np.full((48, 64, 3), level, np.uint8), format="bgr24")


class FakeFeed:
    """Gives what is put into `events`: frames, None for the sender's end, or an exception to raise."""

    title = "fake device"

    def __init__(self, *events, open_error=None):
        self.events = queue.SimpleQueue()
        for event in events:
            self.events.put(event)
        self.open_error = open_error
        self.closed = threading.Event()
        self.given = 0
        self.moved = threading.Condition()

    def open(self):
        if self.open_error:
            raise self.open_error

    def facts(self):
        return Facts(25.0, 1.0, "fake decoder")

    def stop(self):
        pass

    def pictures(self):
        while (event := self.events.get()) is not None:
            if isinstance(event, Exception):
                raise event
            yield event, self.given / 25, time.monotonic()
            with self.moved:
                self.given += 1
                self.moved.notify_all()

    def close(self):
        self.closed.set()

    def wait_until_given(self, count):
        with self.moved:
            assert self.moved.wait_for(lambda: self.given >= count, 5)


@pytest.fixture(autouse=True)
def no_waiting_for_the_fake(monkeypatch):
    monkeypatch.setattr("engine.sources.live.CLOSE_WAIT_S", 0.01)


@pytest.fixture
def live():
    opened = []

    def open_live(feed, open_s=5.0):
        opened.append((LiveSource(feed, "fake:", "auto", open_s, SILENT), feed))
        return opened[-1][0]

    yield open_live
    for source, feed in opened:
        source.close()
        feed.events.put(None)
        assert feed.closed.wait(5)


@pytest.fixture
def quick_stall(monkeypatch):
    monkeypatch.setattr("engine.sources.live.STALL_S", 0.05)


def test_the_first_picture_is_not_lost_to_opening(live):
    source = live(FakeFeed(frame(7)))

    assert source.read().bgra()[0, 0, 0] == 7
    assert source.info.live
    assert not source.info.seekable
    assert (source.info.width_px, source.info.height_px) == (64, 48)


def test_only_the_newest_picture_is_given_and_the_gap_is_visible(live):
    feed = FakeFeed(*(frame(level) for level in range(20)))
    source = live(feed)
    feed.wait_until_given(20)

    newest = source.read()

    assert newest.index == 19
    assert newest.bgra()[0, 0, 0] == 19


def test_a_picture_is_never_given_twice(live, quick_stall):
    source = live(FakeFeed(frame()))
    source.read()

    with pytest.raises(FaultError):
        source.read()


def test_a_driver_that_blocks_is_a_lost_source(live, quick_stall):
    source = live(FakeFeed(frame()))
    source.read()

    with pytest.raises(FaultError) as caught:
        source.read()

    assert caught.value.code is FaultCode.SOURCE_LOST
    assert "fake device" in caught.value.expected


def test_pictures_after_a_stall_are_given_again(live, quick_stall):
    feed = FakeFeed(frame())
    source = live(feed)
    source.read()
    with pytest.raises(FaultError):
        source.read()

    feed.events.put(frame(3))
    feed.wait_until_given(2)

    assert source.read().bgra()[0, 0, 0] == 3


def test_what_the_driver_says_of_its_end_is_said(live):
    gone = FaultError(FaultCode.SOURCE_LOST, "pictures", "a pulled plug", "plug it in")
    feed = FakeFeed(frame(), gone)
    source = live(feed)
    source.read()

    with pytest.raises(FaultError) as caught:
        source.read()

    assert caught.value is gone


def test_a_sender_that_ends_is_a_lost_source(live):
    source = live(FakeFeed(frame(), None))
    source.read()

    with pytest.raises(FaultError) as caught:
        source.read()

    assert caught.value.code is FaultCode.SOURCE_LOST


def test_a_bug_in_the_feed_is_told_too(live, caplog):
    source = live(FakeFeed(frame(), ValueError("odd")))
    source.read()

    with pytest.raises(FaultError) as caught:
        source.read()

    assert caught.value.code is FaultCode.INTERNAL
    assert caught.value.got == "ValueError: odd"
    caplog.clear()


def test_a_device_that_does_not_open_is_told_at_once():
    missing = FaultError(FaultCode.DEVICE_MISSING, "a device", "none", "connect one")
    feed = FakeFeed(open_error=missing)

    with pytest.raises(FaultError) as caught:
        LiveSource(feed, "fake:", "auto", 5.0, SILENT)

    assert caught.value is missing
    assert feed.closed.wait(5)


def test_a_device_without_pictures_is_told_when_the_time_is_up():
    feed = FakeFeed()

    with pytest.raises(FaultError) as caught:
        LiveSource(feed, "fake:", "auto", 0.05, SILENT)

    assert caught.value is SILENT
    feed.events.put(None)
    assert feed.closed.wait(5)


def test_closing_lets_a_waiting_reader_go(live):
    source = live(FakeFeed(frame()))
    source.read()
    closer = threading.Timer(0.05, source.close)
    closer.start()

    assert source.read() is None
    closer.join()


def test_closing_does_not_wait_for_a_driver_that_hangs(live):
    feed = FakeFeed(frame())
    source = live(feed)

    source.close()

    assert not feed.closed.is_set()  # still inside the driver, left behind
    assert source.read() is None


def test_the_feed_is_closed_by_its_own_thread_when_it_comes_back(live):
    feed = FakeFeed(frame())
    source = live(feed)
    source.close()

    feed.events.put(frame())

    assert feed.closed.wait(5)


@pytest.mark.parametrize("call", [lambda source: source.seek(3), lambda source: source.index_at(1.0)])
def test_what_is_live_cannot_be_seeked(live, call):
    source = live(FakeFeed(frame()))

    with pytest.raises(FaultError) as caught:
        call(source)

    assert caught.value.code is FaultCode.SEEK
    assert not caught.value.fatal
