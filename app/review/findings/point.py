"""The operating point of a review: findings and marks follow it, and it is kept once it stands."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from app.review.findings.remaking import Remaking
from app.review.job import Begun
from app.review.known import Found, Known
from app.review.opened import OpenedReview
from engine.review.recording import Analysis
from engine.review.remaking.remake import Remade, Wanted
from engine.types import OperatingPoint

STANDS_MS = 1000  # nobody moves it any more
AGAIN_FRAMES = 500  # so much more is analysed: what was made at another point grows, too


class PointInForce(QObject):
    """Begins at the analysis's own point; `use` moves it."""

    failed = Signal(object)  # Fault

    def __init__(self, begun: Begun, opened: OpenedReview, here: Callable[[], int], parent: QObject) -> None:
        """`here`: rank of the frame that is looked at."""
        super().__init__(parent)
        self._opened = opened
        self._here = here
        self._analysis: Analysis = begun.analysis
        self._point = begun.analysis.point
        self._known: Known | None = None
        self._made: Found | None = None
        self._last: Remade | None = None
        self._remaking = Remaking(begun.folder, self)
        self._remaking.made.connect(self._show)
        self._remaking.ended.connect(self._ended)
        self._remaking.failed.connect(self.failed)
        self._stands = QTimer(self)
        self._stands.setSingleShot(True)
        self._stands.setInterval(STANDS_MS)
        self._stands.timeout.connect(self._settle)

    @property
    def point(self) -> OperatingPoint:
        return self._point

    @property
    def found(self) -> Found | None:
        """What was made at that point; None: what the analysis has."""
        return self._made if self._made is not None and self._made.point == self._point else None

    @property
    def is_busy(self) -> bool:
        return self._remaking.is_busy

    def use(self, point: OperatingPoint) -> None:
        """Show the findings of this point, as far as the recording is analysed."""
        self._point = point
        self._stands.stop()
        self._last = None
        if self._known is not None:
            self._make_again(self._known)

    def grown(self, known: Known) -> None:
        """More is known of the recording."""
        first, self._known = self._known is None, known
        if known.analysis != self._analysis:  # what was made is its own by now
            self._analysis = known.analysis
            if self._point == known.analysis.point:
                self._made = None
                self._opened.marks.show(known.analysis, known.analysis.point)
        if self._point == known.analysis.point or self._remaking.is_busy:
            return
        made = self._made.frames if self._made is not None else 0
        behind = len(known.table) - made
        if first or behind >= AGAIN_FRAMES or (behind > 0 and known.progress.is_done):
            self._make_again(known)

    def close(self) -> None:
        if self._stands.isActive():
            self._stands.stop()
            self._settle()
        elif self._last is None and self._point != self._analysis.point:  # made when this is opened again
            self._opened.job.leave_at(self._point)
        self._remaking.close()

    def _make_again(self, known: Known) -> None:
        here = self._here()
        self._remaking.begin(Wanted(self._analysis, known.recording, known.table, self._point, here))

    def _show(self, found: Found) -> None:
        self._made = found
        self._opened.marks.show(self._analysis, found.point, found)
        self._opened.job.find(found)

    def _ended(self, made: Remade) -> None:
        self._last = made
        self._stands.start()

    def _settle(self) -> None:
        if self._last is not None:
            self._opened.job.settle(self._last)


def words_of(begun: Begun, point: OperatingPoint) -> str:
    """Which model, at which preset: "polyp-light-7 · standard, moved"."""
    own = begun.points.get(point.preset)
    return f"{begun.analysis.model_id} · {point.preset}{'' if own == point else ', moved'}"
