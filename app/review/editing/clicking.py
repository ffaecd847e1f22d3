"""Clicks on the frame that is seen become a mask: looked at in a thread, the newest clicks win."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from app.review.editing.masks import SeenMasks
from app.widgets.task import Task
from engine.review.editing.clicks import CLICKS, Click
from engine.types import U8

ENDS_WITHIN_S = 5.0


@dataclass(frozen=True, slots=True)
class _Asked:
    rank: int
    label: int
    before: U8
    clicks: tuple[Click, ...]


class Clicking(QObject):
    """`way`: one of CLICKS. Clicks on one polyp of one frame add up, until something else changes it."""

    changed = Signal()  # `is_busy`
    failed = Signal(object)  # Fault

    def __init__(self, masks: SeenMasks, parent: QObject) -> None:
        super().__init__(parent)
        self.way = next(iter(CLICKS))
        self._masks = masks
        self._asked: _Asked | None = None  # the newest
        self._last: U8 | None = None  # what came of it
        self._task: Task | None = None
        self._works_on: _Asked | None = None

    @property
    def is_busy(self) -> bool:
        return self._task is not None

    def press(self, x: float, y: float, *, inside: bool) -> None:
        masks = self._masks
        held = masks.take_hold(x, y)
        label = masks.active
        if held is None or label is None:
            return
        click = Click(x, y, inside)
        asked = self._asked
        goes_on = (
            asked is not None
            and (asked.rank, asked.label) == (masks.rank, label)
            and (self.is_busy or held is self._last or _same(held, self._last))
        )
        if asked is not None and goes_on:
            self._asked = _Asked(asked.rank, label, asked.before, (*asked.clicks, click))
        else:
            self._asked = _Asked(masks.rank, label, held, (click,))
        if inside or self._asked.before.any() or len(self._asked.clicks) > 1:
            self._look()

    def close(self) -> None:
        """Its thread has ended when this returns."""
        if self._task is not None:
            self._task.forget()
            self._task.join(ENDS_WITHIN_S)
            self._task = None

    def _look(self) -> None:
        asked, picture = self._asked, self._masks.picture
        if self._task is not None or asked is None or picture is None or asked.rank != self._masks.rank:
            return
        self._works_on = asked
        way, before = CLICKS[self.way], asked.before if asked.before.any() else None
        self._task = Task("click", lambda: way(picture, before, asked.clicks), self)
        self._task.done.connect(self._done)
        self._task.failed.connect(self._failed)
        self._task.start()
        self.changed.emit()

    def _done(self, mask: U8) -> None:
        asked, self._task = self._works_on, None
        if asked is not None and asked.rank == self._masks.rank:
            if asked is self._asked:
                self._last = mask
                self._masks.put(asked.label, mask, "click")
            else:
                self._look()
        self.changed.emit()

    def _failed(self, fault: object) -> None:
        self._task = None
        self.changed.emit()
        self.failed.emit(fault)


def _same(one: U8, other: U8 | None) -> bool:
    return other is not None and one.shape == other.shape and bool((one == other).all())
