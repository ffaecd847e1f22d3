"""`--data` and `--more-data`, the same for every verb that reads data folders."""

from __future__ import annotations

import argparse
from pathlib import Path

from engine.faults import FaultCode, FaultError

USUAL_DATA = "$POLYP_DATA, or ../shared/data"
OWN_DATA = "the data that it was trained beside, known by its fingerprint"


def add_data_option(parser: argparse.ArgumentParser, default: str = USUAL_DATA) -> None:
    parser.add_argument("--data", type=Path, metavar="DIR", help=f"the data folder (default: {default})")


def add_more_data_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--more-data",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="a further data folder, of polyp-free or unlabelled images: trained on, never validated on",
    )


def data_root(options: argparse.Namespace) -> Path:
    """Raises FaultError DATA_SET when none was named and none is found."""
    from distill.data.index import data_folder

    root: Path = options.data or data_folder()
    return root


def data_of_run(options: argparse.Namespace, run: Path) -> Path:
    """The data that a run goes on with: its own. Raises FaultError DATA_SET for other data."""
    from distill.data.index import load_index
    from distill.runs import belonging_of_run

    belonging = belonging_of_run(run)
    root = belonging.find(options.data)
    belonging.check(load_index(root))
    return root


def more_data_of_run(options: argparse.Namespace, run: Path) -> tuple[Path, ...]:
    """The further data that a run goes on with: its own, in its order. Raises FaultError DATA_SET."""
    from distill.data.index import load_index
    from distill.runs import more_belongings_of_run

    named = {load_index(folder).sha256: folder for folder in options.more_data}
    found = []
    for belonging in more_belongings_of_run(run):
        root = belonging.find(named.pop(belonging.sha256, None))
        belonging.check(load_index(root))
        found.append(root)
    if named:
        raise FaultError(
            FaultCode.DATA_SET,
            expected=f"the further data folders that {run.name} was begun with",
            got=", ".join(map(str, named.values())),
            remedy="leave --more-data out, or name the moved folder of the same images",
        )
    return tuple(found)
