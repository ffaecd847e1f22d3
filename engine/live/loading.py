"""Opens a network beside the one that runs, in a thread of its own: the picture and its masks go on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.faults import FaultCode, FaultError
from engine.live.worker import step_behind
from engine.model_folder import ModelFolder, load_model_folder
from engine.runtime.base import RuntimeOptions
from engine.runtime.live import Live, OpenLive
from engine.types import Chosen

OPEN_LIMIT_S = 120.0  # torch from a cold network drive takes a minute


@dataclass(frozen=True, slots=True)
class Loaded:
    """A network that is ready: what was asked for, and what came of it."""

    chosen: Chosen
    model: ModelFolder
    live: Live


class Loading:
    """`done` gets the opened network or the error, in this one's thread; not at all once it is cancelled.

    `tries`: infer a picture before saying that it is ready, so that one that cannot does not replace another.
    """

    def __init__(
        self,
        chosen: Chosen,
        open_live: OpenLive,
        done: Callable[[Loading, Loaded | Exception], None],
        *,
        tries: bool,
    ) -> None:
        self.chosen = chosen
        self._began_s = time.monotonic()
        self._open_live = open_live
        self._done = done
        self._tries = tries
        self._cancelled = threading.Event()
        self._thread = threading.Thread(target=self._run, name="polyplive-loading", daemon=True)
        self._thread.start()

    def is_overdue(self, now_s: float) -> bool:
        """Whether nobody should wait for it any longer."""
        return now_s - self._began_s > OPEN_LIMIT_S

    def cancel(self, wait_s: float = 0.0) -> None:
        """It is not wanted any more. What it is in the middle of goes on unheard and is freed then."""
        self._cancelled.set()
        self._thread.join(wait_s)

    def _run(self) -> None:
        step_behind()  # the threads that a runtime starts inherit it
        answer: Loaded | Exception
        try:
            answer = self._open()
        except Exception as error:  # the thread's edge: told as a fault, what runs goes on
            answer = error
        if not self._cancelled.is_set():
            self._done(self, answer)
        elif isinstance(answer, Loaded):
            answer.live.runtime.close()

    def _open(self) -> Loaded:
        model = load_model_folder(self.chosen.model_dir)
        options = RuntimeOptions(precision=self.chosen.precision)
        live = self._open_live(self.chosen.runtime, model, options)
        if self._tries and not self._cancelled.is_set():
            card = model.card.input
            try:
                live.runtime.infer(np.zeros((card.height_px, card.width_px, 3), np.uint8))
            except Exception:
                live.runtime.close()
                raise
        return Loaded(self.chosen, model, live)


def overdue(chosen: Chosen) -> FaultError:
    """What is said of one that nobody waits for any longer."""
    name, runtime = chosen.model_dir.name, chosen.runtime
    return FaultError(
        FaultCode.MODEL_LOAD,
        expected=f"{name} to be ready within {OPEN_LIMIT_S:g} s",
        got="no answer",
        remedy="choose another runtime",
        said=f"{name} is not ready after {OPEN_LIMIT_S:g} s (runtime {runtime}). Choose another runtime.",
    )
