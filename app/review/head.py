"""The row over the picture in review: the word, what is open, how far it is analysed."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from app.player.status_row import Elided
from app.player.word_label import StateWordLabel
from app.review.known import Known
from app.widgets import theme, words
from app.widgets.action import Action
from app.widgets.controls import flat_button, follow_tip, label
from app.widgets.menu import menu_button
from engine.types import Snapshot


class ReviewHead(QWidget):
    """The button pauses the analysis and goes on with it; it is gone once all is analysed."""

    def __init__(self, actions: Mapping[str, Action], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setProperty("surface", "black")
        self.setFixedHeight(theme.STATUS_ROW_PX)
        self.word = StateWordLabel()
        self._source = Elided()
        self._analysed = label(tone="secondary")
        self.pause = QPushButton("Pause analysis")
        self.pause.setProperty("quiet", True)
        follow_tip(self.pause, actions["analysis"])
        self.pause.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.pause.clicked.connect(actions["analysis"].trigger)
        self.pause.hide()
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.L, 0, theme.S, 0)
        row.setSpacing(theme.XS)
        row.addWidget(self.word)
        row.addSpacing(theme.M)
        row.addWidget(self._source, 1)
        row.addWidget(self._analysed)
        row.addWidget(self.pause)
        row.addSpacing(theme.M)
        for id_ in ("close", "panel", "full-screen"):
            row.addWidget(flat_button(actions[id_]))
        row.addWidget(menu_button(actions))

    @property
    def analysed(self) -> str:
        """How far it is, in words."""
        return self._analysed.text()

    def show_snapshot(self, snapshot: Snapshot) -> None:
        self.word.set_word(snapshot.word)
        self._source.set_text(words.source_line(snapshot.info))

    def show_known(self, known: Known | None, *, is_running: bool) -> None:
        self._analysed.setText("" if known is None else _analysed(known, is_running))
        self.pause.setVisible(known is not None and not known.progress.is_done and not known.why_read_only)
        self.pause.setText("Pause analysis" if is_running else "Go on analysing")


def _analysed(known: Known, is_running: bool) -> str:
    progress = known.progress
    model = known.analysis.model_id
    if progress.is_done:
        return f"analysed · {model}"
    share = f"{100 * progress.done // progress.total} %" if progress.total else f"{progress.done} frames"
    paused = "" if is_running or known.why_read_only else ", paused"
    return f"analysed {share}{paused} · {model}"
