"""What runs at once, what is made ready beside it, and what a person is told: with a real pipeline."""

from __future__ import annotations

import sys
import threading
import time

import pytest

from engine.faults import FaultCode, FaultError
from engine.live.pipeline import Pipeline
from engine.live.upgrade import Upgrade
from engine.model_folder import load_model_folder
from engine.runtime import open_runtime
from engine.runtime.auto.choice import Candidate, Choice, Row, choice_facts, store_choice
from engine.runtime.auto.difference import Difference
from engine.runtime.base import RuntimeOptions
from engine.runtime.live import Later, Live, on_cpu_warning, open_live
from engine.runtime.nvidia.gpu import Gpu
from engine.sources.base import SourceSpec
from engine.types import AiState, RuntimeInfo
from tests.fixtures.fakes import FakeRuntime, FakeSource
from tests.fixtures.models import red_model

WAIT_S = 10.0
T4 = Gpu("NVIDIA T4", "7.5", "580.10")
AUTO_OPTIONS = RuntimeOptions()
SAME = Difference(0.0, 1.0, 1)
NOTHING = (sys.executable, "-c", "pass")
FOR_EVER = (sys.executable, "-c", "import time; time.sleep(600)")


class Named(FakeRuntime):
    def __init__(self, name, precision="f16", device="NVIDIA T4", threads=0):
        super().__init__()
        self.own = RuntimeInfo(name, device, precision, threads, "0")

    @property
    def info(self):
        return self.own


def on_cpu():
    return Named("openvino", "bf16", "AMD EPYC", 2)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("POLYPLIVE_HOME", str(tmp_path / "home"))


@pytest.fixture
def model(tmp_path):
    return load_model_folder(red_model(tmp_path))


def until(condition):
    ends_s = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < ends_s
        time.sleep(0.01)


def missing(name):
    return FaultError(FaultCode.EXTRA_MISSING, f"the package {name}", "it is not installed", "pip install it")


# What opens


def opened_with(model, name, runtimes, gpus=(), options=AUTO_OPTIONS):
    """`runtimes`: what each name opens to, or raises."""
    asked = []

    def open_one(name, model, options):
        asked.append(name)
        if isinstance(runtimes[name], Exception):
            raise runtimes[name]
        return runtimes[name]

    return open_live(name, model, options, gpus=lambda: gpus, open_one=open_one), asked


def test_the_first_start_is_as_quick_as_ever_and_measures_when_nothing_plays(model):
    live, asked = opened_with(model, "auto", {"auto": on_cpu()})

    assert asked == ["auto"]
    assert live.warning is None
    assert live.later.at_rest
    assert "engine.runtime.auto.measure" in live.later.command


def test_what_was_measured_is_not_measured_again(model):
    chosen = Candidate("openvino", "f32", 1)
    store_choice(choice_facts(model), Choice(chosen, (Row(chosen, "f32", 1.0, 1.0, SAME),)))
    live, _ = opened_with(model, "auto", {"auto": on_cpu()})

    assert live.later is None
    runtime = open_runtime("auto", model)
    assert (runtime.info.precision, runtime.info.threads) == ("f32", 1)
    runtime.close()


def test_a_precision_that_was_asked_for_is_not_measured(model):
    live, _ = opened_with(model, "auto", {"auto": on_cpu()}, options=RuntimeOptions("f32"))

    assert live.later is None


def test_a_gpu_gets_its_turn_at_once(model):
    live, _ = opened_with(model, "auto", {"auto": on_cpu()}, gpus=(T4,))

    assert not live.later.at_rest
    assert live.warning is None


def test_a_gpu_that_did_not_run_when_it_was_measured_is_a_warning_with_the_reason(model):
    usual, gpu = Candidate("openvino", "bf16", 2), Candidate("cuda", "f16")
    rows = (
        Row(usual, "bf16", 5.0, 6.0, SAME),
        Row(gpu, failed="Expected a GPU, got a torch built for CPUs only."),
    )
    live, _ = opened_with(model, "auto", {"auto": on_cpu()}, gpus=(T4,))
    store_choice(choice_facts(model), Choice(usual, rows))
    again, _ = opened_with(model, "auto", {"auto": on_cpu()}, gpus=(T4,))

    for told in (live.later.reopen(), again):
        assert "NVIDIA T4" in told.warning.expected
        assert "on the CPU" in told.warning.got
        assert "built for CPUs only" in told.warning.got
        assert not told.warning.fatal


def test_a_gpu_that_was_slower_than_the_cpu_is_no_surprise(model):
    usual = Candidate("openvino", "bf16", 2)
    rows = (Row(usual, "bf16", 2.0, 3.0, SAME), Row(Candidate("cuda", "f16"), "f16", 9.0, 9.0, SAME))
    store_choice(choice_facts(model), Choice(usual, rows))
    live, _ = opened_with(model, "auto", {"auto": on_cpu()}, gpus=(T4,))

    assert live.warning is None


def test_a_gpu_runtime_that_does_not_open_is_replaced_and_told(model):
    runtimes = {"cuda": missing("torch"), "openvino": on_cpu()}
    live, asked = opened_with(model, "cuda", runtimes, gpus=(T4,))

    assert asked == ["cuda", "openvino"]
    assert live.runtime.info.name == "openvino"
    assert live.warning.got == "it is not installed, so openvino computes instead of cuda"
    assert not live.warning.fatal


