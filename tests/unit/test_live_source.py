"""A live source gives the newest picture and says so when there is none: with a feed that does as told."""

from __future__ import annotations

import io
import queue
import threading
import time
from fractions import Fraction

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame

from engine.faults import FaultCode, FaultError
from engine.sources.live.container_feed import ContainerFeed
from engine.sources.live.grabber import Facts, LiveSource

SILENT = FaultError(FaultCode.SOURCE_LOST, "a picture", "none", "look")


def frame(level=0, width_px=64, height_px=48):
    return VideoFrame.from_ndarray(np.full((height_px, width_px, 3), level, np.uint8), format="bgr24")


def transport_stream(width_px, height_px, rate_hz, aspect):
    """A few H.264 pictures as a sender on the network gives them."""
    file = io.BytesIO()
    with av.open(file, "w", format="mpegts") as container:
        stream = container.add_stream("libx264", rate=rate_hz, options={"tune": "zerolatency"})
        stream.width, stream.height, stream.pix_fmt = width_px, height_px, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(aspect)
        for level in range(12):
            container.mux(stream.encode(frame(level * 20, width_px, height_px)))
        container.mux(stream.encode(None))
    return file.getvalue()


class FakeFeed:
    """Gives what is put into `events`: frames, None for the sender's end, or an exception to raise."""

    title = "fake device"
    said = Facts(25.0, 1.0, "fake decoder")

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
        return self.said

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
    monkeypatch.setattr("engine.sources.live.grabber.CLOSE_WAIT_S", 0.01)


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
    monkeypatch.setattr("engine.sources.live.grabber.STALL_S", 0.05)


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


def test_a_sender_that_changes_its_pictures_is_described_anew(live):
    feed = FakeFeed(frame())
    source = live(feed)
    source.read()
    first = source.info

    feed.said = Facts(10.0, 2.0, "fake decoder")
    feed.events.put(frame(1, 128, 72))
    source.read()

    assert (first.width_px, first.height_px, first.rate_hz, first.pixel_aspect) == (64, 48, 25.0, 1.0)
    now = source.info
    assert (now.width_px, now.height_px, now.rate_hz, now.pixel_aspect) == (128, 72, 10.0, 2.0)


def test_as_long_as_nothing_changes_the_description_is_the_same_object(live):
    feed = FakeFeed(frame())
    source = live(feed)
    source.read()
    first = source.info

    feed.events.put(frame(1))
    source.read()

    assert source.info is first


def test_the_decoder_tells_when_a_sender_starts_anew_with_another_rate(tmp_path):
    path = tmp_path / "two.ts"
    path.write_bytes(transport_stream(64, 48, 25, "1/1") + transport_stream(128, 96, 10, "2/1"))
    feed = ContainerFeed("two senders", lambda _: av.open(str(path)), remedy="none")
    feed.open()

    said = [(f.width, feed.facts().rate_hz, feed.facts().pixel_aspect) for f, _, _ in feed.pictures()]
    feed.close()

    assert said[0] == (64, 25.0, 1.0)
    assert said[-1] == (128, 10.0, 2.0)


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
