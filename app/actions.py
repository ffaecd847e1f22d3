"""TABLE of all that a person can do: text, keys, place. Menu, tooltips and the `?` sheet are made from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence

from app.widgets.icons import icon


class Place(Enum):
    """Section of the menu and of the sheet; the value is its title."""

    OPEN = "Open"
    PLAY = "Play"
    AI = "AI and overlay"
    VIEW = "View"
    HELP = "Help"


class Needs(Enum):
    """What must be there for an action to make sense."""

    NOTHING = "nothing"
    SOURCE = "a source"
    RECORDING = "a recording"  # one that can be paused and searched
    NOTICE = "a message"


@dataclass(frozen=True, slots=True)
class Entry:
    """One action. `handler` is the window's method of that name; `keys` are portable, the first is shown.

    A handler may return a short word: it answers the key on the screen. `hold`: the handler gets True when
    the key goes down and False when it comes up.
    """

    id: str
    text: str
    keys: tuple[str, ...]
    place: Place
    handler: str
    needs: Needs = Needs.NOTHING
    icon: str = ""
    hold: bool = False
    repeats: bool = False


_P, _N = Place, Needs

# What the mouse does, for the sheet: (what, how).
MOUSE = (
    ("Zoom in and out", "Wheel over the picture"),
    ("Move the enlarged picture", "Drag"),
    ("One second on or back", "Wheel over the time line"),
    ("Menu", "Right button"),
    ("Full screen", "Double click"),
)

ACTIONS: tuple[Entry, ...] = (
    Entry("open-recording", "Open recording…", ("Ctrl+O",), _P.OPEN, "open_recording", icon="film"),
    Entry("open-stills", "Open folder of stills…", ("Ctrl+Shift+O",), _P.OPEN, "open_stills", icon="images"),
    Entry("open-device", "Capture device…", ("Ctrl+D",), _P.OPEN, "open_device", icon="webcam"),
    Entry("open-stream", "Network stream…", ("Ctrl+U",), _P.OPEN, "open_stream", icon="radio-tower"),
    Entry("open-demo", "Demonstration", ("Ctrl+Shift+D",), _P.OPEN, "open_demo", icon="circle-play"),
    Entry("retry", "Open again", ("F5",), _P.OPEN, "open_again", _N.SOURCE, icon="refresh-cw"),
    Entry("close", "Close and go to the start page", ("Ctrl+W",), _P.OPEN, "close_source", icon="house"),
    Entry("quit", "Quit", ("Ctrl+Q",), _P.OPEN, "quit"),
    Entry(
        "play-pause",
        "Play or pause; freeze a live picture",
        ("Space",),
        _P.PLAY,
        "play_pause",
        _N.SOURCE,
        "play",
    ),
    Entry("backwards", "Backwards, faster each time", ("J",), _P.PLAY, "backwards", _N.RECORDING),
    Entry("stop", "Pause, back to normal speed", ("K",), _P.PLAY, "stop", _N.RECORDING),
    Entry("forwards", "Forwards, faster each time", ("L",), _P.PLAY, "forwards", _N.RECORDING),
    Entry(
        "step-back", "One frame back", (",",), _P.PLAY, "step_back", _N.RECORDING, "step-back", repeats=True
    ),
    Entry("step-on", "One frame on", (".",), _P.PLAY, "step_on", _N.RECORDING, "step-forward", repeats=True),
    Entry("few-back", "Five seconds back", ("Left",), _P.PLAY, "few_back", _N.RECORDING, repeats=True),
    Entry("few-on", "Five seconds on", ("Right",), _P.PLAY, "few_on", _N.RECORDING, repeats=True),
    Entry(
        "second-back", "One second back", ("Shift+Left",), _P.PLAY, "second_back", _N.RECORDING, repeats=True
    ),
    Entry("second-on", "One second on", ("Shift+Right",), _P.PLAY, "second_on", _N.RECORDING, repeats=True),
    Entry(
        "minute-back", "One minute back", ("Ctrl+Left",), _P.PLAY, "minute_back", _N.RECORDING, repeats=True
    ),
    Entry("minute-on", "One minute on", ("Ctrl+Right",), _P.PLAY, "minute_on", _N.RECORDING, repeats=True),
    Entry("go-to", "Go to frame or time…", ("G",), _P.PLAY, "go_to", _N.RECORDING),
    Entry("loop-start", "Loop from here", ("I",), _P.PLAY, "loop_from", _N.RECORDING),
    Entry("loop-end", "Loop to here", ("O",), _P.PLAY, "loop_to", _N.RECORDING),
    Entry("loop-off", "No loop", ("Shift+O",), _P.PLAY, "loop_off", _N.RECORDING),
    Entry("first", "First frame", ("Home",), _P.PLAY, "to_start", _N.RECORDING, "skip-back"),
    Entry("last", "Last frame", ("End",), _P.PLAY, "to_end", _N.RECORDING, "skip-forward"),
    Entry("ai", "AI on or off", ("A",), _P.AI, "toggle_ai"),
    Entry("raw", "Hold: picture without marks", ("H",), _P.AI, "hold_raw", _N.SOURCE, icon="eye", hold=True),
    Entry("contour", "Overlay: contour", ("1",), _P.AI, "style_contour", icon="lasso"),
    Entry("fill", "Overlay: fill", ("2",), _P.AI, "style_fill", icon="paint-bucket"),
    Entry("box", "Overlay: box", ("3",), _P.AI, "style_box", icon="square"),
    Entry("corners", "Overlay: corner brackets", ("4",), _P.AI, "style_corners", icon="scan"),
    Entry("threshold-down", "Lower threshold", ("[",), _P.AI, "threshold_down", repeats=True),
    Entry("threshold-up", "Raise threshold", ("]",), _P.AI, "threshold_up", repeats=True),
    Entry("model", "Choose model", ("M",), _P.AI, "choose_model", icon="cpu"),
    Entry("runtime", "Choose runtime", ("R",), _P.AI, "choose_runtime"),
    Entry("full-screen", "Full screen", ("F11", "F"), _P.VIEW, "toggle_full_screen", icon="maximize"),
    Entry("leave", "Leave full screen, back to the picture", ("Esc",), _P.VIEW, "leave"),
    Entry("panel", "Side panel", ("Tab",), _P.VIEW, "toggle_panel", icon="panel-right"),
    Entry("next-area", "Next group of controls", ("F6",), _P.VIEW, "next_area"),
    Entry("fit", "Whole picture (after zooming with the wheel)", ("Z",), _P.VIEW, "fit", _N.SOURCE),
    Entry("names", "Names of recent items shown or hidden", ("Ctrl+H",), _P.VIEW, "toggle_names"),
    Entry("latency", "Latency", ("Ctrl+L",), _P.VIEW, "show_latency", icon="activity"),
    Entry("faults", "Faults", ("Ctrl+F",), _P.VIEW, "show_faults", icon="triangle-alert"),
    Entry("close-notice", "Close the message", ("X",), _P.VIEW, "close_notice", _N.NOTICE, icon="x"),
    Entry("answer-notice", "Do what the message offers", ("Y",), _P.VIEW, "answer_notice", _N.NOTICE),
    Entry("sheet", "Shortcuts", ("?", "F1"), _P.HELP, "show_sheet", icon="keyboard"),
)


def make_actions(
    parent: QObject, handler: Callable[[str], Callable[..., object]], say: Callable[[str], None]
) -> dict[str, QAction]:
    """A QAction for each entry; `handler` gives the method that it names, asked when the action happens.

    `say` hears the word that a handler returns. A held one calls its handler with True; hearing the key come
    up is the window's business.
    """
    made = {}
    for entry in ACTIONS:
        action = QAction(entry.text, parent)
        action.setObjectName(entry.id)
        action.setToolTip(tip(entry))
        action.setAutoRepeat(entry.repeats)
        action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
        if entry.icon:
            action.setIcon(icon(entry.icon))
        action.setShortcuts([QKeySequence(key) for key in entry.keys])
        action.triggered.connect(_caller(entry, handler, say))
        made[entry.id] = action
    return made


def enable(actions: Mapping[str, QAction], available: Iterable[Needs]) -> None:
    """Switch off what makes no sense now."""
    have = {Needs.NOTHING, *available}
    for entry in ACTIONS:
        actions[entry.id].setEnabled(entry.needs in have)


def tip(entry: Entry) -> str:
    """Tooltip: what it does and its key, such as "Full screen (F11)"."""
    text = entry.text.rstrip("…").removeprefix("Hold: ")
    return f"{text[0].upper()}{text[1:]} ({shown_keys(entry)})"


def shown_keys(entry: Entry) -> str:
    """The keys as a person reads them on this platform."""
    native = QKeySequence.SequenceFormat.NativeText
    return " or ".join(QKeySequence(key).toString(native) for key in entry.keys)


def disabled_by(key: QKeySequence, actions: Mapping[str, QAction]) -> Entry | None:
    """The entry of a key that does nothing now; None when there is none."""
    entries = (entry for entry in ACTIONS if not actions[entry.id].isEnabled())
    return next((e for e in entries if key in [QKeySequence(text) for text in e.keys]), None)


def _caller(
    entry: Entry, handler: Callable[[str], Callable[..., object]], say: Callable[[str], None]
) -> Callable[[], None]:
    def call() -> None:
        # Without the "checked" that Qt would pass on.
        answer = handler(entry.handler)(*((True,) if entry.hold else ()))
        if isinstance(answer, str):
            say(answer)

    return call
