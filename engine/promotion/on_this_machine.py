"""How a candidate is executed here: whether it gives its masks, what is fastest, how long a frame takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from functools import lru_cache

from engine.faults import FaultCode, FaultError
from engine.jobs.ended import How
from engine.jobs.events import RunFolder
from engine.jobs.process import python
from engine.model_folder import ModelFolder
from engine.promotion.acceptance import Parity
from engine.promotion.waiting import waited_for
from engine.runtime import AUTO, open_runtime
from engine.runtime.auto.choice import choice_facts, stored_choice
from engine.runtime.auto.frames import stored_frames
from engine.runtime.auto.parity import compare_runtimes
from engine.runtime.base import RuntimeOptions
from engine.runtime.self_check import check_picture, stored_dice
from engine.types import U8, RuntimeInfo, Size

FRAMES = 500
EXACT = "f32"

Tick = Callable[[int, str], Callable[[], None]]


def exact_stored_dice(model: ModelFolder) -> float | None:
    """Of the exact network to the mask in the card; None where the card has none. Raises FaultError."""
    picture = check_picture(model.card)
    if picture is None:
        return None
    with closing(open_runtime("openvino", model, RuntimeOptions(EXACT))) as exact:
        return stored_dice(model.card, exact, picture)


def settle_runtime(model: ModelFolder, job: RunFolder) -> None:
    """Measure once what executes it fastest here, int8 and compiled engines among it, as the window does.

    What gives other masks than the exact network is not taken. Raises FaultError MODEL_LOAD: nothing does;
    KeyboardInterrupt when the job was asked to end.
    """
    if stored_choice(choice_facts(model)) is not None:
        return
    ended = waited_for(python("-m", "engine.runtime.auto.measure", str(model.path)), job)
    if ended.how is not How.DONE:
        raise FaultError(
            FaultCode.MODEL_LOAD,
            expected=f"a runtime that gives the masks of {model.id}",
            got=ended.reason,
            remedy="choose another model, or look at python main.py doctor",
            said=ended.sentence(f"The measuring of {model.id} on this machine"),
        )


def parity_of(model: ModelFolder) -> Parity:
    """Of what executes it here. Raises FaultError."""
    stored = exact_stored_dice(model)
    with (
        closing(open_runtime("openvino", model, RuntimeOptions(EXACT))) as exact,
        closing(open_runtime(AUTO, model)) as here,
    ):
        threshold = model.card.presets["standard"].threshold
        found = compare_runtimes(exact, here, _frames(model), threshold)
    return Parity(
        stored_dice=stored,
        max_dp=found.max_dp,
        mask_dice=found.mask_dice,
        pooled_dice=found.pooled_dice,
        images=found.images,
    )


def latencies_ms(models: Sequence[ModelFolder], tick: Tick) -> list[list[float]]:
    """Of FRAMES single frames each, in turn: what else the machine does meets all. Raises FaultError."""
    times_ms: list[list[float]] = [[] for _ in models]
    told = tick(FRAMES, "frames")
    with ExitStack() as stack:
        opened = [
            (stack.enter_context(closing(open_runtime(AUTO, model))), _frames(model)) for model in models
        ]
        for runtime, frames in opened:
            runtime.infer(frames[0])  # the first one pays for what is made once
        for number in range(FRAMES):
            for (runtime, frames), kept in zip(opened, times_ms, strict=True):
                began_s = time.perf_counter()
                runtime.infer(frames[number % len(frames)])
                kept.append((time.perf_counter() - began_s) * 1000.0)
            told()
    return times_ms


def describe(info: RuntimeInfo) -> str:
    version = info.version if info.name in info.version else f"{info.name} {info.version}"
    return f"{version} {info.precision} on {info.device}"


def _frames(model: ModelFolder) -> list[U8]:
    return _of_size(Size(model.card.input.width_px, model.card.input.height_px))


@lru_cache(maxsize=2)  # both models' sizes; all of the demonstration is decoded for them
def _of_size(size: Size) -> list[U8]:
    return stored_frames(size)
