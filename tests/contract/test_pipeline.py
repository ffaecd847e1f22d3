"""The live path, with a real model folder, a fake source and a fake runtime."""

from __future__ import annotations

import os
import sys
import threading
import time

import pytest

from engine.faults import FaultCode, FaultError
from engine.live.pipeline import Pipeline
from engine.runtime.live import only
from engine.sources.base import SourceOptions, SourceSpec
from engine.types import AiState, OperatingPoint, Pacing, Rect, Size, SourceState, StateWord
from tests.fixtures.fakes import FakeRuntime, FakeSource, Held
from tests.fixtures.models import red_model

SPEC = SourceSpec("file", "fake")
WAIT_S = 10.0


class Screen:
    """Stands where the window stands: hears the bell, pulls the snapshot, reports the paint."""

    def __init__(self, source, runtime):
        self.changed = threading.Condition()
        self.source, self.runtime = source, runtime
        self.seen = []  # presentations, as painted
        self.words = []
        self.loads = lambda: None
        self.pipeline = Pipeline(
            self._bell,
            open_source=self._open_source,
            open_live=only(lambda name, model, options: self._open_runtime()),
        )

    def _open_runtime(self):
        self.loads()
        if isinstance(self.runtime, Exception):
            raise self.runtime
        return self.runtime

    def _open_source(self, spec, options):
        if isinstance(self.source, Exception):
            raise self.source
        return self.source

    def _bell(self):
        with self.changed:
            self.changed.notify_all()

    def until(self, condition, timeout_s=WAIT_S):
        """Pull and paint until `condition(snapshot)`; the snapshot that met it."""
        ends_s = time.monotonic() + timeout_s
        while True:
            snapshot = self.pipeline.snapshot()
            shown = snapshot.presentation
            if not self.words or self.words[-1] is not snapshot.word:
                self.words.append(snapshot.word)
            if shown is not None and (not self.seen or self.seen[-1] is not shown):
                self.seen.append(shown)
                now_s = time.monotonic()
                self.pipeline.painted(shown, now_s, now_s)
                continue
            if condition(snapshot):
                return snapshot
            left_s = ends_s - time.monotonic()
            assert left_s > 0, f"still {snapshot.word} {snapshot.faults}"
            with self.changed:
                self.changed.wait(min(left_s, 0.05))

    def indices(self):
        """Indices in the order of their first paint."""
        return list(dict.fromkeys(shown.frame.index for shown in self.seen))


@pytest.fixture
def screen(request):
    opened = []

    def make(source=None, runtime=None):
        made = Screen(source or FakeSource(), runtime or FakeRuntime())
        opened.append(made)
        return made

    yield make
    for made in opened:
        made.pipeline.close()


@pytest.fixture
def model(tmp_path):
    return red_model(tmp_path)


def ended(snapshot):
    return snapshot.source_state is SourceState.ENDED


def test_every_frame_of_a_file_is_shown_in_order_with_its_own_mask(screen, model):
    view = screen(FakeSource(frames=30, rate_hz=25))
    view.pipeline.set_model(model)
    view.until(lambda s: s.ai_state is AiState.ON)
    view.pipeline.open(SPEC)
    view.until(ended)

    # Real time on a busy machine may lose a frame or two; order and ownership of masks it may not lose.
    shown = view.indices()
    assert shown == sorted(shown)
    assert shown[0] == 0
    assert shown[-1] == 29
    assert len(shown) >= 27
    masked = {presentation.frame.index for presentation in view.seen if presentation.mask_age_s == 0.0}
    assert len(masked) >= 27


def test_damaged_pictures_of_a_recording_are_named_and_carry_no_marks(screen, model):
    source = FakeSource(frames=40, rate_hz=25)
    source.is_damaged = lambda index: index >= 20
    view = screen(source)
    view.pipeline.set_model(model)
    view.until(lambda s: s.ai_state is AiState.ON)
    view.pipeline.open(SPEC)
    snapshot = view.until(lambda s: s.word is StateWord.DAMAGED)
    view.until(ended)

    assert snapshot.presentation.frame.index >= 20
    marked = {presentation.frame.index for presentation in view.seen if presentation.result is not None}
    assert marked
    assert max(marked) < 20


