"""What a person says of findings, and of frames by bookmarks: handlers of app.actions_and_keys."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF

from app.review.findings.rows import after
from app.review.job import AnalysisJob
from app.review.known import Known
from app.review.page import ReviewPage
from app.widgets import words
from engine.review import acts
from engine.review.acts import Anchor, Verdict
from engine.review.edits import Edits
from engine.review.rows import Row
from engine.tracking.person import LEAST_PX
from engine.types import Rect

CHOOSE = "Choose a finding first: N"
ANSWERS = {
    Verdict.KEEP: "Kept",
    Verdict.REJECT: "Rejected",
    Verdict.UNSURE: "Unsure",
    Verdict.OPEN: "Open again",
}
ACTS = {
    acts.VERDICT: "keep, reject or unsure",
    acts.NOTE: "note",
    acts.JOIN: "join",
    acts.SPLIT: "split",
    acts.DELETE: "delete",
    acts.ADD: "added finding",
    acts.BOOKMARK: "bookmark",
}
CLICK_FRAC = 0.15  # of the picture's shorter side: the box around a click


class FindingActs:
    """Each is on the disk before it is seen, and answers its key in a word; or says why nothing is kept."""

    def __init__(
        self,
        page: ReviewPage,
        job: AnalysisJob,
        known: Callable[[], Known | None],
        here: Callable[[], int],
        choose: Callable[[Row], None],
        masks_changed: Callable[[], None],
    ) -> None:
        self._page = page
        self._job = job
        self._known = known
        self._here = here
        self._choose = choose
        self._masks_changed = masks_changed

    def keep(self) -> str:
        return self._judge(Verdict.KEEP)

    def reject(self) -> str:
        return self._judge(Verdict.REJECT)

    def unsure(self) -> str:
        return self._judge(Verdict.UNSURE)

    def bookmark(self) -> str:
        """Set one at this frame, and ask for its note."""
        rank, known = self._here(), self._known()
        if rank < 0 or known is None:
            return ""
        if known.why_read_only:
            return known.why_read_only
        if rank not in known.bookmarks:
            self._job.act(lambda edits: edits.bookmark(rank))
        before = known.bookmarks.get(rank, "")

        def keep(text: str) -> None:
            if text != before:  # what changes nothing needs no undo
                self._job.act(lambda edits: edits.bookmark(rank, text))

        self._page.note.ask("Bookmark", before, keep)
        return "Bookmark"

    def no_bookmark(self) -> str:
        rank, known = self._here(), self._known()
        if known is None or rank not in known.bookmarks or known.why_read_only:
            return "No bookmark at this frame"
        self._job.act(lambda edits: edits.bookmark(rank, None))
        return "Bookmark taken away"

    def note_finding(self) -> str:
        row = self._to_change()
        if isinstance(row, str):
            return row
        self._page.note.ask(
            f"Finding at {words.short_clock(row.start_s - self._page.transport.origin_s)}",
            row.note,
            lambda text: self._job.act(lambda edits: edits.note(row.anchor, text)),
        )
        return ""

    def join(self) -> str:
        """The next finding of the list's time is the same one."""
        row = self._to_change()
        if isinstance(row, str):
            return row
        other = after(self._page.panel.rows, row.first_rank)
        if other is None:
            return "No finding behind this"
        self._job.act(lambda edits: edits.join(row.anchor, other.anchor))
        return "Joined"

    def split(self) -> str:
        """From this frame on it is another one."""
        row, here = self._to_change(), self._here()
        if isinstance(row, str):
            return row
        if not row.first_rank < here <= row.last_rank:
            return "Go to a frame inside the finding first"
        self._job.act(lambda edits: edits.split(row.anchor, here))
        return "Split"

    def delete(self) -> str:
        row = self._to_change()
        if isinstance(row, str):
            return row
        self._job.act(lambda edits: edits.delete(row.anchor, row.labels), lambda _: self._masks_changed())
        return "Deleted; undo brings it back"

    def add(self) -> str:
        """Something that nobody has found: the next click or drag over the picture says where."""
        known = self._known()
        if known is None or self._here() < 0:
            return "There is no picture to mark"
        if known.why_read_only:
            return known.why_read_only
        self._page.drag.ask(LEAST_PX, self._add, self._add_around)
        return "Where: click, or drag a box"

    def undo(self) -> str:
        return self._turn(Edits.take_back, "Undone", "Nothing to undo")

    def redo(self) -> str:
        return self._turn(Edits.say_again, "Done again", "Nothing to do again")

    # Inside

    def _add(self, box: Rect) -> None:
        shown = self._page.drag.pressed_on
        if shown is None:
            return
        rank = shown.frame.index
        self._job.act(
            lambda edits: edits.add(rank, rank, Anchor(rank, box)),
            lambda label: self._page.panel.findings.choose(Anchor(rank, box, label)),
        )
        self._page.answer.say("Added. E = draw its outline")

    def _add_around(self, at: QPointF | None) -> None:
        shown = self._page.drag.pressed_on
        if at is None or shown is None:
            self._page.answer.say("Beside the picture: nothing was added")
            return
        side = round(CLICK_FRAC * min(shown.frame.width_px, shown.frame.height_px))
        left, top = max(round(at.x()) - side // 2, 0), max(round(at.y()) - side // 2, 0)
        wide, high = min(side, shown.frame.width_px - left), min(side, shown.frame.height_px - top)
        self._add(Rect(left, top, wide, high))

    def _turn(self, way: Callable[[Edits], str], done: str, nothing: str) -> str:
        def tell(kind: str) -> None:
            if kind in (acts.DELETE, acts.ADD):
                self._masks_changed()
            self._page.answer.say(f"{done}: {ACTS[kind]}" if kind else nothing)

        self._job.act(way, tell)
        return ""

    def _judge(self, verdict: Verdict) -> str:
        """Of the finding that is chosen, or of the one that is seen; the same once more takes it back."""
        row = self._to_change()
        if isinstance(row, str):
            return row
        told = Verdict.OPEN if row.verdict is verdict else verdict
        self._choose(row)
        self._job.act(lambda edits: edits.judge(row.anchor, told))
        return ANSWERS[told]

    def _to_change(self) -> Row | str:
        """The finding that is chosen, or else the one that is seen; or why there is none to be changed."""
        known = self._known()
        if known is not None and known.why_read_only:
            return known.why_read_only
        return self._page.panel.findings.chosen or self._seen() or CHOOSE

    def _seen(self) -> Row | None:
        here = self._here()
        return next((row for row in self._page.panel.rows if row.first_rank <= here <= row.last_rank), None)
