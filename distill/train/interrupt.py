"""Ctrl-C while a step runs."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def interrupt() -> Iterator[Callable[[], bool]]:
    """What this gives says whether an end was asked for, by the first Ctrl-C; a second one ends at once."""
    asked = False

    def ask(number: int, stack: object) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, before)
