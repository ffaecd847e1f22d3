"""One network gives way to another, and one that hangs to the next: with a real pipeline."""

from __future__ import annotations

import threading
import time

import pytest

from app.network.catalogue import read_machine
from engine.faults import FaultCode, FaultError
from engine.live.pipeline import Pipeline
from engine.runtime.live import Live
from engine.runtime.order import missing
from engine.sources.base import SourceSpec
from engine.types import AiState, OperatingPoint, SourceState, StateWord
from tests.fixtures.fakes import FakeRuntime, FakeSource, Held
from tests.fixtures.models import red_model

WAIT_S = 10.0


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("POLYPLIVE_HOME", str(tmp_path / "home"))


@pytest.fixture
def red(tmp_path):
    return red_model(tmp_path)


@pytest.fixture
def other(tmp_path):
    return red_model(tmp_path, model_id="other-red", threshold=0.3)


@pytest.fixture
def playing(red):
    """A pipeline that plays with the network that `opens(runtime name, model id)` gives."""
    made, held = [], []

    def play(opens, model=red):
        def open_live(name, folder, options):
            runtime = opens(name, folder.id)
            if isinstance(runtime, Held):
                held.append(runtime)
            return Live(runtime)

        source = FakeSource(live=True, rate_hz=50)
        pipeline = Pipeline(open_source=lambda spec, options: source, open_live=open_live)
        made.append(pipeline)
        pipeline.open(SourceSpec("file", "fake"))
        pipeline.set_model(model)
        return pipeline

    yield play
    for pipeline in made:
        pipeline.close()
    for runtime in held:
        runtime.go.set()
    until(lambda: not [one for one in threading.enumerate() if one.name == "polyplive-network"])


def until(condition):
    ends_s = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < ends_s
        time.sleep(0.01)


def ai(pipeline):
    return pipeline.snapshot().ai_state


def masks_come(runtime):
    calls = runtime.calls
    until(lambda: runtime.calls > calls + 2)


# Switching


def test_the_old_network_marks_until_another_one_is_ready(playing, other):
    first, second, ready = FakeRuntime(), FakeRuntime(), threading.Event()

    def opens(name, model_id):
        if model_id == "red":
            return first
        ready.wait(WAIT_S)
        return second

    pipeline = playing(opens)
    until(lambda: ai(pipeline) is AiState.ON)
    pipeline.set_model(other)
    until(lambda: pipeline.snapshot().preparing is not None)
    masks_come(first)
    meanwhile = pipeline.snapshot()
    ready.set()
    until(lambda: pipeline.snapshot().model_id == "other-red")
    after = pipeline.snapshot()
    masks_come(second)
    until(lambda: first.closed)

    assert (meanwhile.model_id, meanwhile.ai_state, meanwhile.word) == ("red", AiState.ON, StateWord.LIVE)
    assert (meanwhile.running.model_dir.name, meanwhile.preparing.model_dir) == ("red", other)
    assert (after.running.model_dir, after.preparing) == (other, None)
    assert after.operating_point.threshold == 0.3


def test_of_several_wishes_the_last_counts(playing, red, other):
    slow, last, ready = FakeRuntime(), FakeRuntime(), threading.Event()

    def opens(name, model_id):
        if name == "eager":
            ready.wait(WAIT_S)
            return slow
        return last if name == "openvino" else FakeRuntime()

    pipeline = playing(opens)
    until(lambda: ai(pipeline) is AiState.ON)
    pipeline.set_model(other, "eager")
    until(lambda: pipeline.snapshot().preparing is not None)
    pipeline.set_model(red, "openvino")
    until(lambda: pipeline.snapshot().running.runtime == "openvino")
    ready.set()
    until(lambda: slow.closed)
    masks_come(last)

    assert pipeline.snapshot().model_id == "red"


@pytest.mark.parametrize("fails", ["to open", "at its first picture"])
def test_a_network_that_fails_leaves_the_old_one_running_and_says_so(playing, other, fails):
    first, second = FakeRuntime(), FakeRuntime()
    second.broken.set()

    def opens(name, model_id):
        if model_id == "red":
            return first
        if fails == "to open":
            raise FaultError(FaultCode.MODEL_LOAD, "a network", "a poem", "export it again")
        return second

    pipeline = playing(opens)
    until(lambda: ai(pipeline) is AiState.ON)
    pipeline.set_model(other)
    until(lambda: pipeline.snapshot().faults)
    masks_come(first)
    (fault,) = pipeline.snapshot().faults

    assert fault.sentence.startswith("other-red is not ready, so red goes on.")
    assert (pipeline.snapshot().model_id, ai(pipeline)) == ("red", AiState.ON)


