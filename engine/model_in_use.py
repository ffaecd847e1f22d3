"""The model in use: what the last line of this machine's promotion log says, else the factory's.

One owner (docs/adr/0042): `"default": true` in a card is the factory's, a model that is tried in the panel is
no more than that. A window that starts reads this before anything else of models, so that it imports little.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from engine.faults import FaultCode, FaultError
from engine.files.chain import BrokenChain, read_chain
from engine.files.json_reader import read_json
from engine.files.whole import sha256_of, user_data

log = logging.getLogger(__name__)

LOG = "promotions.jsonl"
CARD = "model.json"
FACTORY = ""  # as a folder: the bundled default, whichever this version of the program has
BACK = "python main.py use --back"

Kind = Literal["use", "back"]


@dataclass(frozen=True, slots=True)
class ModelName:
    """A model as the log has it. `folder`: its name below the user's models, or FACTORY.

    `sha256`: of its `model.json`, which has the hashes of all other files.
    """

    id: str
    sha256: str
    folder: str = FACTORY


@dataclass(frozen=True, slots=True)
class Judged:
    """What was measured before: the run folder's name, the hash of its `acceptance.json`, its verdict, and
    by name the hashes of the data that it was measured on."""

    run: str
    sha256: str
    verdict: str
    data: dict[str, str]


@dataclass(frozen=True, slots=True)
class Promotion:
    """One line of the log. `kind`: a model was put in use, or the one before was again.

    `engine`: what executes it on this machine; `app`: version and commit of the program.
    """

    kind: Kind
    at_utc: str
    who: str
    host: str
    model: ModelName
    replaces: ModelName
    reason: str = ""
    judged: Judged | None = None
    engine: str = ""
    app: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class InUse:
    """`promotion` None: the factory's. `fault`: why it is that though the log asks for another one."""

    path: Path
    promotion: Promotion | None = None
    fault: FaultError | None = None

    @property
    def is_factory(self) -> bool:
        return self.promotion is None or self.promotion.model.folder == FACTORY


def model_in_use() -> InUse:
    """The folder to be used where none is named. A log or a model that is damaged is told, and the factory's
    runs. Raises FaultError MODEL_MISSING where there is no such thing either.
    """
    try:
        promotions = read_log()
        last = promotions[-1] if promotions else None
        if last is None or last.model.folder == FACTORY:
            return InUse(factory(), last)
        return InUse(folder_of(last.model), last)
    except FaultError as error:
        return InUse(factory(), fault=error)


def named_or_in_use(name: str | None) -> Path:
    """The folder of the model that was named, else of the one in use. Raises FaultError MODEL_MISSING."""
    from engine.model_folder import find_model

    if name is not None:
        return find_model(name)
    found = model_in_use()
    if found.fault is not None:
        log.warning("%s", found.fault)
    return found.path


def factory() -> Path:
    """The bundled default. Raises FaultError MODEL_MISSING."""
    from engine.model_folder import default_model  # pydantic, which a damaged log has no need of

    return default_model()


def log_path() -> Path:
    return user_data() / LOG


def kept_models() -> Path:
    """Where promoted models stay: the user's own."""
    return user_data() / "models"


def read_log(path: Path | None = None) -> tuple[Promotion, ...]:
    """All lines, oldest first. Raises FaultError MODEL_HASH for a damaged log, which nobody overwrites."""
    path = path or log_path()
    try:
        return tuple(_promotion(values) for values in read_chain(path))
    except BrokenChain as error:
        raise damaged(path, str(error)) from error
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(path, f"a line of another version ({error})") from error
    except OSError as error:
        raise damaged(path, error.strerror or str(error)) from error


def damaged(path: Path, why: str) -> FaultError:
    return FaultError(
        FaultCode.MODEL_HASH,
        expected=f"the promotion log {path} as it was written",
        got=why,
        remedy="put a copy of it back, or move it away and use your model again",
        fatal=False,
        said=f"The log of promotions {path} is not as it was written ({why}), so the model that comes with "
        "the program is used. Put a copy of the log back, or move it away and use your model again.",
    )


def earlier(promotions: Sequence[Promotion]) -> tuple[ModelName, ...]:
    """The models that were in use and can be gone back to, the nearest last; none while the first is.

    What was gone back from is not among them.
    """
    stack: list[ModelName] = []
    for one in promotions:
        if one.kind == "use":
            stack.append(one.replaces)
        elif stack:
            stack.pop()
    return tuple(stack)


def folder_of(model: ModelName) -> Path:
    """Where a model of the log lies. Raises FaultError MODEL_MISSING (it, or a file of it, is gone) or
    MODEL_HASH. The hashes of large files are looked at when they are loaded, their sizes here.
    """
    path = kept_models() / model.folder
    try:
        if sha256_of(path / CARD) != model.sha256:
            raise _unusable(model, path, FaultCode.MODEL_HASH, f"{CARD} is not the one that was promoted")
        for name, file in read_json(path / CARD)["files"].items():
            if (path / name).stat().st_size != file["bytes"]:
                raise _unusable(model, path, FaultCode.MODEL_HASH, f"{name} is not the one that was promoted")
    except OSError as error:
        missing = Path(error.filename).name if error.filename else "a file"
        why = f"{missing}: {error.strerror}"
        raise _unusable(model, path, FaultCode.MODEL_MISSING, why) from error
    return path


def _unusable(model: ModelName, path: Path, code: FaultCode, why: str) -> FaultError:
    return FaultError(
        code,
        expected=f"the model in use, {model.id}, at {path}",
        got=why,
        remedy=f"put the folder back, or go back to the model before: {BACK}",
        fatal=False,
        said=f"{model.id}, the model in use, cannot be used ({why} in {path}), so the model that comes with "
        f"the program is. Put the folder back, or go back to the model before: {BACK}.",
    )


def _promotion(values: dict[str, Any]) -> Promotion:
    judged = values["judged"]
    return Promotion(
        **{
            **values,
            "model": ModelName(**values["model"]),
            "replaces": ModelName(**values["replaces"]),
            "judged": None if judged is None else Judged(**judged),
        }
    )
