"""`--events FILE`, the same for every verb that works for long."""

from __future__ import annotations

import argparse


def add_events_option(parser: argparse.ArgumentParser) -> None:
    """What `engine.jobs.begun` takes as `events`."""
    parser.add_argument(
        "--events", metavar="FILE", help="also write the events there, a JSON object a line; - for stdout"
    )
