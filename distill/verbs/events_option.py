"""`--events FILE`, the same for every verb that works for long."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from engine.faults import FaultCode, FaultError

STDOUT = "-"


def add_events_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--events", metavar="FILE", help="also write the events there, a JSON object a line; - for stdout"
    )


@contextmanager
def events_echo(options: argparse.Namespace) -> Iterator[Callable[[str], object] | None]:
    """What RunFolder takes as `echo`. Lines are added to the file and flushed one by one.

    Raises FaultError OUTPUT when the file cannot be written.
    """
    name: str | None = options.events
    if name is None:
        yield None
    elif name == STDOUT:
        yield _flushing(sys.stdout.write, sys.stdout.flush)
    else:
        try:
            stream = open(name, "a", encoding="utf-8", newline="\n")  # noqa: SIM115, PTH123 closed below
        except OSError as error:
            raise FaultError(
                FaultCode.OUTPUT,
                expected=f"to write events to {name}",
                got=error.strerror or str(error),
                remedy="name another file with --events",
            ) from error
        with stream:
            yield _flushing(stream.write, stream.flush)


def _flushing(write: Callable[[str], object], flush: Callable[[], None]) -> Callable[[str], object]:
    def echo(line: str) -> None:
        write(line)
        flush()

    return echo
