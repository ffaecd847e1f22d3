"""What a live source tells of its signal, through the whole live path: frozen, lost, damaged, late, gone."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame

from engine.faults import FaultCode, FaultError
from engine.live.pipeline import Pipeline
from engine.sources import open_source, parse_source
from engine.sources.base import SourceSpec
from engine.sources.live.container_feed import ContainerFeed
from engine.sources.live.signal import Signal
from engine.types import SourceState, StateWord
from tests.fixtures.fakes import FakeSource
from tests.fixtures.senders import free_port

RATE_HZ = 25


@pytest.fixture
def pipeline(request):
    opened = []

    def make(**options):
        opened.append(Pipeline(**options))
        return opened[-1]

    yield make
    for made in opened:
        made.close()


def until(pipeline, condition, timeout_s=15.0):
    ends_s = time.monotonic() + timeout_s
    while not condition(snapshot := pipeline.snapshot()):
        assert time.monotonic() < ends_s, f"still {snapshot.word} {snapshot.faults}"
        time.sleep(0.01)
    return snapshot


def scene(number, width_px=320):
    small = np.random.default_rng(number // 50).integers(0, 255, (15, width_px // 16, 3), dtype=np.uint8)
    return np.roll(small.repeat(16, 0).repeat(16, 1), 3 * number, 1)


@contextlib.contextmanager
def sending(port, picture_of=scene, *, codec="libx264", options=None, lose=lambda count: False, width_px=320):
    """MPEG-TS over UDP in real time; `lose` says which datagrams never arrive. Gives the pictures sent."""
    stop, sent = threading.Event(), {}

    class Wire:
        def __init__(self):
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.count, self.rest = 0, b""

        def write(self, data):
            self.rest += bytes(data)
            while len(self.rest) >= 1316:
                datagram, self.rest = self.rest[:1316], self.rest[1316:]
                self.count += 1
                if not lose(self.count):
                    with contextlib.suppress(OSError):
                        self.socket.sendto(datagram, ("127.0.0.1", port))
            return len(data)

    def run():
        wire = Wire()
        with av.open(wire, "w", format="mpegts", options=options or {}) as container:
            extra = {"tune": "zerolatency", "preset": "ultrafast"} if codec == "libx264" else {}
            stream = container.add_stream(codec, rate=RATE_HZ, options=extra)
            stream.width, stream.height, stream.pix_fmt = width_px, 240, "yuv420p"
            stream.codec_context.gop_size = 12
            started_s = time.monotonic()
            number = 0
            while not stop.wait(max(0.0, started_s + number / RATE_HZ - time.monotonic())):
                frame = VideoFrame.from_ndarray(picture_of(number), format="rgb24")
                frame.pts = number
                sent[number] = frame.to_ndarray(format="gray")
                container.mux(stream.encode(frame))
                number += 1
        wire.socket.close()

    thread = threading.Thread(target=run, name="sender")
    thread.start()
    try:
        yield sent
    finally:
        stop.set()
        thread.join()


def test_a_sender_that_repeats_one_picture_is_frozen_and_leaves_a_trace(pipeline):
    port = free_port(socket.SOCK_DGRAM)
    held = threading.Event()
    live = pipeline()
    with sending(port, lambda number: scene(0 if held.is_set() else number)):
        live.open(parse_source(f"udp://127.0.0.1:{port}"))
        until(live, lambda s: s.source_state is SourceState.RUNNING)
        held.set()
        frozen = until(live, lambda s: s.word is StateWord.FROZEN)
        assert "has not moved" in frozen.faults[-1].sentence
        assert "for 0 s" not in frozen.faults[-1].sentence
        held.clear()
        moving = until(live, lambda s: s.word is not StateWord.FROZEN and not s.faults)

    assert "Frozen picture" in moving.incidents[-1].what
    assert moving.incidents[-1].to_s > moving.incidents[-1].from_s


def test_a_picture_that_misses_parts_is_damaged_and_gets_no_marks(pipeline):
    source = FakeSource(live=True, rate_hz=50)
    live = pipeline(open_source=lambda spec, options: source)
    live.open(SourceSpec("stream", "tcp://x:1"))
    until(live, lambda s: s.source_state is SourceState.RUNNING)
    source.signal = Signal(damaged=True, lost_frac=0.05)

    snapshot = until(live, lambda s: s.presentation.frame.damaged)

    assert "5% of the stream's packets were lost" in snapshot.faults[-1].sentence


def test_a_late_picture_says_how_late_and_what_was_skipped(pipeline):
    source = FakeSource(live=True, rate_hz=50)
    live = pipeline(open_source=lambda spec, options: source)
    live.open(SourceSpec("stream", "tcp://x:1"))
    source.signal = Signal(behind_s=7.2)
    late = until(live, lambda s: s.faults)
    source.signal = Signal()

    after = until(live, lambda s: not s.faults)

    assert "7.2 s behind" in late.faults[0].sentence
    assert "7.2 s were skipped" in after.incidents[-1].what


def test_with_five_of_a_hundred_datagrams_lost_no_wrong_picture_passes_for_a_good_one():
    port = free_port(socket.SOCK_DGRAM)
    losing = np.random.default_rng(5).random(100_000) < 0.05
    shown = []
    with sending(port, lose=lambda count: count > 200 and bool(losing[count])) as sent:
        source = open_source(parse_source(f"udp://127.0.0.1:{port}"))
        try:
            while len(shown) < 100:
                shown.append(source.read())
        finally:
            source.close()
        first = shown[0]
        luma = {picture.index: picture.frame.to_ndarray(format="gray").astype(int) for picture in shown}
        start = min(tuple(sent), key=lambda number: np.abs(luma[first.index] - sent[number]).mean())

    def is_wrong(picture):
        """Unlike what was sent at about its time; one whose time stamp was lost may be a neighbour's."""
        number = start + round((picture.pts_s - first.pts_s) * RATE_HZ)
        near = [sent[other] for other in range(number - 3, number + 4) if other in sent]
        return min(np.abs(luma[picture.index] - one).mean() for one in near) > 8

    passed = [picture for picture in shown if not picture.signal.damaged]
    assert [picture.index for picture in passed if is_wrong(picture)] == []
    assert passed
    assert any(is_wrong(picture) for picture in shown)
    assert 0.01 < shown[-1].signal.lost_frac < 0.1


