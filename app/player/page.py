"""The page with the picture: rows, strips and panel beside it, or over its edges in full screen."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QRect, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from app.network.panel import ControlPanel
from app.player.arrangement import Wanted, beside, over
from app.player.canvas import Canvas
from app.player.key_answer import KeyAnswer
from app.player.painter import Look
from app.player.playback import is_frozen, is_recording
from app.player.status_row import StatusRow
from app.player.transport import Transport
from app.widgets import theme, words
from app.widgets.action import Action
from app.widgets.controls import label
from app.widgets.notice_row import HatchStrip, NoticeRow
from engine.drawing.overlays import OverlayStyle, field_marks
from engine.types import AiState, Field, Size, Snapshot, SourceState, StateWord

# Word and picture change at once; figures that nobody can read faster change at most this often.
FIGURES_EVERY_MS = 200

# At the start and at each change it is shown what of the picture the network looks at.
FIELD_SHOWN_MS = 3000

HELD_BACK = ("Marks are held back while the key is down", "attention")

# In full screen every other word is larger: it must be read at 2 m. STALE comes and goes with single
# pictures, and a word that grows and shrinks would be a flicker; the strips say when masks stay away.
CALM = (StateWord.LIVE, StateWord.PLAYING, StateWord.STALE)
LOUD = 2

LOOKS = {
    SourceState.NO_SIGNAL: Look.CROSSED,
    SourceState.FAILED: Look.DIMMED,
}


class OperatorPage(QWidget):
    """Shows snapshots; what people do comes out of the parts' own signals."""

    free_changed = Signal(QRect)  # where questions may stand: over the picture's lower edge, nothing else

    def __init__(self, actions: Mapping[str, Action], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.status = StatusRow(actions)
        self.notice = NoticeRow()
        self.hatches = (HatchStrip(), HatchStrip())
        self.canvas = Canvas()
        self.transport = Transport(actions)
        self.panel = ControlPanel(actions)
        self.research = label(words.RESEARCH_ONLY, tone="secondary", role=theme.CAPTION)
        self.answer = KeyAnswer(self)
        self._field: Field | None = None
        self._field_shown = QTimer(self)
        self._field_shown.setSingleShot(True)
        self._field_shown.setInterval(FIELD_SHOWN_MS)
        self._field_shown.timeout.connect(lambda: self.canvas.show_beside("field", ()))
        self._snapshot: Snapshot | None = None
        self._title = ""
        self._filled = False
        self._free = QRect()
        self._faded = False
        self._masked = False  # whether any picture since the last figures had a mask
        self._figures = QTimer(self)
        self._figures.setSingleShot(True)
        self._figures.setInterval(FIGURES_EVERY_MS)
        self._figures.timeout.connect(self._show_figures)
        self._lay_out()
        self.notice.changed.connect(self._arrange)

    def show_snapshot(self, snapshot: Snapshot, title: str) -> None:
        """Show the newest state; `title` names the source before it says its own name, "" hides both."""
        before = self._snapshot
        self._snapshot, self._title = snapshot, title
        info = snapshot.info
        if snapshot.word is not self.status.word.word:
            self.status.word.set_word(snapshot.word)
            self._arrange()
        self.canvas.set_look(LOOKS.get(snapshot.source_state, Look.PLAIN))
        self.canvas.set_message(_message(snapshot, title))
        self.canvas.show_presentation(snapshot.presentation, info.pixel_aspect if info else 1.0)
        if snapshot.presentation is not None and snapshot.presentation.result is not None:
            self._masked = True
            if self.hatches[0].tone:
                self._show_unmarked(snapshot)
        self._show_field(snapshot)
        beside = words.beside_the_word(snapshot.presentation)
        if bool(beside) != bool(self.status.late):
            self.status.set_late(beside)
            self._arrange()
        news = (
            before is None
            or before.source_state is not snapshot.source_state
            or before.ai_state is not snapshot.ai_state
            or before.info != info
            or before.speed != snapshot.speed
            or before.loop != snapshot.loop
        )
        if news or snapshot.source_state is SourceState.PAUSED:
            self._show_figures()
        elif not self._figures.isActive():
            self._figures.start()

    def forget(self) -> None:
        """The source is closed: nothing of it is to be seen when the page comes back."""
        self._figures.stop()
        self._field_shown.stop()
        self._field = None
        self.canvas.show_beside("field", ())
        self._snapshot = None
        self.canvas.show_presentation(None)
        self.canvas.fit()
        self.answer.clear()

    def expect(self, title: str) -> None:
        """Another source is being opened; until there is news of it, that is all there is to be seen."""
        self.forget()
        self.status.word.set_word(StateWord.OPENING)
        self.canvas.set_message(_opening(title))

    def show_field(self) -> None:
        """Corner marks around what of the picture the network looks at, for a moment."""
        field = self._field
        self.canvas.show_beside("field", () if field is None else field_marks(field, OverlayStyle()))
        self._field_shown.start()

    def hold_raw(self, raw: bool) -> None:
        """Hold the marks back while a key or button is down; the strips say so."""
        if raw != self.canvas.raw:
            self.canvas.set_raw(raw)
            self._show_figures()

    def fill(self, filled: bool) -> None:
        """Full screen: the picture has the whole page, all else lies over its edges."""
        if filled != self._filled:
            self._filled = filled
            self.research.setVisible(filled)
            self._arrange()

    def fade(self, faded: bool) -> None:
        """Leave the picture, the word and what must be said; the picture keeps its size."""
        if faded != self._faded:
            self._faded = faded
            self.status.fade(faded)
            self._arrange()

    def show_panel(self, shown: bool) -> None:
        self.panel.setVisible(shown)
        self._arrange()

    def focus_areas(self) -> list[QWidget]:
        """One control of each group, in the order of F6."""
        areas: list[QWidget] = [self.canvas, self.status.first_focus]
        if self.panel.isVisible():
            areas.append(self.panel.first_focus)
        if self.transport.isVisible():
            areas.append(self.transport.first_focus)
        return areas

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _show_figures(self) -> None:
        snapshot = self._snapshot
        if snapshot is None:
            return
        self.status.show_snapshot(snapshot, named=bool(self._title))
        self.status.set_late(words.beside_the_word(snapshot.presentation))
        self.panel.show_snapshot(snapshot)
        self._arrange()
        if is_recording(snapshot):
            self.transport.show_snapshot(snapshot)
        self._show_unmarked(snapshot)
        self._masked = False

    def _show_field(self, snapshot: Snapshot) -> None:
        shown = snapshot.presentation
        field = shown.frame.field if shown is not None and snapshot.ai_state is AiState.ON else None
        if field is not None and shown is not None and Size(field.box.w, field.box.h) == shown.frame.size:
            field = None  # all of it: nothing to be told
        if field == self._field:
            return
        self._field = field
        self.show_field()

    def _show_unmarked(self, snapshot: Snapshot) -> None:
        """Say why nothing is marked.

        While it plays, a mask that is too late for one picture changes the word, at once; the strips do not
        flicker for it: they are for masks that stay away.
        """
        unmarked = HELD_BACK if self.canvas.raw else words.unmarked(snapshot)
        if unmarked is words.LATE and self._masked and snapshot.source_state is SourceState.RUNNING:
            unmarked = None
        hint = words.joined((words.FROZEN if is_frozen(snapshot) else None, unmarked))
        for hatch in self.hatches:
            hatch.set_tone(hint[1] if hint else "")
        self.notice.show_hint(hint)

    def _arrange(self) -> None:
        """Give every part its place; see app/player/arrangement.py."""
        word_px = theme.word_px(self.window().height())
        loud = self._filled and self.status.word.word not in CALM
        self.status.set_word_px(word_px * LOUD if loud else word_px)
        self.status.word.set_fitted(self._filled and self._faded)
        recording = self._snapshot is not None and is_recording(self._snapshot)
        transport = recording and not self._faded
        wanted = Wanted(
            page_px=(self.width(), self.height()),
            status_px=(self.status.least_px(), self.status.height()),
            notice_px=self.notice.fitted_px(),
            panel_px=0 if self.panel.isHidden() else theme.PANEL_PX,
            # In a window it keeps its place while it is away: the picture does not move.
            transport_px=theme.TRANSPORT_PX if transport or (recording and not self._filled) else 0,
            research_px=(self.research.sizeHint().width(), self.research.sizeHint().height()),
        )
        places = over(wanted, rests=self._faded) if self._filled else beside(wanted)
        for part, place in (
            (self.status, places.status),
            (self.notice, places.notice),
            *zip(self.hatches, places.hatches, strict=True),
            (self.canvas, places.canvas),
            (self.panel, places.panel),
            (self.transport, places.transport),
            (self.research, places.research),
        ):
            if part.geometry() != place:
                part.setGeometry(place)
        self.transport.setVisible(transport)
        self.notice.setVisible(not self._filled or bool(self.notice.text))
        for hatch in self.hatches:
            hatch.setVisible(not self._filled or bool(hatch.tone))
        middle = places.canvas
        if self._filled:
            below = places.notice.bottom() if self.notice.text else places.notice.top()
            middle = middle.adjusted(0, below, -wanted.panel_px, 0)
            middle.setBottom(places.research.top())
        if middle != self._free:
            self._free = middle
            self.free_changed.emit(middle)
        self.answer.keep_inside(middle, theme.answer_px(self.window().height()))

    def _lay_out(self) -> None:
        # In the order of Tab; the picture lies below all that may cover its edges.
        for part in (
            self.status,
            self.notice,
            *self.hatches,
            self.canvas,
            self.panel,
            self.transport,
            self.research,
        ):
            part.setParent(self)
        self.canvas.lower()
        self.status.raise_()
        self.answer.raise_()
        self.research.setProperty("surface", "black")
        for part in (self.research, *self.hatches):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.research.setContentsMargins(theme.S, theme.XS, theme.S, theme.XS)
        self.setProperty("surface", "black")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.transport.hide()
        self.research.hide()


def _message(snapshot: Snapshot, title: str) -> str:
    """Words in place of the picture, while there is none."""
    return {
        SourceState.IDLE: "Nothing is open. Drop a video here, or open one.",
        SourceState.OPENING: _opening(title),
        SourceState.NO_SIGNAL: f"Waiting for a picture from {title or 'the source'}",
        SourceState.FAILED: "No picture. The message above says why.",
    }.get(snapshot.source_state, "")


def _opening(title: str) -> str:
    return f"Opening {title or 'the source'}…"
