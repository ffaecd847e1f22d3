"""A bar for a person, and events for whoever else looks: `--events FILE`, the same for every verb."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from engine.jobs.events import RunFolder

PROGRESS_S = 0.5


def add_events_option(parser: argparse.ArgumentParser) -> None:
    """What `engine.jobs.begun` takes as `events`."""
    parser.add_argument(
        "--events", metavar="FILE", help="also write the events there, a JSON object a line; - for stdout"
    )


@contextmanager
def progress(folder: RunFolder, unit: str) -> Iterator[Callable[[int, int], None]]:
    """A call (done, of how many) that moves a bar and, twice a second and at the end, tells an event."""
    from tqdm import tqdm

    last_s = 0.0
    with tqdm(unit=unit) as bar:

        def tick(done: int, total: int) -> None:
            nonlocal last_s
            bar.total = total
            bar.update(done - bar.n)
            now_s = time.monotonic()
            if done == total or now_s - last_s >= PROGRESS_S:
                last_s = now_s
                folder.event("progress", done=done, total=total)

        yield tick