def test_a_wrong_precision_is_refused_and_not_replaced(model):
    wrong = FaultError(FaultCode.ARGUMENT, "a precision", "int8", "choose auto")
    with pytest.raises(FaultError, match="int8"):
        opened_with(model, "cuda", {"cuda": wrong})


def test_openvino_by_its_name_is_what_was_wanted(model):
    live, _ = opened_with(model, "openvino", {"openvino": on_cpu()}, gpus=(T4,))

    assert live.warning is None


@pytest.mark.parametrize(
    ("info", "warns"),
    [
        (RuntimeInfo("eager", "AMD EPYC", "f32", 2, "0"), True),
        (RuntimeInfo("eager", "NVIDIA T4", "f32", 2, "0"), False),
        (RuntimeInfo("cuda", "NVIDIA T4", "f16", 0, "0"), False),
        (RuntimeInfo("openvino", "Intel Iris", "f16", 0, "0"), False),
    ],
    ids=["eager on the CPU", "eager on the GPU", "cuda", "another GPU"],
)
def test_a_cpu_that_computes_beside_a_gpu_is_told(info, warns):
    assert (on_cpu_warning(info, (T4,)) is not None) == warns
    assert on_cpu_warning(info, ()) is None


def test_an_engine_that_is_not_built_yet_is_built_while_the_gpu_serves_without_it(model, monkeypatch):
    from engine.runtime import live as module
    from engine.table import Entry

    monkeypatch.setattr(module, "BUILT", {"tensorrt": Entry("tests.contract.test_live_runtime:never_built")})
    live, asked = opened_with(model, "tensorrt", {"cuda": Named("cuda"), "tensorrt": Named("tensorrt")})

    assert asked == ["cuda"]
    assert live.later.command[2:5] == ("-m", "engine.runtime.build", str(model.path))
    assert live.later.reopen().runtime.info.name == "tensorrt"


def never_built(model, options):
    return False


# The swap


@pytest.fixture
def playing(model):
    """A pipeline that plays a live source with `live` as its AI."""
    pipelines = []

    def play(live):
        pipeline = Pipeline(
            open_source=lambda spec, options: FakeSource(live=True, rate_hz=100),
            open_live=lambda name, folder, options: live,
        )
        pipelines.append(pipeline)
        pipeline.set_model(model.path)
        pipeline.open(SourceSpec("capture", "fake"))
        return pipeline

    yield play
    for pipeline in pipelines:
        pipeline.close()


def test_the_better_runtime_takes_over_between_two_frames(playing):
    first, second = Named("cuda"), Named("tensorrt")
    allowed = threading.Event()

    def reopen():
        assert allowed.wait(WAIT_S)
        return Live(second)

    pipeline = playing(Live(first, later=Later(NOTHING, reopen, at_rest=False)))
    until(lambda: first.calls > 5)
    states = set()
    allowed.set()
    until(lambda: states.add(pipeline.snapshot().ai_state) or second.calls > 5)

    assert pipeline.snapshot().runtime.name == "tensorrt"
    assert first.closed
    assert states == {AiState.ON}
    assert pipeline.snapshot().faults == ()


def test_a_build_that_fails_is_told_and_what_runs_goes_on(playing):
    first = Named("cuda")
    command = (sys.executable, "-c", "import sys; sys.exit('Expected a GPU, got none: buy one.')")
    pipeline = playing(Live(first, later=Later(command, lambda: Live(Named("never")), at_rest=False)))
    until(lambda: pipeline.snapshot().faults)
    calls = first.calls
    until(lambda: first.calls > calls)

    (fault,) = pipeline.snapshot().faults
    assert "buy one" in fault.sentence
    assert not fault.fatal


def test_a_warning_is_in_the_snapshot_from_the_start(playing):
    warning = on_cpu_warning(on_cpu().info, (T4,))
    pipeline = playing(Live(on_cpu(), warning))
    until(lambda: pipeline.snapshot().faults)

    assert "NVIDIA T4" in pipeline.snapshot().faults[0].sentence
    assert pipeline.snapshot().ai_state is AiState.ON


def test_another_model_ends_what_was_being_made_ready(playing, model):
    pipeline = playing(Live(Named("cuda"), later=Later(FOR_EVER, lambda: Live(Named("late")), at_rest=False)))
    until(lambda: pipeline.snapshot().ai_state is AiState.ON)

    pipeline.close()  # the leak check finds a process that is left


# When it may run


def test_measuring_waits_until_nothing_plays_and_stops_when_something_does():
    rests = threading.Event()
    answers = []
    upgrade = Upgrade(
        Later(FOR_EVER, lambda: Live(Named("late")), at_rest=True), rests.is_set, answers.append, rest_s=0.2
    )
    busy_alone = children()
    rests.set()
    until(lambda: children() > busy_alone)
    rests.clear()
    until(lambda: children() == busy_alone)
    upgrade.cancel()

    assert answers == []


def children():
    import psutil

    return len(psutil.Process().children())
