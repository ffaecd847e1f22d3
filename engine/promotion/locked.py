"""Recordings and images that a person has locked for the acceptance of models, each with its hash.

They are for judging alone: nobody should train on them. What they show must be known: a mask a frame, a mask
an image, or that there is no polyp at all.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from engine.faults import FaultCode, FaultError
from engine.files.json_reader import read_json
from engine.files.lock import held_within
from engine.files.whole import output_fault, sha256_of, user_data, write_json
from engine.model_folder import ModelFolder
from engine.promotion.truth import Images, Recording, truth_of

LIST = "locked.json"
SCHEMA = 1
WAIT_S = 5.0
TRAINED_BESIDE = re.compile(r"index sha256 ([0-9a-f]{8,64})")  # as distill writes it into a card
MAKE_ROOM = "make room, or let this user write there; nothing was changed"


class State(StrEnum):
    SAME = "as it was locked"
    CHANGED = "changed since it was locked"
    GONE = "not there"


@dataclass(frozen=True, slots=True)
class Locked:
    """`path` absolute; `sha256` of all files that count; `polyp_free`: a person says so of all of it."""

    path: str
    sha256: str
    locked_utc: str
    polyp_free: bool = False

    @property
    def truth(self) -> Recording | Images:
        """Raises FaultError DATA_SET."""
        return truth_of(Path(self.path), polyp_free=self.polyp_free)


def list_path() -> Path:
    return user_data() / LIST


def locked() -> tuple[Locked, ...]:
    """All of it, in the order of locking. Raises FaultError DATA_SET for a list that cannot be read."""
    path = list_path()
    try:
        values = read_json(path)
        if values["schema"] != SCHEMA:
            raise ValueError(f"schema {values['schema']}")
        return tuple(Locked(**one) for one in values["locked"])
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FaultError(
            FaultCode.DATA_SET,
            expected=f"the list of what is locked, {path}",
            got=str(error),
            remedy="put a copy of it back, or move it away and lock your data again",
            said=f"The list of locked recordings {path} cannot be read ({error}). "
            "Put a copy of it back, or move it away and lock your data again.",
        ) from error


def lock(path: Path, now_utc: str, *, polyp_free: bool = False) -> Locked:
    """Add a recording or a folder of images, or take it again as it is now.

    Raises FaultError DATA_SET: what it shows is not known; OUTPUT.
    """
    path = path.absolute()
    one = Locked(str(path), hash_of(truth_of(path, polyp_free=polyp_free)), now_utc, polyp_free)
    _change(lambda before: [*(other for other in before if other.path != one.path), one])
    return one


def unlock(path: Path) -> None:
    """Take it from the list. Raises FaultError ARGUMENT: it is not on it; OUTPUT."""
    text = str(path.absolute())
    if text not in {one.path for one in locked()}:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected="a recording or folder that is locked",
            got=text,
            remedy="python main.py use --list names them",
            said=f"{text} is not locked. python main.py use --list names what is.",
        )
    _change(lambda before: [one for one in before if one.path != text])


def state_of(one: Locked) -> State:
    """Reads all of it."""
    try:
        same = hash_of(one.truth) == one.sha256
    except FaultError:
        return State.CHANGED if Path(one.path).exists() else State.GONE
    return State.SAME if same else State.CHANGED


def checked(some: Sequence[Locked]) -> Iterator[tuple[Locked, Recording | Images]]:
    """Each with what it shows. Raises FaultError DATA_SET for one that is not what was locked: a comparison
    must not be made easier by what has gone."""
    for one in some:
        state = state_of(one)
        if state is not State.SAME:
            raise FaultError(
                FaultCode.DATA_SET,
                expected=f"{one.path} as it was locked",
                got=state.value,
                remedy="restore it, or lock it again",
                said=f"{one.path} is {state}. Restore it, lock it again as it is now "
                "(python main.py use --lock PATH), or take it from the list (--unlock PATH).",
            )
        yield one, one.truth


def refuse_trained_beside(some: Iterable[Recording | Images], models: Iterable[ModelFolder]) -> None:
    """Raises FaultError DATA_SET where a model's card names the index of images that it is to be judged on,
    and that index says of some of them no side.
    """
    unsplit = {one.name: sha256_of(one.unsplit) for one in some if isinstance(one, Images) and one.unsplit}
    for model in models:
        words = TRAINED_BESIDE.search(model.card.training.data)
        for name, sha256 in unsplit.items():
            if words and sha256.startswith(words[1]):
                raise FaultError(
                    FaultCode.DATA_SET,
                    expected=f"images that {model.id} was not trained beside",
                    got=f"{name}, whose index is in its card",
                    remedy="lock images that no training has seen",
                    said=f"{model.id} was trained beside {name}, so that it has seen some of its images. "
                    "Lock images that no training has seen, and take these off the list (use --unlock PATH).",
                )


def hash_of(truth: Recording | Images) -> str:
    """sha256 of the names and contents of all files that count. Raises FaultError DATA_SET."""
    digest = hashlib.sha256()
    try:
        for name, path in truth.files:
            digest.update(f"{name}\n{sha256_of(path)}\n".encode("utf-8", "surrogateescape"))
    except OSError as error:
        raise FaultError(
            FaultCode.DATA_SET,
            expected=f"to read {error.filename}",
            got=error.strerror or str(error),
            remedy="check that the drive is connected and who may read it",
        ) from error
    return digest.hexdigest()


def _change(how: Callable[[tuple[Locked, ...]], Sequence[Locked]]) -> None:
    path = list_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with held_within(path.with_suffix(".lock"), WAIT_S):
            write_json(path, {"schema": SCHEMA, "locked": [asdict(one) for one in how(locked())]})
    except OSError as error:
        raise output_fault(path.parent, error, MAKE_ROOM) from error