def test_a_stream_that_is_opened_before_its_sender_is_picked_up_and_the_time_counts(pipeline, monkeypatch):
    monkeypatch.setattr("engine.sources.live.stream.OPEN_S", 0.3)
    port = free_port(socket.SOCK_DGRAM)
    live = pipeline()
    live.open(parse_source(f"udp://127.0.0.1:{port}"))
    first = until(live, lambda s: s.word is StateWord.NO_SIGNAL and s.faults)
    later = until(live, lambda s: s.faults and "try 2" in s.faults[0].sentence)
    with sending(port):
        after = until(live, lambda s: s.source_state is SourceState.RUNNING and not s.faults)

    assert f"No signal from udp://127.0.0.1:{port} for " in first.faults[0].sentence
    assert later.faults[0].sentence != first.faults[0].sentence
    assert len(later.faults) == 1
    assert [incident.what for incident in after.incidents] == [f"No signal from udp://127.0.0.1:{port}"]


@pytest.mark.parametrize(
    "again",
    [
        {"options": {"mpegts_start_pid": "0x200", "mpegts_pmt_start_pid": "0x1200"}},
        {"codec": "mpeg2video"},
        {"width_px": 480, "picture_of": lambda number: scene(number, 480)},
    ],
    ids=["other PIDs", "another codec", "another size"],
)
def test_a_sender_that_comes_back_otherwise_is_picked_up(pipeline, again):
    port = free_port(socket.SOCK_DGRAM)
    live = pipeline()
    with sending(port):
        live.open(parse_source(f"udp://127.0.0.1:{port}"))
        until(live, lambda s: s.source_state is SourceState.RUNNING)
    until(live, lambda s: s.word is StateWord.NO_SIGNAL)
    last = live.snapshot().presentation.frame.number + 5
    with sending(port, **again):
        until(live, lambda s: s.source_state is SourceState.RUNNING and s.presentation.frame.number > last)


def test_another_source_never_waits_for_the_one_that_opens(pipeline):
    opens, second = threading.Event(), FakeSource(live=True, rate_hz=50)

    def open_slowly(spec, options):
        if spec.address.endswith("slow"):
            opens.wait(10)
            raise FaultError(FaultCode.SOURCE_LOST, "a picture", "none", "look")
        return second

    live = pipeline(open_source=open_slowly)
    live.open(SourceSpec("stream", "tcp://x/slow"))
    until(live, lambda s: s.word is StateWord.OPENING)
    asked_s = time.monotonic()
    live.open(SourceSpec("stream", "tcp://x/quick"))
    until(live, lambda s: s.source_state is SourceState.RUNNING)
    took_s = time.monotonic() - asked_s
    opens.set()

    assert took_s < 2.0
    assert live.snapshot().faults == ()


def test_a_stream_that_is_given_up_while_it_opens_is_closed_when_it_has_opened(pipeline):
    opens, late = threading.Event(), FakeSource(live=True)

    def open_slowly(spec, options):
        opens.wait(10)
        return late

    live = pipeline(open_source=open_slowly)
    live.open(SourceSpec("stream", "tcp://x/slow"))
    until(live, lambda s: s.word is StateWord.OPENING)
    live.close_source()
    until(live, lambda s: s.source_state is SourceState.IDLE)
    opens.set()

    assert late.closed.wait(5)


def test_a_decoder_that_cannot_keep_up_skips_to_the_newest_pictures(tmp_path):
    path = tmp_path / "film.ts"
    with av.open(str(path), "w", format="mpegts") as container:
        stream = container.add_stream("libx264", rate=RATE_HZ, options={"tune": "zerolatency"})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        stream.codec_context.gop_size = 12
        for number in range(150):
            frame = VideoFrame.from_ndarray(scene(number), format="rgb24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    feed = ContainerFeed("film", lambda accel: av.open(str(path)), "look")
    feed.open()
    seen = 0
    for seen, _ in enumerate(feed.pictures(), 1):  # noqa: B007
        time.sleep(0.08)  # of 25 a second it can take 12, and all of them are there already
    feed.close()

    assert 30 < seen < 130
