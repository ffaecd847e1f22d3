"""TABLE of all that a person can do: text, keys, method. Menus, tooltips and the `?` sheet come of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QObject

from app.network.commands import AiControls
from app.notice_board import NoticeBoard
from app.places.commands import PlaceCommands
from app.places.fronts import Front
from app.places.library_commands import LibraryCommands
from app.places.table import PLACES, PlaceRow
from app.player.alarm_sound import AlarmSound
from app.player.finding_commands import FindingCommands
from app.player.missed_commands import MissedCommands
from app.player.over_picture import OverPicture
from app.player.transport_commands import TransportCommands
from app.review.actions import REVIEW
from app.review.compare.actions import COMPARISON
from app.review.editing.actions import CORRECTION
from app.review.place import ReviewPlace
from app.side_windows import SideWindows
from app.start.open_commands import OpenCommands
from app.start.region_commands import RegionCommands
from app.view_commands import ViewCommands
from app.widgets.action import Action, Entry, Needs, Section


@dataclass(frozen=True, slots=True)
class Owners:
    """Whose methods the actions call; `transport` is that of the place in `front`."""

    front: Front
    opens: OpenCommands
    transport: TransportCommands
    ai: AiControls
    region: RegionCommands
    finding: FindingCommands
    missed: MissedCommands
    alarm: AlarmSound
    over: OverPicture
    view: ViewCommands
    review: ReviewPlace
    notices: NoticeBoard
    places: PlaceCommands
    library: LibraryCommands
    beside: SideWindows


_N = Needs


def _going_to(row: PlaceRow) -> Entry[Owners]:
    return Entry(
        row.action,
        f"Place {row.text}",
        (row.key,),
        lambda to: partial(to.places.show, row.name),
        icon=row.icon,
    )


ACTIONS: Mapping[Section, tuple[Entry[Owners], ...]] = {
    Section.OPEN: (
        Entry(
            "open-recording", "Open recording…", ("Ctrl+O",), lambda to: to.front.open_recording, icon="film"
        ),
        Entry(
            "open-stills",
            "Open folder of stills…",
            ("Ctrl+Shift+O",),
            lambda to: to.opens.open_stills,
            icon="images",
        ),
        Entry("open-device", "Capture device…", ("Ctrl+D",), lambda to: to.opens.open_device, icon="webcam"),
        Entry(
            "open-stream", "Network stream…", ("Ctrl+U",), lambda to: to.opens.open_stream, icon="radio-tower"
        ),
        Entry(
            "open-demo", "Demonstration", ("Ctrl+Shift+D",), lambda to: to.opens.open_demo, icon="circle-play"
        ),
        Entry(
            "review",
            "Review what is open, or a recording…",
            ("Shift+R",),
            lambda to: to.places.review,
            _N.LIVE,
            icon="clapperboard",
        ),
        Entry(
            "review-open",
            "Open recording for review…",
            ("Ctrl+Shift+R",),
            lambda to: to.places.ask_for_review,
            icon="film",
        ),
        Entry(
            "library-add",
            "Analyse a folder of recordings…",
            ("Ctrl+Shift+A",),
            lambda to: to.library.add_folder,
            icon="folder-open",
        ),
        Entry("retry", "Open again", ("F5",), lambda to: to.front.open_again, icon="refresh-cw"),
        Entry(
            "close",
            "Close what is open here",
            ("Ctrl+W",),
            lambda to: to.front.close,
            icon="house",
        ),
        Entry("quit", "Quit", ("Ctrl+Q",), lambda to: to.over.quit),
    ),
    Section.PLAY: (
        Entry(
            "play-pause",
            "Play or pause; freeze a live picture",
            ("Space",),
            lambda to: to.transport.play_pause,
            _N.PICTURE,
            "play",
        ),
        Entry(
            "backwards",
            "Backwards, faster each time",
            ("J",),
            lambda to: to.transport.backwards,
            _N.RECORDING,
        ),
        Entry("stop", "Pause, back to normal speed", ("K",), lambda to: to.transport.stop, _N.RECORDING),
        Entry(
            "forwards", "Forwards, faster each time", ("L",), lambda to: to.transport.forwards, _N.RECORDING
        ),
        Entry(
            "every-frame",
            "Play every frame, or in real time",
            ("Shift+Space",),
            lambda to: to.transport.every_frame,
            _N.RECORDING,
        ),
        Entry("slower", "Slower, to a tenth", ("-",), lambda to: to.transport.slower, _N.RECORDING),
        Entry("faster", "Faster, to eightfold", ("+", "="), lambda to: to.transport.faster, _N.RECORDING),
        Entry(
            "step-back",
            "One frame back",
            (",",),
            lambda to: to.transport.step_back,
            _N.RECORDING,
            "step-back",
            repeats=True,
        ),
        Entry(
            "step-on",
            "One frame on",
            (".",),
            lambda to: to.transport.step_on,
            _N.RECORDING,
            "step-forward",
            repeats=True,
        ),
        Entry(
            "few-back",
            "Five seconds back",
            ("Left",),
            lambda to: to.transport.few_back,
            _N.RECORDING,
            repeats=True,
        ),
        Entry(
            "few-on",
            "Five seconds on",
            ("Right",),
            lambda to: to.transport.few_on,
            _N.RECORDING,
            repeats=True,
        ),
        Entry(
            "second-back",
            "One second back",
            ("Shift+Left",),
            lambda to: to.transport.second_back,
            _N.RECORDING,
            repeats=True,
        ),
        Entry(
            "second-on",
            "One second on",
            ("Shift+Right",),
            lambda to: to.transport.second_on,
            _N.RECORDING,
            repeats=True,
        ),
        Entry(
            "minute-back",
            "One minute back",
            ("Ctrl+Left",),
            lambda to: to.transport.minute_back,
            _N.RECORDING,
            repeats=True,
        ),
        Entry(
            "minute-on",
            "One minute on",
            ("Ctrl+Right",),
            lambda to: to.transport.minute_on,
            _N.RECORDING,
            repeats=True,
        ),
        Entry("go-to", "Go to frame or time…", ("G",), lambda to: to.front.go_to, _N.RECORDING),
        Entry("loop-start", "Loop from here", ("I",), lambda to: to.transport.loop_from, _N.RECORDING),
        Entry("loop-end", "Loop to here", ("O",), lambda to: to.transport.loop_to, _N.RECORDING),
        Entry("loop-off", "No loop", ("Shift+O",), lambda to: to.transport.loop_off, _N.RECORDING),
        Entry("first", "First frame", ("Home",), lambda to: to.transport.to_start, _N.RECORDING, "skip-back"),
        Entry("last", "Last frame", ("End",), lambda to: to.transport.to_end, _N.RECORDING, "skip-forward"),
    ),
    Section.REVIEW: REVIEW,
    Section.COMPARISON: COMPARISON,
    Section.CORRECTION: CORRECTION,
    Section.AI: (
        Entry("ai", "AI on or off", ("A",), lambda to: to.ai.toggle_ai, _N.LIVE),
        Entry(
            "raw",
            "Hold: picture without marks",
            ("H",),
            lambda to: to.front.hold_raw,
            _N.PICTURE,
            icon="eye",
            released=lambda to: to.front.release_raw,
        ),
        Entry("contour", "Overlay: contour", ("1",), lambda to: to.ai.style_contour, _N.MARKS, "lasso"),
        Entry("fill", "Overlay: fill", ("2",), lambda to: to.ai.style_fill, _N.MARKS, "paint-bucket"),
        Entry("box", "Overlay: box", ("3",), lambda to: to.ai.style_box, _N.MARKS, "square"),
        Entry("corners", "Overlay: corners", ("4",), lambda to: to.ai.style_corners, _N.MARKS, "scan"),
        Entry("threshold-down", "Lower threshold", ("[",), lambda to: to.front.threshold_down, repeats=True),
        Entry("threshold-up", "Raise threshold", ("]",), lambda to: to.front.threshold_up, repeats=True),
        Entry("dismiss", "Dismiss a finding", ("D",), lambda to: to.finding.dismiss, _N.SOURCE),
        Entry("restore", "Bring it back", ("Shift+D",), lambda to: to.finding.restore, _N.SOURCE),
        Entry("mark-missed", "Mark what the network missed", ("M",), lambda to: to.missed.mark, _N.SOURCE),
        Entry("unmark-missed", "Take the mark back", ("Shift+M",), lambda to: to.missed.take_back, _N.SOURCE),
        Entry("alarm", "Alarm sound on or off", ("S",), lambda to: to.alarm.toggle, _N.LIVE),
        Entry("region-draw", "Region: drag it", ("Ctrl+R",), lambda to: to.region.draw, _N.SOURCE),
        Entry("region-keep", "Region: keep it as it is", ("Ctrl+K",), lambda to: to.region.keep, _N.SOURCE),
        Entry("region-find", "Region: find it by itself", ("Ctrl+E",), lambda to: to.region.find, _N.SOURCE),
        Entry("region-all", "Region: whole frame", ("Ctrl+Shift+E",), lambda to: to.region.whole, _N.SOURCE),
        Entry("model", "Choose model", ("Ctrl+M",), lambda to: to.view.choose_model, icon="cpu"),
        Entry("runtime", "Choose runtime", ("R",), lambda to: to.view.choose_runtime, _N.LIVE),
    ),
    Section.VIEW: (
        Entry(
            "full-screen", "Full screen", ("F11", "F"), lambda to: to.view.toggle_full_screen, icon="maximize"
        ),
        Entry("leave", "Leave full screen, back to the picture", ("Esc",), lambda to: to.front.leave),
        Entry("panel", "Side panel", ("Tab",), lambda to: to.front.toggle_panel, icon="panel-right"),
        Entry("next-area", "Next group of controls", ("F6",), lambda to: to.front.next_area),
        Entry(
            "fit", "Whole picture (after zooming with the wheel)", ("Z",), lambda to: to.front.fit, _N.PICTURE
        ),
        Entry(
            "names", "Names of recent items shown or hidden", ("Ctrl+H",), lambda to: to.opens.toggle_names
        ),
        *(_going_to(row) for row in PLACES),
        Entry("latency", "Latency", ("Ctrl+L",), lambda to: to.beside.show_latency, icon="activity"),
        Entry("faults", "Faults", ("Ctrl+F",), lambda to: to.view.show_faults, icon="triangle-alert"),
        Entry(
            "close-notice",
            "Close the message",
            ("X",),
            lambda to: to.notices.close_notice,
            _N.NOTICE,
            icon="x",
        ),
        Entry(
            "answer-notice",
            "Do what the message offers",
            ("Y",),
            lambda to: to.notices.answer_notice,
            _N.NOTICE,
        ),
    ),
    Section.HELP: (
        Entry("sheet", "Shortcuts", ("?", "F1"), lambda to: to.beside.show_sheet, icon="keyboard"),
    ),
}


def make_actions(
    parent: QObject, owners: Callable[[], Owners], say: Callable[[str], None]
) -> dict[str, Action]:
    """An Action for each entry, by its id. Owners are asked for when one happens: they need actions, too."""
    return {
        entry.id: Action(entry, section, owners, say, parent)
        for section, entries in ACTIONS.items()
        for entry in entries
    }