def test_a_slow_network_costs_masks_but_never_frames(screen, model):
    view = screen(FakeSource(frames=40, rate_hz=50), FakeRuntime(delay_s=0.06))
    view.pipeline.set_model(model)
    view.until(lambda s: s.ai_state is AiState.ON)
    view.pipeline.open(SPEC)
    snapshot = view.until(ended)

    assert len(view.indices()) >= 36  # the machine may lose one or two, the network none
    assert view.runtime.calls < 40
    assert snapshot.stats.masked < snapshot.stats.shown
    assert all(shown.mask_age_s is None or shown.mask_age_s <= 0.120 for shown in view.seen)


@pytest.mark.skipif(sys.platform != "linux", reason="threads have a niceness of their own on Linux only")
def test_the_network_gives_way_to_the_picture(screen, model):
    niceness = []

    class Noting(FakeRuntime):
        def infer(self, image):
            niceness.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
            return super().infer(image)

    view = screen(FakeSource(frames=5), Noting())
    view.pipeline.set_model(model)
    view.until(lambda s: s.ai_state is AiState.ON)
    view.pipeline.open(SPEC)
    view.until(ended)

    assert min(niceness) > os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def test_each_mask_of_a_slow_network_is_there_when_its_frame_is_due(screen, model):
    # Three periods for a mask: handed over one frame ahead, each would come after its frame has gone.
    view = screen(FakeSource(frames=60, rate_hz=50), FakeRuntime(delay_s=0.06))
    view.pipeline.set_model(model)
    view.until(lambda s: s.ai_state is AiState.ON)
    view.pipeline.open(SPEC)
    view.until(ended)

    first = {}
    for shown in view.seen:
        first.setdefault(shown.frame.index, shown.mask_age_s)
    own = [index for index, age_s in first.items() if age_s == 0.0]
    assert len(own) >= 10  # of about twenty masks; the machine may be busy


def test_every_pacing_shows_each_frame_however_slow_the_network(screen, model):
    view = screen(FakeSource(frames=12, rate_hz=1000), FakeRuntime(delay_s=0.02))
    view.pipeline.set_model(model)
    view.until(lambda s: s.ai_state is AiState.ON)
    view.pipeline.open(SPEC, SourceOptions(), Pacing.EVERY)
    view.until(ended)

    assert [shown.frame.index for shown in view.seen if shown.mask_age_s == 0.0] == list(range(12))


def test_a_mask_that_comes_too_late_is_not_drawn_and_the_word_says_stale(screen, model):
    view = screen(FakeSource(live=True, rate_hz=50), FakeRuntime(delay_s=0.6))
    view.pipeline.set_model(model)
    view.until(lambda s: s.ai_state is AiState.ON)
    view.pipeline.open(SPEC)
    snapshot = view.until(lambda s: s.word is StateWord.STALE)

    assert snapshot.presentation.result is None


def test_a_live_source_of_few_pictures_is_shown_with_their_marks_and_no_word_flickers(screen, model):
    view = screen(FakeSource(live=True, rate_hz=7), FakeRuntime(delay_s=0.02))
    view.pipeline.set_model(model)
    view.until(lambda s: s.ai_state is AiState.ON)
    view.pipeline.open(SPEC)
    view.until(lambda s: s.presentation is not None and s.presentation.result is not None)
    view.words.clear()
    view.seen.clear()

    view.until(lambda s: s.presentation.frame.number > 5)
    assert view.words == [StateWord.LIVE]
    assert {shown.mask_age_s for shown in view.seen} == {0.0}


@pytest.fixture
def stalled(screen):
    """A live source that ran and has fallen silent: its view, the source."""
    source = FakeSource(live=True, rate_hz=50)
    view = screen(source)
    view.pipeline.open(SPEC)
    view.until(lambda s: s.source_state is SourceState.RUNNING)
    source.stall.set()
    view.until(lambda s: s.word is StateWord.NO_SIGNAL)
    return view, source


def test_a_live_source_that_stalls_is_no_signal_and_comes_back(stalled):
    view, source = stalled
    source.stall.clear()

    view.until(lambda s: s.source_state is SourceState.RUNNING)


