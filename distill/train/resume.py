"""Whether a run that is resumed has anything to go on from."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from engine.faults import FaultCode, FaultError
from engine.files.whole import read_json_lines
from engine.jobs.events import RunFolder
from engine.jobs.folder import EVENTS, has_states

log = logging.getLogger("distill")


def can_resume(run: RunFolder, checkpoints: Path) -> bool:
    """False for a training that was ended before its first checkpoint: it starts from the beginning.

    Raises FaultError ARGUMENT when there was a checkpoint, and it is gone.
    """
    if has_states(checkpoints):
        return True
    if _saved_once(run.path / EVENTS):
        raise FaultError(
            FaultCode.ARGUMENT,
            expected=f"a run with a checkpoint in {checkpoints}",
            got="none, though one was saved",
            remedy="put it back",
            said=f"The checkpoints of this run are gone from {checkpoints}: put them back from a copy, or "
            "start the training again in another folder.",
        )
    warner(run)("It was ended before its first checkpoint: starting from the beginning.")
    return False


def warner(run: RunFolder) -> Callable[[str], None]:
    """Says a sentence on the screen and in the run's events."""

    def tell(sentence: str) -> None:
        log.warning("%s", sentence)
        run.event("warn", text=sentence)

    return tell


def _saved_once(events: Path) -> bool:
    try:
        return any(line.get("kind") == "checkpoint" for line in read_json_lines(events))
    except (OSError, ValueError, AttributeError):
        return False  # a torn log says nothing
