"""The keys of all actions as a person wants them: who has which, what clashes, and what is kept."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence

from app.widgets.action import MODIFIERS, Action, meet, shown_keys
from engine.faults import Fault, FaultCode
from engine.settings import KEYS

PLACE = "keys"
Keys = Mapping[str, tuple[str, ...]]  # of an action's id, portable, the first is shown
_MODIFIERS = (*MODIFIERS, Qt.Key.Key_AltGr, Qt.Key.Key_CapsLock, Qt.Key.Key_NumLock, Qt.Key.Key_unknown, 0)
# What a layout makes of a key by itself, and where on the keyboard it lies, is not a part of the key.
_OF_LAYOUT = Qt.KeyboardModifier.KeypadModifier | Qt.KeyboardModifier.GroupSwitchModifier


def pressed(event: QKeyEvent) -> str:
    """The key of an event, portable: "F13", "Ctrl+Shift+P"; "" while only modifiers are down.

    Shift is left out where it makes the sign: what is pressed for "?" is "?".
    """
    key, modifiers = event.key(), event.modifiers() & ~_OF_LAYOUT
    if key in _MODIFIERS:
        return ""
    if key == Qt.Key.Key_Backtab:
        key = int(Qt.Key.Key_Tab)
    sign = chr(key) if 0x20 < key < 0x100 else ""
    if sign and not sign.isalpha():
        modifiers &= ~Qt.KeyboardModifier.ShiftModifier
    return QKeySequence(key | modifiers.value).toString(QKeySequence.SequenceFormat.PortableText)


def normal(key: str) -> str:
    """A key as it is compared and kept; "" for what is none."""
    made = QKeySequence(key)
    if made.count() != 1 or made[0].key() in (Qt.Key.Key_unknown, 0):  # type: ignore[index]  # see Action
        return ""
    return made.toString(QKeySequence.SequenceFormat.PortableText)


class KeyMap(QObject):
    """`chosen` carries what is kept, by its key in engine.settings; `changed`: some action has other keys."""

    chosen = Signal(object)
    changed = Signal()

    def __init__(self, actions: Mapping[str, Action], own: Keys, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.actions = actions
        self._defaults = {id_: tuple(map(normal, one.entry.keys)) for id_, one in actions.items()}
        self.faults = self._begin(own)

    def default(self, id_: str) -> tuple[str, ...]:
        """The keys that the program comes with."""
        return self._defaults[id_]

    def is_own(self, id_: str) -> bool:
        """Whether a person has changed it."""
        action = self.actions[id_]
        return action.keys != action.entry.keys and tuple(map(normal, action.keys)) != self.default(id_)

    def others(self, id_: str, key: str) -> tuple[Action, ...]:
        """Actions that have this key where `id_` can be meant, too."""
        mine = self.actions[id_]
        return tuple(
            other
            for other in self.actions.values()
            if other is not mine
            and key in map(normal, other.keys)
            and meet(mine.entry.needs, other.entry.needs)
        )

    def add(self, id_: str, key: str) -> None:
        """One more key, and nobody else keeps it."""
        self._give(id_, (*self._without(id_, key), key), key, "")

    def replace(self, id_: str, before: str, key: str) -> None:
        """This key in the place of another; whoever has had it gets that one, unless a third has it there."""
        keys = tuple(key if one == before else one for one in self._without(id_, key))
        self._give(id_, keys, key, before)

    def remove(self, id_: str, key: str) -> None:
        self._set({id_: self._without(id_, key)})

    def reset(self, id_: str) -> None:
        """The keys that the program comes with; who has one of them gives it back."""
        changes: dict[str, tuple[str, ...]] = {id_: self.actions[id_].entry.keys}
        for key in self.default(id_):
            for other in self.others(id_, key):
                kept = changes.get(other.entry.id, other.keys)
                changes[other.entry.id] = tuple(one for one in kept if normal(one) != key)
        self._set(changes)

    def reset_all(self) -> None:
        self._set({id_: action.entry.keys for id_, action in self.actions.items() if self.is_own(id_)})

    # Inside

    def _without(self, id_: str, key: str) -> tuple[str, ...]:
        return tuple(one for one in self.actions[id_].keys if normal(one) != key)

    def _give(self, id_: str, keys: tuple[str, ...], key: str, instead: str) -> None:
        changes = {id_: keys}
        for other in (one.entry.id for one in self.others(id_, key)):
            free = bool(instead) and {one.entry.id for one in self.others(other, instead)} <= {id_}
            changes[other] = (*self._without(other, key), instead) if free else self._without(other, key)
        self._set(changes)

    def _set(self, changes: Keys) -> None:
        for id_, keys in changes.items():
            self.actions[id_].set_keys(keys)
        own = {id_: self.actions[id_].keys if self.is_own(id_) else None for id_ in changes}
        self.changed.emit()
        self.chosen.emit({f"{KEYS}.{id_}": keys for id_, keys in own.items()})

    def _begin(self, own: Keys) -> tuple[Fault, ...]:
        """Take what was kept; what cannot be meant falls back alone and is told."""
        faults = []
        mine: dict[str, tuple[str, ...]] = {}
        for id_, keys in own.items():
            if id_ not in self.actions:
                faults.append(_fault(id_, f"there is no action {id_}"))
            elif wrong := [key for key in keys if not normal(key)]:
                faults.append(_fault(id_, f"{wrong[0]!r} is no key"))
            elif other := self._clash(id_, keys, mine):
                faults.append(_fault(id_, f"{shown_keys(keys)} is “{other.text()}” already"))
            else:
                mine[id_] = tuple(map(normal, keys))
                self.actions[id_].set_keys(mine[id_])
        for id_ in mine:  # a key of the program's that a person has given to something else
            for key in mine[id_]:
                for loser in self.others(id_, key):
                    loser.set_keys([one for one in loser.keys if normal(one) != key])
        return tuple(faults)

    def _clash(self, id_: str, keys: Sequence[str], mine: Iterable[str]) -> Action | None:
        """Another action of the person's own that has one of these."""
        clashing = (other for key in keys for other in self.others(id_, normal(key)))
        return next((other for other in clashing if other.entry.id in mine), None)


def _fault(id_: str, why: str) -> Fault:
    return Fault(
        FaultCode.SETTINGS,
        PLACE,
        expected="keys of actions",
        got=f"{KEYS}.{id_}: {why}",
        remedy="press another key in the settings",
        at_s=time.monotonic(),
        fatal=False,
        said=f"{KEYS}.{id_} of the settings cannot be: {why}. Its usual keys are in force. Press others in "
        "Settings, under Keys.",
    )
