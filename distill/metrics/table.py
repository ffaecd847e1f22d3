"""The figures of every image as CSV: to look at, and what `compare` reads."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from distill.metrics import PROTOCOLS
from distill.metrics.lesions import HIT_IOUS
from distill.metrics.measure import Case, Measured
from engine.faults import FaultCode, FaultError
from engine.files.whole import write_text
from engine.table import load_named

IMAGE_PROTOCOLS = ("p05_image", "p05_minmax", "pranet_mean", "soft_minmax")  # those with a figure an image
FIGURES = (
    "dice",  # of p05_image, as are IoU, precision, recall and HD95
    "iou",
    "precision",
    "recall",
    *(f"{protocol}_{name}" for protocol in IMAGE_PROTOCOLS[1:] for name in ("dice", "iou")),
    "s_alpha",
    "e_mean",
    "weighted_f",
    "hd95_px",
    "hd95_share_of_diagonal",
    "mae",
    "lesions",
    "hits",
    "false_detections",
)
SHARE = "polyp_share"  # of the picture; tables from before it was told lack the column
COLUMNS = ("name", "set", "group", "polyp", *FIGURES, SHARE)


@dataclass(frozen=True, slots=True)
class Row:
    """One image; a figure that it does not have (Dice of a negative) is absent."""

    case: Case
    figures: dict[str, float]
    polyp_share: float | None = None  # of the picture; None: not told, or no polyp


def row_of(image: Measured) -> Row:
    """The image's own figures; of a negative only MAE, lesions and detections."""
    counts = image.lesions[HIT_IOUS[0]]
    figures = {
        "mae": image.mae,
        "lesions": counts.lesions,
        "hits": counts.hits,
        "false_detections": counts.false_detections,
    }
    if image.structure is None or image.hd95_px is None:
        return Row(image.case, figures)
    for protocol in IMAGE_PROTOCOLS:
        values = load_named(PROTOCOLS, protocol, "protocol")(image.pixels, np.ones((1, 1)))
        prefix = "" if protocol == IMAGE_PROTOCOLS[0] else f"{protocol}_"
        figures |= {f"{prefix}{name}": float(value[0]) for name, value in values.items()}
    figures |= {
        "s_alpha": image.structure.s_alpha,
        "e_mean": float(image.structure.e_curve.mean()),
        "weighted_f": image.structure.weighted_f,
        "hd95_px": image.hd95_px,
        "hd95_share_of_diagonal": image.hd95_px / image.diagonal_px,
    }
    return Row(image.case, {name: figures[name] for name in FIGURES}, image.polyp_share)


def write_table(path: Path, images: Sequence[Measured]) -> None:
    """One line an image, in order; `polyp` is 1 or 0."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n", restval="")
    writer.writeheader()
    for image in images:
        row = row_of(image)
        told = row.figures if row.polyp_share is None else {**row.figures, SHARE: row.polyp_share}
        numbers = {name: f"{value:.6g}" for name, value in told.items()}
        place = {"name": row.case.name, "set": row.case.set, "group": row.case.group}
        writer.writerow({**place, "polyp": int(image.polyp), **numbers})
    write_text(path, text.getvalue())


def read_table(path: Path) -> tuple[Row, ...]:
    """What `write_table` wrote. Raises FaultError DATA_SET: no such file, other columns, no number."""
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            lines = list(csv.DictReader(stream))
        rows = tuple(
            Row(
                Case(line["name"], line["set"], line["group"]),
                {name: float(line[name]) for name in FIGURES if line[name]},
                float(line[SHARE]) if line.get(SHARE) else None,
            )
            for line in lines
        )
    except (OSError, KeyError, TypeError, ValueError, csv.Error) as error:
        raise _no_table(path, f"{type(error).__name__}: {error}") from error
    if not rows:
        raise _no_table(path, "no image at all")
    return rows


def _no_table(path: Path, got: str) -> FaultError:
    return FaultError(
        FaultCode.DATA_SET,
        expected=f"a table of figures in {path}",
        got=got,
        remedy="write it with: python -m distill score or evaluate, --csv",
    )
