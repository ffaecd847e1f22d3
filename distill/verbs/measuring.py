"""What `score` and `evaluate` have in common: the options of what is written, and the writing."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distill.verbs.progress import add_events_option, progress

if TYPE_CHECKING:
    from distill.metrics.measure import Measured, Sample
    from engine.jobs.events import RunFolder
    from engine.types import OperatingPoint

log = logging.getLogger("distill")


def add_measuring_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures, an object a protocol")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the figures of every image")
    parser.add_argument("--gallery", type=Path, metavar="FILE", help="write a PNG of the worst images")
    parser.add_argument(
        "--threshold",
        type=share,
        default=0.5,
        metavar="P",
        help="of lesions and false detections; default 0.5",
    )
    parser.add_argument(
        "--min-area",
        type=share,
        default=0.0005,
        metavar="SHARE",
        help="the smallest blob that counts, as a part of the picture; default 0.0005",
    )
    parser.add_argument(
        "--index", type=Path, metavar="FILE", help="an index.jsonl with the set and group of every image"
    )
    add_events_option(parser)


def share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is no number from 0 to 1")
    return value


def measure_and_write(
    options: argparse.Namespace,
    events: RunFolder,
    samples: Iterable[Sample],
    total: int,
    shown: OperatingPoint | None = None,
    heading: dict[str, Any] | None = None,
) -> list[Measured]:
    """Measure all samples with a progress bar, write the files that were asked for, and tell the figures."""
    from distill.judging.maps import measure_all
    from distill.metrics.gallery import Gallery
    from distill.metrics.measure import Counting
    from distill.metrics.report import report
    from distill.metrics.table import write_table
    from engine.files.whole import write_bytes, write_json

    counting = Counting(options.threshold, options.min_area)
    gallery = Gallery() if options.gallery else None
    with progress(events, "image") as tick:
        measured = measure_all(samples, counting, gallery, lambda done: tick(done, total))
    values = {**(heading or {}), **report(measured, counting, shown)}
    if options.json:
        write_json(options.json, values)
    if options.csv:
        write_table(options.csv, measured)
    if gallery:
        write_bytes(options.gallery, gallery.sheet())
    for path in filter(None, (options.json, options.csv, options.gallery)):
        events.event("file", path=str(path))
    for line in told(values):
        log.info("%s", line)
    return measured


def told(values: dict[str, Any]) -> Iterable[str]:
    """The main figures as lines for a person."""
    from distill.metrics import PROTOCOLS

    if values["n"]:
        yield f"{values['n']} images with a polyp in {values['groups']} groups, MAE {values['mae']:.4f}"
        yield f"{'protocol':15} {'Dice':>7} {'95 %':>18} {'IoU':>7} {'precision':>10} {'recall':>7}"
    for name in PROTOCOLS:
        if row := values.get(name):
            low, high = row["interval"]["dice"]
            yield (
                f"{name:15} {row['dice']:7.4f} {f'[{low:.4f}, {high:.4f}]':>18} {row['iou']:7.4f} "
                f"{row['precision']:10.4f} {row['recall']:7.4f}"
            )
    if row := values.get("structure"):
        yield (
            f"S {row['s_alpha']:.4f}, E mean {row['e_mean']:.4f}, E max {row['e_max']:.4f}, "
            f"weighted F {row['weighted_f']:.4f}; HD95 {values['hd95']['px']:.1f} px"
        )
    if sizes := values.get("sizes"):
        yield f"{'polyps':15} {'Dice':>7} {'95 %':>18} {'missed whole':>13} {'95 %':>18} {'images':>7}"
    for name, row in (sizes or {}).items():
        (low, high), (least, most) = row["interval"]["dice"], row["interval"]["missed_whole"]
        yield (
            f"{name:15} {row['dice']:7.4f} {f'[{low:.4f}, {high:.4f}]':>18} {row['missed_whole']:13.4f} "
            f"{f'[{least:.4f}, {most:.4f}]':>18} {row['n']:7}"
        )
    if row := values.get("negatives"):
        yield (
            f"{row['n']} negatives: {row['false_positive_rate']:.4f} of them with a false detection, "
            f"{row['false_detections_per_image']:.4f} an image"
        )
