"""Hand-over between two threads that keeps only the newest value (docs/adr/0002)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class LatestSlot(Generic[T]):
    """`put` replaces the value and rings the bell of whoever takes; `take` empties it. Nothing queues."""

    def __init__(self, bell: Callable[[], None]) -> None:
        self._lock = threading.Lock()
        self._bell = bell
        self._value: T | None = None

    def put(self, value: T) -> None:
        with self._lock:
            self._value = value
        self._bell()

    def take(self) -> T | None:
        """The newest value, or None when it has been taken already. Never waits."""
        with self._lock:
            value, self._value = self._value, None
        return value
