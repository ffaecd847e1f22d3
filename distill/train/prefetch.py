"""The next step's micro-batches are made while this step runs."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")


class Prefetch(Generic[T]):
    """`take(n)` gives `make(n)`; `make(n + 1)` has begun by then, on a thread of its own.

    One step ahead and no more: memory stays flat. Close it, or use it in `with`.
    """

    def __init__(self, make: Callable[[int], T], end: int) -> None:
        """Nothing at or after `end` is made."""
        self._make = make
        self._end = end
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="batches")
        self._next: tuple[int, Future[T]] | None = None

    def take(self, number: int) -> T:
        """Raises whatever `make` raises."""
        ready = self._next
        if ready is None or ready[0] != number:
            ready = (number, self._pool.submit(self._make, number))
        value = ready[1].result()
        more = number + 1
        self._next = (more, self._pool.submit(self._make, more)) if more < self._end else None
        return value

    def __enter__(self) -> Prefetch[T]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