def test_no_signal_is_said_within_half_a_second(stalled):
    view, _ = stalled
    last = view.seen[-1].frame.captured_s

    assert time.monotonic() - last < 0.6  # 0.1 s of grace for a busy machine


def test_a_lost_live_source_is_opened_again(screen):
    first, second = FakeSource(live=True, rate_hz=50), FakeSource(live=True, rate_hz=50)
    view = screen(first)
    view.pipeline.open(SPEC)
    view.until(lambda s: s.source_state is SourceState.RUNNING)
    view.source = second
    first.lost.set()
    snapshot = view.until(lambda s: s.word is StateWord.NO_SIGNAL)
    assert snapshot.faults

    snapshot = view.until(lambda s: s.source_state is SourceState.RUNNING)
    assert second.reads > 0
    view.until(lambda s: s.faults == ())  # the fault is no longer true


def test_a_source_that_does_not_open_is_failed_with_its_sentence(screen):
    view = screen(FaultError(FaultCode.SOURCE_MISSING, "a video file", "nothing at x.mp4", "check the path"))
    view.pipeline.open(SPEC)
    snapshot = view.until(lambda s: s.source_state is SourceState.FAILED)

    assert [f.sentence for f in snapshot.faults] == [
        "Found nothing at x.mp4 instead of a video file: check the path."
    ]


def test_a_file_that_breaks_off_plays_to_the_break_and_says_so(screen):
    source = FakeSource(frames=30)
    source.breaks_at = 10
    view = screen(source)
    view.pipeline.open(SPEC)
    snapshot = view.until(ended)

    assert view.indices()[-1] == 9
    assert [fault.code.value for fault in snapshot.faults] == ["source-truncated"]


def test_a_network_that_throws_costs_the_masks_and_not_the_picture(screen, model):
    view = screen(FakeSource(frames=200, rate_hz=50))
    view.pipeline.set_model(model)
    view.until(lambda s: s.ai_state is AiState.ON)
    view.pipeline.open(SPEC)
    view.until(lambda s: s.word is StateWord.PLAYING)
    view.runtime.broken.set()
    snapshot = view.until(lambda s: s.word is StateWord.AI_FAULT)
    shown = snapshot.presentation.frame.index
    later = view.until(lambda s: s.presentation.frame.index > shown + 5)

    assert later.presentation.result is None
    assert later.source_state is SourceState.RUNNING
    assert "an error of the network" in later.faults[-1].sentence


def test_switching_the_ai_on_again_brings_it_back_after_a_fault(screen, model):
    view = screen(FakeSource(frames=500, rate_hz=50))
    view.pipeline.set_model(model)
    view.pipeline.open(SPEC)
    view.until(lambda s: s.word is StateWord.PLAYING)
    view.runtime.broken.set()
    view.until(lambda s: s.word is StateWord.AI_FAULT)
    view.runtime.broken.clear()
    view.pipeline.set_ai(True)

    snapshot = view.until(lambda s: s.word is StateWord.PLAYING)
    assert snapshot.faults == ()


def test_a_missing_model_leaves_the_video_playing(screen, tmp_path):
    view = screen(FakeSource(frames=100, rate_hz=50))
    view.pipeline.set_model(tmp_path / "nothing")
    view.pipeline.open(SPEC)
    snapshot = view.until(lambda s: s.word is StateWord.AI_FAULT and s.presentation is not None)

    assert snapshot.source_state is SourceState.RUNNING
    assert snapshot.presentation.result is None


def test_the_threshold_moves_the_components_of_a_paused_picture_without_inference(screen, model):
    view = screen()
    view.pipeline.set_model(model)
    view.pipeline.open(SPEC)
    view.until(lambda s: s.presentation is not None and s.presentation.result is not None)
    view.pipeline.pause()
    view.until(lambda s: s.source_state is SourceState.PAUSED and s.presentation.mask_age_s == 0.0)
    calls = view.runtime.calls
    view.pipeline.set_operating_point(OperatingPoint(threshold=0.7, min_area_frac=1.0))
    view.until(lambda s: s.presentation.result.point.threshold == 0.7)
    assert len(view.seen[-1].result.components) == 1
    view.pipeline.set_operating_point(OperatingPoint(threshold=0.7, min_area_frac=0.0))
    view.until(lambda s: s.operating_point.min_area_frac == 0.0)

    assert view.runtime.calls == calls


