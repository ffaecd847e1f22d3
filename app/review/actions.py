"""What can be done in review: rows of the table in app.actions_and_keys."""

from __future__ import annotations

from typing import Any, Protocol

from app.review.place import ReviewPlace
from app.widgets.action import Entry, Needs


class HasReview(Protocol):
    """Of the owners, what these rows need."""

    @property
    def review(self) -> ReviewPlace: ...


_R, _J = Needs.REVIEW, Needs.JUDGING

_P = Needs.PICTURE

REVIEW: tuple[Entry[Any], ...] = (
    Entry("finding-next", "Next finding", ("N",), lambda to: to.review.desk.next_finding, _R, "arrow-right"),
    Entry(
        "finding-previous",
        "Previous finding",
        ("P",),
        lambda to: to.review.desk.previous_finding,
        _R,
        "arrow-left",
    ),
    Entry("keep", "Keep the finding", ("Return", "Enter"), lambda to: to.review.desk.acts.keep, _J),
    Entry("reject", "Reject the finding", ("Del", "Backspace"), lambda to: to.review.desk.acts.reject, _J),
    Entry("unsure", "Unsure of the finding", ("U",), lambda to: to.review.desk.acts.unsure, _J),
    Entry("join", "Join with the next finding", ("Ctrl+J",), lambda to: to.review.desk.acts.join, _J),
    Entry("split", "Split the finding here", ("Ctrl+Shift+J",), lambda to: to.review.desk.acts.split, _J),
    Entry("add", "Add a finding: click or drag where it is", ("M",), lambda to: to.review.desk.acts.add, _J),
    Entry("delete", "Delete the finding", ("Shift+Del",), lambda to: to.review.desk.acts.delete, _J),
    Entry("undo", "Undo", ("Ctrl+Z",), lambda to: to.review.desk.acts.undo, _J),
    Entry("redo", "Do it again", ("Ctrl+Shift+Z", "Ctrl+Y"), lambda to: to.review.desk.acts.redo, _J),
    Entry("bookmark", "Bookmark with a note", ("B",), lambda to: to.review.desk.acts.bookmark, _R),
    Entry("no-bookmark", "No bookmark here", ("Shift+B",), lambda to: to.review.desk.acts.no_bookmark, _R),
    Entry("note", "Note on the finding", ("T",), lambda to: to.review.desk.acts.note_finding, _J),
    Entry("heat", "Overlay: probability as heat", ("5",), lambda to: to.review.desk.heat, _R),
    Entry("no-overlay", "Overlay: none", ("0",), lambda to: to.review.desk.no_overlay, _R),
    Entry(
        "analysis",
        "Pause the analysis, or go on with it",
        ("Shift+A",),
        lambda to: to.review.desk.toggle_analysis,
        _R,
    ),
    Entry("export", "Export…", ("Shift+E",), lambda to: to.review.desk.exporting.export, _R),
    Entry(
        "data-set",
        "Add verified frames to the data set",
        ("Shift+S",),
        lambda to: to.review.desk.exporting.add_to_data_set,
        _R,
    ),
    Entry("review-anew", "Start the review anew", ("Ctrl+Shift+F5",), lambda to: to.review.start_anew, _P),
    Entry("timeline-fit", "Whole time line", ("Shift+Z",), lambda to: to.review.desk.fit_timeline, _R),
    Entry("correct", "Correct masks, or end it", ("E",), lambda to: to.review.desk.editing.toggle, _R),
)
