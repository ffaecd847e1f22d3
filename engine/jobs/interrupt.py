"""A wish to end that comes as a signal: as a flag, or as KeyboardInterrupt."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def interrupt(*signals: signal.Signals) -> Iterator[Callable[[], bool]]:
    """What this gives says whether an end was asked for, by the first Ctrl-C; a second one ends at once.

    `signals` are by default SIGINT alone. The second one raises KeyboardInterrupt. For the main thread.
    """
    asked = False

    def ask(number: int, stack: object) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    before = {number: signal.signal(number, ask) for number in signals or (signal.SIGINT,)}
    try:
        yield lambda: asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def terminable() -> Iterator[None]:
    """SIGTERM ends as Ctrl-C does: with everything cleaned up. For the main thread."""

    def end(number: int, stack: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