def test_a_mask_is_never_drawn_on_a_picture_of_another_size(screen, model):
    source = FakeSource(live=True, rate_hz=50)
    source.size_of = lambda index: Size(64, 48) if index // 3 % 2 else Size(48, 64)
    view = screen(source, FakeRuntime(delay_s=0.015))
    view.pipeline.set_model(model)
    view.pipeline.open(SPEC)
    view.until(lambda s: s.presentation is not None and s.presentation.frame.index > 30)

    masked = [shown for shown in view.seen if shown.result is not None]
    assert len({shown.frame.size for shown in masked}) == 2
    for shown in masked:
        covered = shown.result.mask.roi
        assert (covered.w, covered.h) == (shown.frame.width_px, shown.frame.height_px)


@pytest.mark.parametrize("paused", [True, False], ids=["paused", "playing"])
def test_a_preset_chosen_while_a_picture_is_in_the_network_holds_for_its_mask(screen, model, paused):
    runtime = Held()
    view = screen(FakeSource(live=not paused, rate_hz=10), runtime)
    view.pipeline.set_model(model)
    view.pipeline.open(SPEC, pacing=Pacing.LIVE)
    view.until(lambda s: runtime.took.is_set() and s.presentation is not None)
    if paused:
        view.pipeline.pause()
        view.until(lambda s: s.source_state is SourceState.PAUSED)
    standard = view.pipeline.snapshot().operating_point
    quiet = OperatingPoint(standard.threshold, min_area_frac=2.0)
    view.pipeline.set_operating_point(quiet)
    runtime.go.set()
    view.until(lambda s: s.presentation.result is not None)

    assert all(shown.result is None or shown.result.components == () for shown in view.seen)
    assert view.seen[-1].result.point == quiet


def test_a_paused_picture_stays_and_plays_on_without_losing_a_frame(screen):
    view = screen(FakeSource(frames=25, rate_hz=25))
    view.pipeline.open(SPEC)
    view.until(lambda s: s.presentation is not None and s.presentation.frame.index >= 5)
    view.pipeline.pause()
    view.until(lambda s: s.word is StateWord.PAUSED)
    view.pipeline.play()
    view.until(ended)

    shown = view.indices()
    assert shown == sorted(shown)
    assert len(shown) >= 23


@pytest.fixture
def frozen(screen, model):
    """A screen with a live picture that was frozen, and its source."""
    source = FakeSource(live=True, rate_hz=50)
    view = screen(source)
    view.pipeline.set_model(model)
    view.until(lambda s: s.ai_state is AiState.ON)
    view.pipeline.open(SPEC)
    view.until(lambda s: s.word is StateWord.LIVE)
    view.pipeline.pause()
    view.until(lambda s: s.word is StateWord.PAUSED and s.presentation.mask_age_s == 0.0)
    return view, source


def until_read(source, more):
    """Wait until that many more pictures have been read."""
    target, ends_s = source.reads + more, time.monotonic() + WAIT_S
    while source.reads < target and time.monotonic() < ends_s:
        time.sleep(0.005)
    assert source.reads >= target


def test_a_frozen_live_picture_stays_with_its_own_mask_while_the_stream_is_read_on(frozen):
    view, source = frozen
    before = view.pipeline.snapshot().presentation
    until_read(source, 10)
    after = view.pipeline.snapshot()

    assert after.presentation is before
    assert after.word is StateWord.PAUSED


def test_after_a_freeze_the_newest_picture_is_there_at_once_and_none_counts_as_dropped(frozen):
    view, source = frozen
    old = view.pipeline.snapshot().presentation.frame
    dropped = view.pipeline.snapshot().stats.dropped
    until_read(source, 20)
    read = source.reads
    view.pipeline.play()
    snapshot = view.until(lambda s: s.source_state is SourceState.RUNNING)

    assert snapshot.presentation.frame.index >= read - 1, "nothing queues"
    assert snapshot.presentation.frame.index - old.index >= 19
    assert view.pipeline.snapshot().stats.dropped <= dropped + 1


