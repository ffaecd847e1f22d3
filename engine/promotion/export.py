"""A run folder becomes a model folder: by `python -m distill export`, in a process of its own.

The engine knows nothing of training, and torch may not be installed where a model is used.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

from engine.faults import FaultCode, FaultError
from engine.jobs.ended import How
from engine.jobs.events import RunFolder
from engine.jobs.folder import RUN_JSON
from engine.jobs.process import python
from engine.model_card import CARD
from engine.promotion.waiting import waited_for

NEEDED = ("torch", "onnx", "timm")  # of the extra `train`


def is_run(path: Path) -> bool:
    """A training's folder, not a model's."""
    return (path / RUN_JSON).is_file() and not (path / CARD).is_file()


def model_id_of(run: Path) -> str:
    """What the model of a run is called: the run folder's name in the letters that an id may have."""
    name = re.sub(r"[^a-z0-9._-]+", "-", run.name.lower()).strip("-._")
    return name or "trained"


def exported(run: Path, folder: Path, job: RunFolder) -> Path:
    """The model folder that the run's weights give, below `folder`; one that is there is taken.

    Raises FaultError EXTRA_MISSING (no torch), ARGUMENT (it cannot be exported), KeyboardInterrupt when the
    job was asked to end.
    """
    out = folder / model_id_of(run)
    if (out / CARD).is_file():  # it appears whole
        return out
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise FaultError(
            FaultCode.EXTRA_MISSING,
            expected="what training needs, to export a run",
            got=f"no {', '.join(missing)}",
            remedy="pip install 'polyplive[train]'",
            said=f"A training's weights are exported before they can be used, and that needs {missing[0]}. "
            "Install it by pip install 'polyplive[train]', or name a model folder.",
        )
    folder.mkdir(parents=True, exist_ok=True)
    ended = waited_for(python("-m", "distill", "export", str(run), "--out", str(out)), job)
    if ended.how is not How.DONE:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected=f"{run} to be a run that can be exported",
            got=ended.reason,
            remedy="finish its training, or name another one",
            said=ended.sentence(f"The export of {run.name}"),
        )
    return out
