"""`prepare`: data sets as people have them become a data folder with one index."""

from __future__ import annotations

import argparse
import logging
import sys
from collections import Counter
from pathlib import Path

from distill.exit_codes import CANCELLED, OK
from distill.verbs.progress import add_events_option, progress
from engine.faults import FaultCode, FaultError
from engine.jobs.begun import begun

log = logging.getLogger("distill")


def arguments(parser: argparse.ArgumentParser) -> None:
    from distill.data.formats.layouts import AUTO, LAYOUTS
    from distill.data.splits import SIDES

    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = "layouts:\n" + "\n".join(f"  {name:14} {row.summary}" for name, row in LAYOUTS.items())
    parser.add_argument("sources", type=Path, nargs="+", metavar="SOURCE", help="a folder with a data set")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the data folder to be made")
    parser.add_argument(
        "--layout",
        choices=(AUTO, *LAYOUTS),
        default=AUTO,
        metavar="NAME",
        help="how it lies; auto looks at the files",
    )
    parser.add_argument("--set", metavar="NAME", help="the set's name (default: by layout or folder)")
    parser.add_argument("--task", metavar="NAME", help="what the masks show (default: polyp)")
    parser.add_argument(
        "--label",
        action="append",
        default=[],
        metavar="NAME",
        help="only this is a polyp: a category's name, or the value of masks with classes (1, #ff0000); "
        "repeatable",
    )
    parser.add_argument(
        "--list",
        action="append",
        default=[],
        type=_list,
        metavar="SIDE=FILE",
        help=f"a name list of a side ({', '.join(SIDES)}), an image a line; repeatable. "
        "train.txt, val.txt and test.txt in a source are read anyway",
    )
    parser.add_argument(
        "--negatives",
        action="store_true",
        help="an image without a mask, or with a black one, has no polyp",
    )
    parser.add_argument(
        "--copy", action="store_true", help="copy the images as well, so that the folder can be moved"
    )
    add_events_option(parser)


def run(options: argparse.Namespace) -> int:
    from distill.data.prepare import Wishes, prepare

    wishes = Wishes(
        layout=options.layout,
        set=options.set,
        task=options.task,
        labels=frozenset(options.label),
        lists=dict(options.list),
        negatives=options.negatives,
        copy=options.copy,
    )
    try:
        with begun("prepare", events=options.events) as folder:
            with progress(folder, "image") as tick:
                prepared = prepare(options.sources, options.out, wishes, tick)
            for problem in prepared.problems:
                print(problem, file=sys.stderr)
            if prepared.problems:
                raise FaultError(
                    FaultCode.DATA_SET,
                    expected="every image readable, with one mask of its name and size",
                    got=f"{len(prepared.problems)} files that are not, listed above; nothing was written",
                    remedy="correct or remove them",
                    said=f"{len(prepared.problems)} files cannot be used, listed above; nothing was written. "
                    "Correct or remove them.",
                )
            for note in prepared.notes:
                folder.event("warn", text=note)
            folder.event("file", path=str(options.out), images=len(prepared.lines))
    except KeyboardInterrupt:
        log.info("stopped, nothing was written")
        return CANCELLED
    for note in prepared.notes:
        log.info("%s", note)
    groups = {line["group"] for line in prepared.lines}
    counts = Counter((line["set"], line.get("split", "-"), line["label"]) for line in prepared.lines)
    for (name, side, label), count in sorted(counts.items()):
        log.info("%-20s %-10s %-9s %6d", name, side, label, count)
    log.info("%d images in %d groups: %s", len(prepared.lines), len(groups), options.out)
    return OK


def _list(text: str) -> tuple[Path, str]:
    from distill.data.splits import SIDES

    side, _, name = text.partition("=")
    if side not in SIDES or not name:
        raise argparse.ArgumentTypeError(f"{text} is not SIDE=FILE with a side of {', '.join(SIDES)}")
    return Path(name), side
