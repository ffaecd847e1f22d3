"""`audit`: what in a data folder would spoil a training or its figures."""

from __future__ import annotations

import argparse
import logging
from collections import Counter
from pathlib import Path

from distill.exit_codes import CANCELLED, DATA_UNUSABLE, OK
from distill.verbs.progress import add_events_option, progress
from engine.files.whole import write_json
from engine.jobs.begun import begun

log = logging.getLogger("distill")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="a data folder with an index")
    parser.add_argument(
        "--split",
        metavar="RECIPE",
        help="across the split of this recipe, a name or a TOML (default: the index's own lists)",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the findings")
    add_events_option(parser)


def run(options: argparse.Namespace) -> int:
    from distill.data.audit import audit
    from distill.data.index import load_index
    from distill.data.splits import split_of
    from distill.recipe import load_recipe

    try:
        with begun("audit", events=options.events) as folder:
            records = load_index(options.folder).records
            split = split_of(records, load_recipe(options.split).data) if options.split else None
            with progress(folder, "image") as tick:
                report = audit(options.folder, records, split, tick)
            if options.json:
                write_json(
                    options.json,
                    {
                        "images": report.images,
                        "clean": not report.drop,
                        "drop": list(report.drop),
                        "findings": [
                            {"kind": one.kind, "image": one.image, "detail": one.detail, "drop": one.drop}
                            for one in report.findings
                        ],
                    },
                )
                folder.event("file", path=str(options.json))
    except KeyboardInterrupt:
        return CANCELLED
    for finding in report.findings:
        verdict = "drop" if finding.drop else "note"
        log.info("%s %s %s: %s", verdict, finding.kind, finding.image, finding.detail)
    for kind, count in Counter(finding.kind for finding in report.findings).items():
        log.info("%5d %s", count, kind)
    log.info("%d images, %d to be dropped", report.images, len(report.drop))
    return DATA_UNUSABLE if report.drop else OK
