"""An action: its words, its keys, what must be there for it, and whose method it calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence

from app.widgets.icons import icon

Owners = TypeVar("Owners")
MODIFIERS = {
    int(Qt.Key.Key_Shift): Qt.KeyboardModifier.ShiftModifier,
    int(Qt.Key.Key_Control): Qt.KeyboardModifier.ControlModifier,
    int(Qt.Key.Key_Alt): Qt.KeyboardModifier.AltModifier,
    int(Qt.Key.Key_Meta): Qt.KeyboardModifier.MetaModifier,
}


class Section(Enum):
    """Of the menu and of the sheet; the value is its title."""

    OPEN = "Open"
    PLAY = "Play"
    REVIEW = "Review"
    COMPARISON = "Comparison of two models"
    CORRECTION = "Correction of masks"
    AI = "AI and overlay"
    VIEW = "View"
    HELP = "Help"


class Needs(Enum):
    """What must be there for an action to make sense."""

    NOTHING = "nothing"
    PICTURE = "a picture"  # something is open in the place in front
    LIVE = "the place Live"
    SOURCE = "a source"  # in the place Live
    RECORDING = "a recording"  # one that can be paused and searched
    REVIEW = "a recording under review"
    JUDGING = "findings to judge"  # under review, and no masks are corrected
    CORRECTION = "masks that are corrected"
    MARKS = "marks over the picture"  # everywhere but where masks are corrected
    NOTICE = "a message"


_ANYWHERE = frozenset({Needs.NOTHING, Needs.NOTICE})
_REVIEWED = _ANYWHERE | {Needs.PICTURE, Needs.RECORDING, Needs.REVIEW}
# TABLE of what is there together: a key may mean one thing in each.
SITUATIONS: Mapping[str, frozenset[Needs]] = {
    "live": _ANYWHERE | {Needs.LIVE, Needs.PICTURE, Needs.SOURCE, Needs.RECORDING, Needs.MARKS},
    "review": _REVIEWED | {Needs.JUDGING, Needs.MARKS},
    "correction": _REVIEWED | {Needs.CORRECTION},
}


def meet(one: Needs, other: Needs) -> bool:
    """Whether two actions can make sense at once, and so cannot share a key."""
    return any(one in there and other in there for there in SITUATIONS.values())


@dataclass(frozen=True, slots=True)
class Entry(Generic[Owners]):
    """One row of the table. `keys` are portable, the first is shown; a person may have chosen others.

    `does` picks the method out of the owners; the word that it may return answers the key on the screen.
    `released` is for a key that is held down: what is done when it comes up.
    """

    id: str
    text: str
    keys: tuple[str, ...]
    does: Callable[[Owners], Callable[[], str | None]]
    needs: Needs = Needs.NOTHING
    icon: str = ""
    released: Callable[[Owners], Callable[[], None]] | None = None
    repeats: bool = False


class Action(QAction):
    """An entry of the table in a window. `owners` is asked when it happens; `say` hears what it answers."""

    def __init__(
        self,
        entry: Entry[Owners],
        section: Section,
        owners: Callable[[], Owners],
        say: Callable[[str], None],
        parent: QObject,
    ) -> None:
        super().__init__(entry.text, parent)
        self.entry: Entry[Any] = entry
        self.section = section
        self._owners = owners
        self._say = say
        self.setObjectName(entry.id)
        self.setAutoRepeat(entry.repeats)
        self.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
        if entry.icon:
            self.setIcon(icon(entry.icon))
        self.keys: tuple[str, ...] = ()
        self.set_keys(entry.keys)
        self.triggered.connect(self._do)

    def set_keys(self, keys: Sequence[str]) -> None:
        """Those that call it from now on; whoever shows them hears `changed`."""
        self.keys = tuple(keys)
        self.setShortcuts([QKeySequence(key) for key in keys])
        self.setToolTip(tip(self.entry.text, self.keys))

    def is_held_by(self, key: int) -> bool:
        """Whether a key that comes up, a modifier too, was needed to hold it down."""
        for sequence in self.shortcuts():
            held = sequence[0]  # type: ignore[index]  # its stub does not say so
            modifier = MODIFIERS.get(key)
            if held.key() == key or (modifier is not None and modifier in held.keyboardModifiers()):
                return True
        return False

    def release(self) -> None:
        """The key of a held one came up, or may have: nobody tells when that happens in another window."""
        if self.entry.released is not None:
            self.entry.released(self._owners())()

    def _do(self) -> None:
        answer = self.entry.does(self._owners())()
        if answer is not None:
            self._say(answer)


def enable(actions: Iterable[Action], available: Iterable[Needs]) -> None:
    """Switch off what makes no sense now."""
    have = {Needs.NOTHING, *available}
    if Needs.CORRECTION not in have:
        have.add(Needs.MARKS)
    for action in actions:
        action.setEnabled(action.entry.needs in have)


def disabled_by(key: QKeySequence, actions: Mapping[str, Action]) -> Entry[Any] | None:
    """The entry of a key that does nothing now; None when there is none, or the key has another meaning."""
    found = [one for one in actions.values() if key in one.shortcuts()]
    return None if not found or any(one.isEnabled() for one in found) else found[0].entry


def tip(text: str, keys: Sequence[str]) -> str:
    """Tooltip: what it does and its key, such as "Full screen (F11)"."""
    text = text.rstrip("…").removeprefix("Hold: ")
    shown = shown_keys(keys)
    return f"{text[0].upper()}{text[1:]}{f' ({shown})' if shown else ''}"


def shown_keys(keys: Sequence[str]) -> str:
    """Keys as a person reads them on this platform."""
    native = QKeySequence.SequenceFormat.NativeText
    return " or ".join(QKeySequence(key).toString(native) for key in keys)
