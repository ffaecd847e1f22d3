"""How a review was left: the frame, what was seen of the time line, and which findings were listed."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from engine.files.json_reader import read_json
from engine.files.whole import write_json

log = logging.getLogger(__name__)

FILE = "window.json"
MAX_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Left:
    """`from_s`, `to_s`: of the time line, since the beginning; both 0: all of it."""

    rank: int = 0
    from_s: float = 0.0
    to_s: float = 0.0
    only: str = "All"
    order: str = "In time"


class _Stored(BaseModel):
    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    rank: int = 0
    from_s: float = 0.0
    to_s: float = 0.0
    only: str = "All"
    order: str = "In time"


def read_left(folder: Path) -> Left:
    """As it was left, or from the beginning: nothing depends on this file."""
    try:
        return Left(**_Stored.model_validate(read_json(folder / FILE, MAX_BYTES)).model_dump())
    except FileNotFoundError:
        return Left()
    except (OSError, ValueError, ValidationError, RecursionError) as error:
        log.info("how %s was left cannot be read: %s", folder.name, error)
        return Left()


def keep_left(folder: Path, left: Left) -> None:
    """A full or read-only disk stops nobody."""
    try:
        write_json(folder / FILE, asdict(left))
    except OSError as error:
        log.info("how %s was left is not kept: %s", folder.name, error)
