"""One run in its folder, from the first event to the last."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from distill.agglomerate.course import Sitting
from distill.agglomerate.order import Order
from distill.agglomerate.record import claim
from distill.agglomerate.training import agglomerate
from distill.train.loop import Outcome
from engine.faults import FaultError
from engine.jobs.events import RunFolder

Echo = Callable[[str], object]


class Attentive(RunFolder):
    """A run folder that is also cancelled by Ctrl-C, whoever asks it."""

    def __init__(self, path: Path, interrupted: Callable[[], bool], echo: Echo | None = None) -> None:
        super().__init__(path, echo)
        self._interrupted = interrupted

    def is_cancelled(self) -> bool:
        return self._interrupted() or super().is_cancelled()


def run_order(
    order: Order,
    run: Path,
    interrupted: Callable[[], bool],
    echo: Echo | None = None,
    stop_after: int | None = None,
) -> Outcome:
    """Begin, or go on where the run stands; `stop_after` so many steps as if cancelled. Raises FaultError."""
    claim(order, run)
    folder = Attentive(run, interrupted, echo)
    folder.clear_cancel()
    folder.event("start", job="agglomerate", run_id=run.name)
    try:
        outcome = agglomerate(order, Sitting(folder, stop_after))
    except BaseException as error:
        if isinstance(error, FaultError):
            folder.fault(error.as_fault("training"))
        folder.event("done", outcome="failed")
        raise
    folder.event("done", outcome="cancelled" if outcome.cancelled else "ok")
    return outcome