def test_a_moved_threshold_outlives_another_runtime_of_the_same_model(playing, red):
    pipeline = playing(lambda name, model_id: FakeRuntime())
    until(lambda: ai(pipeline) is AiState.ON)
    pipeline.set_operating_point(OperatingPoint(0.77, 0.0, preset="standard"))
    pipeline.set_model(red, "eager")
    until(lambda: pipeline.snapshot().running.runtime == "eager")

    assert pipeline.snapshot().operating_point.threshold == 0.77


# Hanging


def test_a_network_that_hangs_is_a_fault_and_the_next_runtime_starts(playing):
    hung, following = Held(), FakeRuntime()
    ready = threading.Event()

    def opens(name, model_id):
        if name == "auto":
            return hung
        ready.wait(WAIT_S)
        return following

    pipeline = playing(opens)
    until(lambda: ai(pipeline) is AiState.FAULT)
    faulty = pipeline.snapshot()
    ready.set()
    until(lambda: ai(pipeline) is AiState.ON)
    masks_come(following)

    assert faulty.word is StateWord.AI_FAULT
    assert "has not answered for 2 s" in faulty.faults[-1].sentence
    assert pipeline.snapshot().running.runtime == "openvino"
    assert pipeline.snapshot().source_state is SourceState.RUNNING


def test_when_every_runtime_hangs_it_is_told_and_each_was_tried_once(playing):
    tried = []

    def opens(name, model_id):
        tried.append(name)
        if len(tried) > 1:
            raise FaultError(FaultCode.MODEL_LOAD, "a network", "nothing", "wait")
        return Held()

    pipeline = playing(opens)
    until(lambda: ai(pipeline) is AiState.FAULT and pipeline.snapshot().preparing is None)

    assert len(set(tried)) == len(tried)
    assert ai(pipeline) is AiState.FAULT


def test_ai_off_and_another_model_work_at_once_while_the_network_hangs(playing, other):
    hung, second = Held(), FakeRuntime()
    pipeline = playing(lambda name, model_id: hung if model_id == "red" else second)
    until(hung.took.is_set)
    pipeline.set_ai(False)
    until(lambda: pipeline.snapshot().word is StateWord.AI_OFF)
    pipeline.set_model(other)
    until(lambda: pipeline.snapshot().model_id == "other-red")
    masks_come(second)

    assert pipeline.snapshot().faults == ()


def test_closing_does_not_wait_for_a_network_that_hangs(playing):
    hung = Held()
    pipeline = playing(lambda name, model_id: hung if name == "auto" else FakeRuntime())
    until(lambda: hung.took.is_set() and ai(pipeline) is AiState.ON and pipeline.snapshot().faults)
    pipeline.close()

    assert not hung.closed  # it is still at its picture
    hung.go.set()
    until(lambda: hung.closed)


# What can run here


def test_a_runtime_that_cannot_run_here_says_why():
    nothing = {"gpus": lambda: (), "version_of": lambda package: None}
    on_cpu = {"gpus": lambda: ("a GPU",), "version_of": lambda package: "2.9.0+cpu"}
    whole = {"gpus": lambda: ("a GPU",), "version_of": lambda package: "2.9.0"}

    assert missing("cuda", **nothing) == "no NVIDIA GPU here"
    assert missing("eager", **nothing) == "not installed: pip install 'polyplive[torch]'"
    assert missing("openvino", **nothing) == "not installed"
    assert missing("tensorrt", **on_cpu) == "torch is installed without CUDA"
    assert [missing(name, **whole) for name in ("openvino", "tensorrt", "cuda", "eager")] == [""] * 4


def test_this_machine_has_a_processor_that_openvino_computes_on():
    machine = read_machine()

    assert machine.reasons["openvino"] == ""
    assert "FP32" in machine.devices["CPU"]
