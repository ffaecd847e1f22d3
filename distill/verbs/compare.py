"""`compare`: whether B is better than A, image by image and seed by seed."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from distill.exit_codes import OK
from distill.verbs.data_option import OWN_DATA, add_data_option
from distill.verbs.progress import add_events_option, progress
from engine.faults import FaultCode, FaultError
from engine.jobs.begun import begun

log = logging.getLogger("distill")
WHAT = "a run folder, a model folder, or a table that score or evaluate wrote with --csv"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "pair",
        nargs="*",
        metavar="RUN",
        help=f"A and B, one of each: {WHAT}; or an experiment's table alone (docs/experiments/NAME.csv.xz)",
    )
    parser.add_argument("--a", nargs="+", default=[], metavar="RUN", help="the seeds of A")
    parser.add_argument(
        "--b", nargs="+", default=[], metavar="RUN", help="the seeds of B; as many are twins, in this order"
    )
    parser.add_argument(
        "--figure",
        default="dice",
        help="a column of the tables (default: dice), dice_or_silence or missed_whole",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the differences as JSON")
    parser.add_argument(
        "--keep", type=Path, metavar="FILE", help="put both sides into an experiment's table, NAME.csv.xz"
    )
    parser.add_argument("--arm", metavar="NAME", help="what B is called in that table; A is its control")
    parser.add_argument("--images", type=Path, metavar="DIR", help="judge model folders on these images")
    parser.add_argument("--masks", type=Path, metavar="DIR", help="their masks")
    parser.add_argument(
        "--index", type=Path, metavar="FILE", help="an index.jsonl with the set and group of every image"
    )
    parser.add_argument("--runtime", default="auto", metavar="NAME", help="of model folders")
    parser.add_argument("--precision", default="auto", metavar="NAME", help="of model folders")
    add_events_option(parser)
    add_data_option(parser, OWN_DATA)


def run(options: argparse.Namespace) -> int:
    from dataclasses import asdict

    from distill.judging.arms import Ground, lent_questions, table_of
    from distill.judging.compare import MADE, compare
    from distill.judging.experiment import ENDING, experiment_text, kept, read_arms, write_arms
    from distill.judging.live_path import folder_images
    from distill.metrics.table import FIGURES
    from engine.files.whole import write_json

    if len(options.pair) == 1 and options.pair[0].endswith(ENDING) and not options.a and not options.b:
        print(experiment_text(read_arms(Path(options.pair[0]))))
        return OK
    sides = _sides(options)
    if options.keep and not (options.arm and options.keep.name.endswith(ENDING)):
        raise FaultError(
            FaultCode.ARGUMENT,
            expected=f"--keep NAME{ENDING} with --arm NAME",
            got=f"--keep {options.keep} {f'--arm {options.arm}' if options.arm else 'alone'}",
            remedy="name both",
        )
    if options.figure not in (*FIGURES, *MADE):
        raise FaultError(
            FaultCode.ARGUMENT,
            expected=f"a figure: {', '.join((*FIGURES, *MADE))}",
            got=repr(options.figure),
            remedy="correct --figure",
        )
    if bool(options.images) != bool(options.masks):
        raise FaultError(
            FaultCode.ARGUMENT,
            expected="--images and --masks together, or neither",
            got="one of them",
            remedy="name both",
        )
    images = None
    if options.images:
        images = folder_images(options.images, options.masks, index=options.index)
    arms = [*sides[0], *sides[1]]
    lent = None if images else lent_questions(arms, options.data)
    ground = Ground(images, options.data, lent, options.runtime, options.precision)
    tables = []
    with begun("compare", events=options.events) as events, progress(events, "table") as tick:
        for arm in arms:
            tables.append(table_of(arm, ground))
            tick(len(tables), len(arms))
        a, b = tables[: len(sides[0])], tables[len(sides[0]) :]
        differences = compare(a, b, options.figure)
        if options.keep:
            there = read_arms(options.keep) if options.keep.exists() else {}
            write_arms(options.keep, kept(there, a, b, options.arm))
    log.info(
        "%s of B minus A, 95 %% interval over groups of images and %d and %d seeds",
        options.figure,
        len(a),
        len(b),
    )
    for d in differences:
        log.info(
            "%-18s %.4f -> %.4f: %+.4f [%+.4f, %+.4f], p = %.4f, %d images in %d groups",
            d.set,
            d.a,
            d.b,
            d.difference,
            d.low,
            d.high,
            d.p,
            d.images,
            d.groups,
        )
    if options.json:
        rows = {d.set: {key: value for key, value in asdict(d).items() if key != "set"} for d in differences}
        write_json(
            options.json,
            {"schema": 1, "figure": options.figure, "a": sides[0], "b": sides[1], "differences": rows},
        )
    return OK


def _sides(options: argparse.Namespace) -> tuple[list[str], list[str]]:
    if len(options.pair) == 2 and not options.a and not options.b:
        return [options.pair[0]], [options.pair[1]]
    if not options.pair and options.a and options.b:
        return options.a, options.b
    raise FaultError(
        FaultCode.ARGUMENT,
        expected="two runs, or --a RUN ... --b RUN ...",
        got=f"{len(options.pair)} runs, {len(options.a)} after --a, {len(options.b)} after --b",
        remedy="name both sides in one of the two ways",
    )
