"""The index of a data folder: one JSON object a line, one line an image."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.faults import FaultCode, FaultError
from engine.files.whole import read_json_lines, sha256_of

DATA_VARIABLE = "POLYP_DATA"
BESIDE_CHECKOUT = Path(__file__).resolve().parents[3] / "shared" / "data"
INDEX_NAME = "index.jsonl"
POLYP = "polyp"
UNLABELLED = "unlabelled"  # a label: neither polyp nor polyp-free, nobody has said
NO = "no-"  # what the label of an image without a polyp begins with, its task behind it


@dataclass(frozen=True, slots=True)
class Record:
    """One image; paths relative to the data folder or absolute.

    `label`: `polyp`, `no-polyp` or UNLABELLED; None, of an index without labels: an image whose
    `mask` is None has no polyp.

    Images of one `group` may show the same polyp: a group is never split. `split` is the list
    (train, validation, test) that its publisher put it on; None: no list. `frame`: its place in a recording.
    `exif`: the turn of its image that its mask has had already (`distill.data.labelled`).
    """

    image: str
    mask: str | None
    set: str
    group: str
    task: str = POLYP
    split: str | None = None
    sha256: str | None = None
    mask_sha256: str | None = None
    width_px: int | None = None
    height_px: int | None = None
    frame: int | None = None
    label: str | None = None
    exif: int | None = None

    @property
    def has_no_polyp(self) -> bool:
        """Whether the index says so, by its label or, without one, by the lack of a mask."""
        return self.mask is None if self.label is None else self.label.startswith(NO)


@dataclass(frozen=True, slots=True)
class Index:
    root: Path
    records: tuple[Record, ...]
    sha256: str  # of the index file, so that a model can say what it was trained on
    more: tuple[Index, ...] = ()  # of further folders; the paths in their records are absolute

    @property
    def all_records(self) -> tuple[Record, ...]:
        """Those of further folders as well."""
        return (*self.records, *(record for one in self.more for record in one.records))


def data_folder() -> Path:
    """$POLYP_DATA, or `shared/data` beside the checkout. Raises FaultError DATA_SET when neither is there."""
    root = Path(os.environ.get(DATA_VARIABLE) or BESIDE_CHECKOUT)
    if not (root / INDEX_NAME).is_file():
        raise FaultError(
            FaultCode.DATA_SET,
            expected=f"a data folder with {INDEX_NAME}",
            got=f"none at {root}",
            remedy=f"set {DATA_VARIABLE} to the folder, or make one: python -m distill prepare",
        )
    return root


def load_index(root: Path) -> Index:
    """All records of the folder, in the file's order. Raises FaultError DATA_SET: a broken or empty index."""
    lines = index_lines(root)
    try:
        records = tuple(_record(line) for line in lines)
    except (KeyError, TypeError, AttributeError) as error:
        raise _broken(error) from error
    return Index(root=root, records=records, sha256=sha256_of(root / INDEX_NAME))


def index_lines(root: Path) -> list[dict[str, Any]]:
    """The lines as they are, unknown keys too. Raises FaultError DATA_SET: missing, broken or empty."""
    try:
        lines = list(read_json_lines(root / INDEX_NAME))
    except (OSError, ValueError) as error:
        raise _broken(error) from error
    if not lines:
        raise FaultError(
            FaultCode.DATA_SET, expected="at least one image", got=f"an empty {INDEX_NAME}", remedy="fill it"
        )
    return lines


def _record(line: dict[str, Any]) -> Record:
    refuse_label(line)
    return Record(
        image=line["image"],
        mask=line["mask"],
        set=line["set"],
        group=line["group"],
        task=line.get("task", POLYP),
        split=line.get("split"),
        sha256=line.get("sha256"),
        mask_sha256=line.get("mask_sha256"),
        width_px=line.get("width"),
        height_px=line.get("height"),
        frame=line.get("frame"),
        label=line.get("label"),
        exif=line.get("exif"),
    )


def refuse_label(line: dict[str, Any]) -> None:
    """Raises FaultError DATA_SET for a line without a mask and without a label that tells why."""
    label = line.get("label")
    if line["mask"] is None and not (label is None or label == UNLABELLED or str(label).startswith(NO)):
        raise FaultError(
            FaultCode.DATA_SET,
            expected=f"a mask for {line['image']}, or the label {NO}{POLYP} or {UNLABELLED}",
            got=f"the label {label} without a mask",
            remedy=f"add the mask, or correct the label in {INDEX_NAME}",
        )


def _broken(error: Exception) -> FaultError:
    return FaultError(
        FaultCode.DATA_SET,
        expected=f"{INDEX_NAME} with image, mask, set and group on every line",
        got=f"{type(error).__name__}: {error}",
        remedy="make the index again",
    )
