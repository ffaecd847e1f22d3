"""The comparison as a CSV: every row says of which model, weights, preset and threshold it is."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from engine.faults import FaultCode, FaultError
from engine.files.whole import output_fault, write_text
from engine.review.compare.disagreements import ONLY_A, Disagreement
from engine.review.compare.figures import Comparison, Figures, Share
from engine.review.compare.side import Side

COLUMNS = (
    *("what", "side", "model", "weights_sha256", "preset", "threshold", "value", "count", "of"),
    *("start_s", "end_s", "first_frame", "last_frame"),
)
Row = dict[str, object]


def write_sheet(path: Path, found: Comparison, origin_s: float = 0.0) -> None:
    """Whole or not there; times are seconds since `origin_s`, that of the first frame. Raises FaultError."""
    if path.is_dir():
        raise FaultError(
            FaultCode.OUTPUT,
            expected="the name of a file",
            got=f"the folder {path}",
            remedy="choose a name that ends in .csv",
            said=f"{path} is a folder. Choose a name that ends in .csv.",
        )
    stream = io.StringIO()
    table = csv.DictWriter(stream, COLUMNS, restval="", lineterminator="\n")
    table.writeheader()
    table.writerows(rows(found, origin_s))
    try:
        write_text(path, stream.getvalue())
    except OSError as error:
        raise output_fault(path, error) from error


def rows(found: Comparison, origin_s: float = 0.0) -> Iterator[Row]:
    """A measure or a disagreement each; what is not known is empty."""
    for side, figures in (("A", found.a), ("B", found.b)):
        about = _about(side, figures.side)
        for row in _measures(figures, origin_s, found.until_s):
            yield about | row
    both = _about("A and B", found.a.side, found.b.side)
    yield both | {"what": "IoU of A and B", "value": _said(found.iou), "of": found.iou_frames}
    sides = {True: _about("A", found.a.side), False: _about("B", found.b.side)}
    for one in found.disagreements:
        yield sides[one.who == ONLY_A] | _stretch(one, origin_s)


def _measures(figures: Figures, origin_s: float, until_s: float) -> Iterator[Row]:
    for least_s, rate in figures.per_min.items():
        yield {
            "what": f"findings a minute of at least {least_s:g} s",
            "value": _said(rate),
            "count": figures.counts[least_s],
            "end_s": _said(until_s),
        }
    first_s = None if figures.first_s is None else figures.first_s - origin_s
    yield {"what": "first finding, s", "value": _said(first_s)}
    yield _share("sensitivity, verified polyps", figures.sensitivity)
    yield _share("specificity, verified empty frames", figures.specificity)
    yield {"what": "Dice, verified frames", "value": _said(figures.dice)}


def _share(what: str, share: Share) -> Row:
    return {"what": what, "value": _said(share.frac), "count": share.count, "of": share.of}


def _stretch(one: Disagreement, origin_s: float) -> Row:
    return {
        "what": "found by this one alone",
        "value": _said(one.lasted_s),
        "start_s": _said(one.start_s - origin_s),
        "end_s": _said(one.end_s - origin_s),
        "first_frame": one.first_rank,
        "last_frame": one.last_rank,
    }


def _about(name: str, *sides: Side) -> Row:
    return {
        "side": name,
        "model": " | ".join(one.analysis.model_id for one in sides),
        "weights_sha256": " | ".join(one.analysis.weights_sha256 for one in sides),
        "preset": " | ".join(one.point.preset for one in sides),
        "threshold": " | ".join(f"{one.point.threshold:g}" for one in sides),
    }


def _said(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
