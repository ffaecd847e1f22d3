"""`--data`, the same for every verb that reads the data folder."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_data_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, help="the data folder (default: $POLYP_DATA, or ../shared/data)")


def data_root(options: argparse.Namespace) -> Path:
    """Raises FaultError DATA_SET when none was named and none is found."""
    from distill.data.index import data_folder

    root: Path = options.data or data_folder()
    return root