def test_a_frozen_picture_never_stands_under_a_word_of_a_running_one(frozen):
    view, source = frozen
    old = view.pipeline.snapshot().presentation.frame
    until_read(source, 3)
    source.stall.set()  # the newest picture is as old as the stall
    words = set()
    view.pipeline.play()
    ends_s = time.monotonic() + 0.7
    while time.monotonic() < ends_s:
        snapshot = view.pipeline.snapshot()
        if snapshot.presentation.frame.number == old.number:
            words.add(snapshot.word)

    assert words <= {StateWord.PAUSED, StateWord.NO_SIGNAL}


def test_a_signal_that_stays_away_is_said_behind_a_frozen_picture_and_the_picture_stays(frozen):
    view, source = frozen
    old = view.pipeline.snapshot().presentation.frame
    source.stall.set()
    view.until(lambda s: s.word is StateWord.NO_SIGNAL)
    source.stall.clear()
    view.until(lambda s: s.word is StateWord.PAUSED)
    until_read(source, 5)

    assert view.pipeline.snapshot().presentation.frame.number == old.number
    view.pipeline.play()
    view.until(lambda s: s.word is StateWord.LIVE)


def test_a_source_that_is_lost_and_found_behind_a_frozen_picture_leaves_it_frozen(frozen):
    view, source = frozen
    view.source = FakeSource(live=True, rate_hz=50)
    source.lost.set()
    snapshot = view.until(lambda s: s.word is StateWord.NO_SIGNAL)
    assert snapshot.faults
    view.until(lambda s: s.word is StateWord.PAUSED)
    view.until(lambda s: s.faults == ())
    view.pipeline.play()
    view.until(lambda s: s.word is StateWord.LIVE)


def test_without_a_signal_nothing_can_be_frozen(stalled):
    view, source = stalled
    view.pipeline.pause()
    source.stall.clear()

    view.until(lambda s: s.source_state is SourceState.RUNNING)
    assert StateWord.PAUSED not in view.words


def test_a_step_moves_by_exactly_one_frame_and_pauses(screen):
    view = screen(FakeSource(frames=100, rate_hz=50))
    view.pipeline.open(SPEC)
    view.until(lambda s: s.presentation is not None and s.presentation.frame.index >= 5)
    view.pipeline.pause()
    at = view.until(lambda s: s.word is StateWord.PAUSED).presentation.frame.index
    for move, expected in ((1, at + 1), (1, at + 2), (-1, at + 1), (-1, at)):
        view.pipeline.step(move)
        view.until(lambda s, expected=expected: s.presentation.frame.index == expected)

    assert view.pipeline.snapshot().word is StateWord.PAUSED


def test_of_many_seeks_the_last_wins_and_the_picture_gets_its_own_mask(screen, model):
    view = screen(FakeSource(frames=100, rate_hz=50))
    view.pipeline.set_model(model)
    view.pipeline.open(SPEC)
    view.until(lambda s: s.presentation is not None)
    view.pipeline.pause()
    for index in (90, 10, 50):
        view.pipeline.seek(index / 50)

    snapshot = view.until(lambda s: s.presentation.frame.index == 50 and s.presentation.mask_age_s == 0.0)
    assert snapshot.word is StateWord.PAUSED


def test_a_file_can_be_played_again_from_its_end(screen):
    view = screen(FakeSource(frames=10, rate_hz=100))
    view.pipeline.open(SPEC)
    view.until(ended)
    shown_before = len(view.seen)
    view.pipeline.play()
    view.until(lambda s: s.source_state is SourceState.RUNNING)
    view.until(ended)

    again = [shown.frame.index for shown in view.seen[shown_before:]]
    assert again == sorted(again)
    assert (again[0], again[-1]) == (0, 9)


def test_backwards_play_runs_to_the_first_frame_and_pauses(screen):
    view = screen(FakeSource(frames=30, rate_hz=50))
    view.pipeline.open(SPEC)
    view.until(lambda s: s.presentation is not None and s.presentation.frame.index >= 10)
    view.pipeline.set_speed(-1.0)
    snapshot = view.until(lambda s: s.word is StateWord.PAUSED)

    assert snapshot.presentation.frame.index == 0


