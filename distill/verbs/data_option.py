"""`--data`, the same for every verb that reads the data folder."""

from __future__ import annotations

import argparse
from pathlib import Path

USUAL_DATA = "$POLYP_DATA, or ../shared/data"
OWN_DATA = "the data that it was trained beside, known by its fingerprint"


def add_data_option(parser: argparse.ArgumentParser, default: str = USUAL_DATA) -> None:
    parser.add_argument("--data", type=Path, metavar="DIR", help=f"the data folder (default: {default})")


def data_root(options: argparse.Namespace) -> Path:
    """Raises FaultError DATA_SET when none was named and none is found."""
    from distill.data.index import data_folder

    root: Path = options.data or data_folder()
    return root


def data_of_run(options: argparse.Namespace, run: Path) -> Path:
    """The data that a run goes on with: its own. Raises FaultError DATA_SET for other data."""
    from distill.data.belonging import belonging_of_run
    from distill.data.index import load_index
    from engine.jobs.folder import RUN_JSON

    belonging = belonging_of_run(run.name, run / RUN_JSON)
    root = belonging.find(options.data)
    belonging.check(load_index(root))
    return root
