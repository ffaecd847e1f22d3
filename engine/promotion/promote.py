"""A model is put in use, or the one before is again: a copy that stays, and a line in the promotion log.

Both or nothing: the folder appears whole under its name, the line follows. A process that is killed between
leaves a model that nobody uses.
"""

from __future__ import annotations

import contextlib
import getpass
import platform
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from engine.faults import FaultCode, FaultError
from engine.files.chain import BrokenChain, append_to_chain
from engine.files.lock import held_within
from engine.files.output_folder import sync_all
from engine.files.whole import output_fault, sha256_of, sync
from engine.jobs.program import program, version_of
from engine.model_card import CARD
from engine.model_folder import load_model_folder, read_card
from engine.model_in_use import (
    FACTORY,
    Judged,
    Kind,
    ModelName,
    Promotion,
    damaged,
    earlier,
    factory,
    folder_of,
    kept_models,
    log_path,
    model_in_use,
    read_log,
)
from engine.promotion.acceptance import ACCEPTANCE, Acceptance, read_acceptance
from engine.promotion.locked import MAKE_ROOM

ASIDE = ".promoting-"
HASH_LETTERS = 8
WAIT_S = 10.0


def promote(run: Path, reason: str = "") -> Promotion:
    """Use the candidate of a finished comparison. Raises FaultError: a reason is needed (ARGUMENT), the model
    in use is another one by now, the candidate is not what was compared (MODEL_HASH), a full disk (OUTPUT), a
    damaged log.
    """
    acceptance = read_acceptance(run)
    if acceptance.objections and not reason.strip():
        raise _needs_a_reason(acceptance)
    with _alone():
        log = read_log()
        running = model_in_use().path  # the factory's where the one of the log is damaged
        if sha256_of(running / CARD) != acceptance.in_use.sha256:
            raise _is_another_one(acceptance, running.name)
        replaces = log[-1].model if log else factory_name()
        model = keep(Path(acceptance.candidate.path), acceptance.candidate.sha256)
        judged = Judged(
            run=run.name,
            sha256=sha256_of(run / ACCEPTANCE),
            verdict=acceptance.verdict.value,
            data={one.name: one.sha256 for one in acceptance.data},
        )
        return _write("use", model, replaces, reason.strip(), judged, acceptance.candidate.engine)


def go_back(reason: str = "") -> Promotion:
    """Use the model before. Raises FaultError: there is none (ARGUMENT), it is gone, a damaged log."""
    with _alone():
        log = read_log()
        before = earlier(log)
        if not before:
            raise FaultError(
                FaultCode.ARGUMENT,
                expected="a model that was in use before",
                got="none",
                remedy="choose one: python main.py use MODEL",
                said="No other model was in use before this one. Choose one: python main.py use MODEL.",
            )
        model = before[-1] if before[-1].folder != FACTORY else factory_name()
        if model.folder != FACTORY:
            folder_of(model)
        return _write("back", model, log[-1].model, reason.strip())


def factory_name() -> ModelName:
    """The bundled default as a line has it."""
    path = factory()
    return ModelName(read_card(path).id, sha256_of(path / CARD))


def keep(path: Path, sha256: str) -> ModelName:
    """A whole copy of the model folder among the user's own, named by id and hash; one that is there stays.

    Raises FaultError: it is not the one of that hash (MODEL_HASH), a file of it is gone, OUTPUT.
    """
    card = load_model_folder(path).card
    if sha256_of(path / CARD) != sha256:
        raise FaultError(
            FaultCode.MODEL_HASH,
            expected=f"{path} as it was compared",
            got="another one",
            remedy="compare it again: python main.py use MODEL",
            said=f"{path} has changed since it was compared. Compare it again: python main.py use MODEL.",
        )
    model = ModelName(card.id, sha256, f"{card.id}-{sha256[:HASH_LETTERS]}")
    target = kept_models() / model.folder
    if target.exists():
        load_model_folder(target)
        folder_of(model)
        return model
    try:
        kept_models().mkdir(parents=True, exist_ok=True)
        for left in kept_models().glob(f"{ASIDE}*"):  # of one that was killed; nobody else is at it
            shutil.rmtree(left, ignore_errors=True)
        aside = Path(tempfile.mkdtemp(prefix=ASIDE, dir=kept_models()))
        try:
            for name in (CARD, *card.files):
                shutil.copyfile(path / name, aside / name)
            sync_all(aside)
            load_model_folder(aside)
            aside.chmod(0o755)  # mkdtemp makes folders private
            aside.rename(target)
            sync(kept_models())
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        raise output_fault(kept_models(), error, MAKE_ROOM) from error
    return model


def _write(
    kind: Kind,
    model: ModelName,
    replaces: ModelName,
    reason: str,
    judged: Judged | None = None,
    engine: str = "",
) -> Promotion:
    promotion = Promotion(
        kind=kind,
        at_utc=datetime.now(UTC).isoformat(timespec="milliseconds"),
        who=_who(),
        host=platform.node(),
        model=model,
        replaces=replaces,
        reason=reason,
        judged=judged,
        engine=engine or f"openvino {version_of('openvino')}",
        app=program(),
    )
    try:
        append_to_chain(log_path(), promotion.as_json())
    except BrokenChain as error:
        raise damaged(log_path(), str(error)) from error
    except OSError as error:
        raise output_fault(log_path().parent, error, MAKE_ROOM) from error
    return promotion


@contextmanager
def _alone() -> Iterator[None]:
    path = log_path().with_suffix(".lock")
    with contextlib.ExitStack() as stack:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(held_within(path, WAIT_S))
        except OSError as error:
            raise FaultError(
                FaultCode.OUTPUT,
                expected=f"to write the promotion log in {path.parent}",
                got=error.strerror or str(error),
                remedy="try again when nobody else is promoting a model, or make room",
                said=f"The promotion log in {path.parent} cannot be written now ({error.strerror or error}). "
                "Try again when no other promotion is under way, or make room.",
            ) from error
        yield


def _who() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container's user without a name
        return "unknown"


def _needs_a_reason(acceptance: Acceptance) -> FaultError:
    return FaultError(
        FaultCode.ARGUMENT,
        expected="a reason to use it all the same",
        got="; ".join(acceptance.objections),
        remedy="--yes --reason TEXT",
        said=f"{acceptance.sentence} Give one, --yes --reason TEXT, or leave the model in use as it is.",
    )


def _is_another_one(acceptance: Acceptance, now: str) -> FaultError:
    return FaultError(
        FaultCode.ARGUMENT,
        expected=f"{acceptance.in_use.id} in use, as when it was compared",
        got=now,
        remedy="compare again: python main.py use MODEL",
        said=f"{acceptance.candidate.id} was compared with {acceptance.in_use.id}, and {now} is in use by "
        "now. Compare again: python main.py use MODEL.",
    )
