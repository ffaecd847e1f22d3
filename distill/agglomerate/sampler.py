"""Which images an update sees: every task as often as any other, in every batch."""

from __future__ import annotations

from collections.abc import Iterator


def places(batch: int, size: int, tasks: int) -> Iterator[tuple[int, int]]:
    """(task, how many of that task came before) of each place of a batch, counted from 0 over the training.

    Places are dealt round: a small task comes as often as a large one, it only meets its images more often.
    """
    for place in range(batch * size, (batch + 1) * size):
        yield place % tasks, place // tasks
