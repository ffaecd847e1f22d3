"""What was measured of a candidate beside the model in use, as one value: `acceptance.json` of a run folder.

Nothing here is decided by anybody but the intervals: a row tells a difference only where its 95 % interval
leaves out zero. The demonstration is rendered and says nothing about patients: it never speaks for a model;
a candidate that is surely worse on it needs a reason all the same (docs/adr/0042).
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from engine.faults import FaultCode, FaultError
from engine.files.json_reader import read_json
from engine.files.whole import write_json
from engine.promotion.measures import FOUND, IN_VAIN, Outcome, Part, Row, Where

ACCEPTANCE = "acceptance.json"
SCHEMA = 1
LATE_MS = 1000.0 / 30.0  # the network of a live picture takes no longer, or masks come late
LOCKED = (Where.RECORDINGS, Where.IMAGES)
LEAST_STORED_DICE = 0.98  # of the exact network to the mask in its card


class Verdict(StrEnum):
    """Of what was locked; NONE: nothing was, or too little of it."""

    BETTER = "better"
    WORSE = "worse"
    MIXED = "better and worse"
    LIKE = "no sure difference"
    NONE = "no verdict"


class Parity(Part):
    """`stored_dice`: of the exact network's mask to the one in the card, None where the card has none.

    The rest: of what executes it here to the exact network, on frames of the demonstration.
    """

    stored_dice: float | None
    max_dp: float
    mask_dice: float
    pooled_dice: float
    images: int

    @property
    def passes(self) -> bool:
        return self.stored_dice is None or self.stored_dice >= LEAST_STORED_DICE


class Side(Part):
    """One of the two models. `sha256`: of its `model.json`; `engine`: what executes it on this machine."""

    id: str
    sha256: str
    path: str
    engine: str


class DataUsed(Part):
    """What both were measured on; `amount` in a person's words."""

    where: Where
    name: str
    sha256: str
    amount: str


class Acceptance(Part):
    """`source`: the run or model folder that was asked for; `app`: version and commit of the program."""

    schema_: Annotated[int, Field(alias="schema")] = SCHEMA
    made_utc: str
    source: str
    app: str
    in_use: Side
    candidate: Side
    parity: Parity
    rows: tuple[Row, ...]
    data: tuple[DataUsed, ...]
    took_s: float

    def those(self, outcome: Outcome, *where: Where) -> tuple[Row, ...]:
        """The rows of these places that tell this."""
        return tuple(row for row in self.rows if row.where in where and row.outcome is outcome)

    @property
    def is_whole(self) -> bool:
        """Whether what was locked shows both what is found and what is marked in vain. A network that marks
        nothing, or everything, is the best one on half of it."""
        told = {row.measure for row in self.rows if row.where in LOCKED and row.low is not None}
        return not (told.isdisjoint(FOUND) or told.isdisjoint(IN_VAIN))

    @property
    def verdict(self) -> Verdict:
        worse, better = (bool(self.those(o, *LOCKED)) for o in (Outcome.WORSE, Outcome.BETTER))
        if worse:
            return Verdict.MIXED if better else Verdict.WORSE
        if not self.is_whole:
            return Verdict.NONE
        return Verdict.BETTER if better else Verdict.LIKE

    @property
    def objections(self) -> tuple[str, ...]:
        """Why a person has to give a reason; none: a plain yes is enough."""
        found = []
        if not self.parity.passes:
            found.append(
                f"it gives another mask than it was exported with (Dice {self.parity.stored_dice:.2f}, "
                f"at least {LEAST_STORED_DICE} is expected)"
            )
        worse = {where: self.those(Outcome.WORSE, where) for where in (*LOCKED, Where.DEMONSTRATION)}
        found += [
            f"it is worse on the {where} ({', '.join(row.said for row in rows)})"
            for where, rows in worse.items()
            if rows
        ]
        # The median: what else the machine does now and then is no fault of a model.
        slow = [row for row in self.those(Outcome.WORSE, Where.MACHINE) if row.measure == "latency_p50"]
        if slow and slow[0].candidate > LATE_MS >= slow[0].in_use:
            found.append(f"it is too slow here for 30 pictures a second ({slow[0].candidate:.0f} ms each)")
        return tuple(found)

    @property
    def sentence(self) -> str:
        """What it comes to, in a sentence or two for a person."""
        ours, theirs = self.candidate.id, self.in_use.id
        better = ", ".join(row.said for row in self.those(Outcome.BETTER, *LOCKED))
        if self.objections:
            also = f" It is better in {better}." if better else ""
            return f"To use {ours} all the same needs a reason: {'; '.join(self.objections)}.{also}"
        if self.verdict is Verdict.BETTER:
            return f"{ours} is better than {theirs} in {better}, and surely worse in nothing."
        if self.verdict is Verdict.LIKE:
            return f"No difference between {ours} and {theirs} is sure on what was locked."
        return _NOTHING_LOCKED if len(self.data) <= 1 else _TOO_LITTLE


_LOCK = "python main.py use --lock PATH"
_NOTHING_LOCKED = (
    "The demonstration alone gives no verdict. Lock recordings or images of your own for the acceptance, "
    f"with polyps and without: {_LOCK}."
)
_TOO_LITTLE = (
    "What was locked gives no verdict: it is too little, or shows only polyps, or none. Lock more, with "
    f"polyps and without: {_LOCK}."
)


def write_acceptance(folder: Path, acceptance: Acceptance) -> Path:
    """Raises OSError."""
    path = folder / ACCEPTANCE
    write_json(path, acceptance.model_dump(mode="json", by_alias=True))
    return path


def read_acceptance(folder: Path) -> Acceptance:
    """Raises FaultError ARGUMENT: the run folder has none that can be read."""
    try:
        values = read_json(folder / ACCEPTANCE)
        if isinstance(values, dict) and values.get("schema", 0) > SCHEMA:
            raise ValueError(f"schema {values['schema']}: update the program")
        return Acceptance.model_validate(values)
    except (OSError, ValueError, ValidationError, TypeError) as error:
        why = "there is none" if isinstance(error, FileNotFoundError) else str(error).splitlines()[0]
        raise FaultError(
            FaultCode.ARGUMENT,
            expected=f"{ACCEPTANCE} of a finished comparison in {folder}",
            got=why,
            remedy="compare again: python main.py use MODEL",
            said=f"{folder} holds no finished comparison ({why}). Compare again: python main.py use MODEL.",
        ) from error
