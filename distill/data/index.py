"""The index of a data folder: one JSON object a line, one line an image."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from engine.faults import FaultCode, FaultError
from engine.files import read_json_lines, sha256_of

DATA_VARIABLE = "POLYP_DATA"
BESIDE_CHECKOUT = Path(__file__).resolve().parents[3] / "shared" / "data"
INDEX_NAME = "index.jsonl"


@dataclass(frozen=True, slots=True)
class Record:
    """One labelled image; paths relative to the data folder, `mask` None where there is no polyp.

    Images of one `group` may show the same polyp: a group is never split.
    """

    image: str
    mask: str | None
    set: str
    group: str


@dataclass(frozen=True, slots=True)
class Index:
    root: Path
    records: tuple[Record, ...]
    sha256: str  # of the index file, so that a model can say what it was trained on


def data_folder() -> Path:
    """$POLYP_DATA, or `shared/data` beside the checkout. Raises FaultError DATA_SET when neither is there."""
    root = Path(os.environ.get(DATA_VARIABLE) or BESIDE_CHECKOUT)
    if not (root / INDEX_NAME).is_file():
        raise FaultError(
            FaultCode.DATA_SET,
            expected=f"a data folder with {INDEX_NAME}",
            got=f"none at {root}",
            remedy=f"set {DATA_VARIABLE} to the folder",
        )
    return root


def load_index(root: Path) -> Index:
    """All records of the folder, in the file's order. Raises FaultError DATA_SET: a broken or empty index."""
    path = root / INDEX_NAME
    try:
        records = tuple(
            Record(image=line["image"], mask=line["mask"], set=line["set"], group=line["group"])
            for line in read_json_lines(path)
        )
    except (OSError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise FaultError(
            FaultCode.DATA_SET,
            expected=f"{INDEX_NAME} with image, mask, set and group on every line",
            got=f"{type(error).__name__}: {error}",
            remedy="make the index again",
        ) from error
    if not records:
        raise FaultError(
            FaultCode.DATA_SET, expected="at least one image", got=f"an empty {INDEX_NAME}", remedy="fill it"
        )
    return Index(root=root, records=records, sha256=sha256_of(path))
