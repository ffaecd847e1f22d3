"""Clicks become masks of the very frames that they were made on: in a thread, one polyp after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from app.review.editing.masks import SeenMasks
from app.widgets.task import Task
from engine.faults import FaultError
from engine.review.editing.clicks import Click
from engine.review.editing.radial import radial
from engine.review.sam.ways import BUILT_IN, WAYS, Way
from engine.types import U8

ENDS_WITHIN_S = 5.0


@dataclass(frozen=True, slots=True)
class _Asked:
    """All clicks on one polyp of one frame, on the mask `before` them."""

    rank: int
    label: int
    picture: U8
    before: U8
    clicks: tuple[Click, ...]

    @property
    def of(self) -> tuple[int, int]:
        return self.rank, self.label


class Clicking(QObject):
    """Clicks on one polyp of one frame add up, until something else changes it.

    `weights`: those that the settings name for the ways that need some; where such a way cannot go on, that
    is told, and the built-in one takes over, with the clicks that were not answered, too.
    """

    changed = Signal()  # `is_busy`, `way`
    failed = Signal(object)  # Fault

    def __init__(self, masks: SeenMasks, weights: Callable[[], str], parent: QObject) -> None:
        super().__init__(parent)
        self.way = BUILT_IN
        self._weights = weights
        self._open: Way = WAYS[BUILT_IN]("")
        self._masks = masks
        self._asked: _Asked | None = None  # the newest
        self._last: U8 | None = None  # what came of it
        self._waiting: dict[tuple[int, int], _Asked] = {}  # the newest of each polyp
        self._works_on: _Asked | None = None
        self._works_with: Way | None = None
        self._task: Task | None = None

    @property
    def is_busy(self) -> bool:
        return self._task is not None

    def use(self, way: str) -> None:
        """One of WAYS, from the next click on. It is made ready now."""
        self._open.close()
        self.way = way
        try:
            self._open = WAYS[way](self._weights())
        except FaultError as error:
            self._go_on_built_in()
            self.failed.emit(error.as_fault("click"))
        self.changed.emit()

    def press(self, x: float, y: float, *, inside: bool) -> None:
        masks, asked = self._masks, self._asked
        held, label, picture = masks.take_hold(x, y), masks.active, masks.picture
        if held is None or label is None or picture is None:
            return
        click = Click(x, y, inside)
        goes_on = (
            asked is not None
            and asked.of == (masks.rank, label)
            and (self.is_busy or held is self._last or _same(held, self._last))
        )
        before, clicks = (asked.before, asked.clicks) if asked is not None and goes_on else (held, ())
        self._asked = asked = _Asked(masks.rank, label, picture, before, (*clicks, click))
        if inside or before.any() or clicks:
            self._waiting[asked.of] = asked
            self._look()

    def close(self) -> None:
        """Its thread has ended when this returns, and what was clicked is a mask."""
        if self._task is not None and self._works_on is not None:
            self._task.forget()
            self._open.close()
            self._task.join(ENDS_WITHIN_S)
            self._task = None
            self._waiting.setdefault(self._works_on.of, self._works_on)
        for asked in self._waiting.values():
            self._masks.put(asked.label, radial(*_given(asked)), "click", rank=asked.rank)
        self._waiting.clear()
        self._open.close()

    def _look(self) -> None:
        if self._task is not None or not self._waiting:
            return
        asked = self._works_on = self._waiting.pop(next(iter(self._waiting)))
        way = self._works_with = self._open
        self._task = Task("click", lambda: way(*_given(asked)), self)
        self._task.done.connect(self._done)
        self._task.failed.connect(self._failed)
        self._task.start()
        self.changed.emit()

    def _done(self, mask: U8) -> None:
        asked, self._task = self._works_on, None
        assert asked is not None
        if asked.of not in self._waiting:  # else there are more clicks already, and this is only seen again
            if asked is self._asked:
                self._last = mask
            self._masks.put(asked.label, mask, "click", rank=asked.rank)
        self._look()
        self.changed.emit()

    def _failed(self, fault: object) -> None:
        asked, self._task = self._works_on, None
        was_left = self._works_with is not self._open  # and closed while it was looking
        can_go_on = was_left or self.way != BUILT_IN
        if not was_left:
            self._go_on_built_in()
        if can_go_on and asked is not None:
            self._waiting.setdefault(asked.of, asked)
        self._look()
        self.changed.emit()
        if not was_left:
            self.failed.emit(fault)

    def _go_on_built_in(self) -> None:
        self._open.close()
        self.way, self._open = BUILT_IN, WAYS[BUILT_IN]("")


def _given(asked: _Asked) -> tuple[U8, U8 | None, tuple[Click, ...]]:
    return asked.picture, asked.before if asked.before.any() else None, asked.clicks


def _same(one: U8, other: U8 | None) -> bool:
    return other is not None and one.shape == other.shape and bool((one == other).all())
