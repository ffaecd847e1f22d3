"""One run in its folder, from the first event to the last."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from distill.agglomerate.config import Config
from distill.agglomerate.run_json import claim
from distill.agglomerate.training import agglomerate
from distill.train.loop import TrainResult
from engine.jobs.begun import begun


def run_config(
    config: Config,
    run: Path,
    interrupted: Callable[[], bool],
    events: str | None = None,
    stop_after: int | None = None,
) -> TrainResult:
    """Begin, or go on where the run stands; `stop_after` so many steps as if cancelled. Raises FaultError.

    `interrupted` cancels it as the file does; `events` as `begun` has it.
    """
    claim(config, run)
    with begun("agglomerate", run, events=events, interrupted=interrupted, run_id=run.name) as folder:
        result = agglomerate(config, folder, stop_after)
        if result.cancelled:
            folder.event("done", outcome="cancelled")
    return result
