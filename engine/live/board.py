"""The small values that the workers and the window share, under one lock, and one bell for their changes."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterable
from typing import Any

from engine.faults import Fault
from engine.live.state import SourceEvent, next_state
from engine.tracking.person import PersonFinding, with_missed, without_missed
from engine.types import (
    AiState,
    Chosen,
    Incident,
    Loop,
    OperatingPoint,
    Pacing,
    Presentation,
    Rect,
    Region,
    RuntimeInfo,
    Size,
    SourceInfo,
    SourceState,
)

MAX_FAULTS = 20
MAX_INCIDENTS = 100


@dataclasses.dataclass(frozen=True, slots=True)
class Status:
    """One moment of the pipeline. Frozen: whoever reads `Board.status` holds a consistent set."""

    source_state: SourceState = SourceState.IDLE
    info: SourceInfo | None = None
    pacing: Pacing = Pacing.REALTIME
    speed: float = 1.0
    loop: Loop | None = None
    ai_state: AiState = AiState.OFF
    ai_reason: str = "no model has been chosen"
    model_id: str | None = None
    runtime: RuntimeInfo | None = None
    running: Chosen | None = None
    preparing: Chosen | None = None
    waits_for_ai: bool = False
    network_size: Size | None = None
    network_region: Region = "frame"
    point: OperatingPoint = OperatingPoint(threshold=0.5, min_area_frac=0.0)
    presentation: Presentation | None = None
    faults: tuple[Fault, ...] = ()
    incidents: tuple[Incident, ...] = ()
    frozen: bool = False  # a live sender repeats one picture
    dismissed: frozenset[int] = frozenset()  # tracks, by a person; ids are never given twice
    alarms: int = 0  # how many there were
    missed: tuple[PersonFinding, ...] = ()  # of this source, by a person; the newest last
    serial: int = 0


class Board:
    """Holds the current `Status`; every change replaces it and rings the bell."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._lock = threading.Lock()
        self._status = Status()
        self._on_change = on_change

    @property
    def status(self) -> Status:
        return self._status

    def change(self, **changes: Any) -> None:
        """Set fields of the status by name."""
        with self._lock:
            self._replace(**changes)
        self._on_change()

    def event(self, event: SourceEvent, **changes: Any) -> SourceState:
        """Move the source's state along `state.TRANSITIONS`, with other changes at the same moment."""
        with self._lock:
            state = next_state(self._status.source_state, event)
            if state is self._status.source_state and not changes:
                return state
            self._replace(source_state=state, **changes)
        self._on_change()
        return state

    def dismiss(self, tracks: Iterable[int], dismissed: bool = True) -> None:
        """A person's no to these findings, or the taking back of it."""
        with self._lock:
            others = self._status.dismissed.difference(tracks)
            self._replace(dismissed=others.union(tracks) if dismissed else others)
        self._on_change()

    def mark_missed(self, box: Rect, pts_s: float, size: Size) -> None:
        """As `with_missed`, of the source that is open."""
        with self._lock:
            self._replace(missed=with_missed(self._status.missed, box, pts_s, size))
        self._on_change()

    def take_back_missed(self, number: int) -> None:
        with self._lock:
            self._replace(missed=without_missed(self._status.missed, number))
        self._on_change()

    def add_fault(self, fault: Fault) -> None:
        """Show a fault. The same sentence from the same place is shown once, as its newest occurrence."""
        with self._lock:
            said = (fault.place, fault.sentence)
            others = [f for f in self._status.faults if (f.place, f.sentence) != said]
            self._replace(faults=(*others, fault)[-MAX_FAULTS:])
        self._on_change()

    def clear_faults(self, *places: str) -> None:
        """Forget the faults of these places: they are no longer true."""
        with self._lock:
            kept = tuple(f for f in self._status.faults if f.place not in places)
            if kept == self._status.faults:
                return
            self._replace(faults=kept)
        self._on_change()

    def retell(self, fault: Fault) -> None:
        """A fault whose words move on. `at_s` tells it from others; one that a person has read stays away."""
        with self._lock:
            faults = tuple(fault if _is_same(f, fault) else f for f in self._status.faults)
            self._replace(faults=faults)
        self._on_change()

    def remove_fault(self, fault: Fault) -> None:
        with self._lock:
            self._replace(faults=tuple(f for f in self._status.faults if not _is_same(f, fault)))
        self._on_change()

    def note(self, incident: Incident, *, instead_of: Incident | None = None) -> None:
        """Put an incident into the session's log, or in the place of what was known of it."""
        with self._lock:
            others = tuple(i for i in self._status.incidents if i is not instead_of)
            self._replace(incidents=(*others, incident)[-MAX_INCIDENTS:])
        self._on_change()

    def _replace(self, **changes: Any) -> None:
        self._status = dataclasses.replace(self._status, serial=self._status.serial + 1, **changes)


def _is_same(fault: Fault, other: Fault) -> bool:
    return (fault.place, fault.code, fault.at_s) == (other.place, other.code, other.at_s)