def test_played_backwards_frames_get_their_masks_too(screen, model):
    view = screen(FakeSource(frames=40, rate_hz=25), FakeRuntime(delay_s=0.01))
    view.pipeline.set_model(model)
    view.until(lambda s: s.ai_state is AiState.ON)
    view.pipeline.open(SPEC)
    view.until(lambda s: s.presentation is not None and s.presentation.frame.index >= 30)
    view.pipeline.set_speed(-1.0)
    view.until(lambda s: s.speed < 0)
    view.words.clear()
    began = len(view.seen)
    view.until(lambda s: s.source_state is SourceState.PAUSED)

    last = {shown.frame.index: shown for shown in view.seen[began:]}
    own = [i for i, shown in last.items() if shown.result is not None and shown.result.index == i]
    assert len(last) > 20
    assert len(own) >= 0.9 * len(last)
    assert view.words.count(StateWord.STALE) <= 1


@pytest.fixture
def loading(model):
    """A pipeline whose network is made ready until `ready` is set, and its screen."""
    ready = threading.Event()
    view = Screen(FakeSource(frames=50, rate_hz=50), FakeRuntime())
    view.loads = lambda: ready.wait(WAIT_S)
    view.pipeline.expect_model(True)
    view.until(lambda s: s.ai_state is AiState.LOADING)
    view.pipeline.open(SPEC)
    view.pipeline.set_model(model)
    view.until(lambda s: s.waits_for_ai and s.source_state is SourceState.RUNNING)
    yield view, ready
    ready.set()
    view.pipeline.close()


def test_a_recording_waits_at_its_first_picture_until_the_ai_is_ready(loading):
    view, ready = loading
    waiting = view.pipeline.snapshot()
    ready.set()
    view.until(lambda s: s.source_state is SourceState.ENDED)

    assert (waiting.word, waiting.presentation.frame.index) == (StateWord.AI_LOADING, 0)
    masked = {shown.frame.index for shown in view.seen if shown.result is not None}
    assert masked == set(view.indices())


def test_a_recording_that_waits_for_the_ai_plays_when_it_is_told_to(loading):
    view, _ = loading
    view.pipeline.play()
    view.until(lambda s: s.presentation.frame.index > 5)

    assert view.pipeline.snapshot().word is StateWord.AI_LOADING


def test_nobody_waits_for_an_ai_that_fails(loading):
    view, ready = loading
    view.runtime = FaultError(FaultCode.MODEL_LOAD, "a network", "a poem", "export it again")
    ready.set()
    view.until(lambda s: s.presentation.frame.index > 5)

    assert view.pipeline.snapshot().word is StateWord.AI_FAULT


def test_turning_the_ai_off_takes_the_mask_away_at_once(screen, model):
    view = screen()
    view.pipeline.set_model(model)
    view.pipeline.open(SPEC)
    view.until(lambda s: s.presentation is not None and s.presentation.result is not None)
    view.pipeline.pause()
    view.pipeline.set_ai(False)

    view.until(lambda s: s.ai_state is AiState.OFF and s.presentation.result is None)


def test_another_source_replaces_the_first_with_what_a_person_has_marked_in_it(screen):
    first, second = FakeSource(frames=1000), FakeSource(frames=1000, title="second")
    view = screen(first)
    view.pipeline.mark_missed(Rect(8, 8, 20, 20), 0.1)
    assert view.pipeline.missed == ()
    view.pipeline.open(SPEC)
    view.until(lambda s: s.presentation is not None)
    view.pipeline.mark_missed(Rect(50, 8, 20, 20), 0.1)
    assert [one.box for one in view.pipeline.missed] == [Rect(50, 8, 14, 20)]
    view.source = second
    view.pipeline.open(SPEC)

    view.until(lambda s: s.info is not None and s.info.title == "second" and s.presentation is not None)
    assert first.closed.is_set()
    assert view.pipeline.missed == ()


def test_closing_leaves_no_thread(screen, model):
    before = set(threading.enumerate())
    view = screen()
    view.pipeline.set_model(model)
    view.pipeline.open(SPEC)
    view.until(lambda s: s.presentation is not None)
    view.pipeline.close()

    assert not [t for t in set(threading.enumerate()) - before if t.name.startswith("polyplive")]
    assert view.source.closed.is_set()
