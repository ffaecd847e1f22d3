"""What can be done while two analyses are compared: rows of the table in app.actions_and_keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.widgets.action import Entry, Needs

# Not imported before somebody reviews: it takes pyqtgraph and cv2.
Comparing = Any


def _entry(id_: str, text: str, key: str, does: Callable[[Comparing], Callable[[], str]]) -> Entry[Any]:
    return Entry(id_, text, (key,), lambda to: does(to.review.desk.comparing), Needs.JUDGING)


COMPARISON: tuple[Entry[Any], ...] = (
    _entry("compare", "Compare with a second model, or end it", "C", lambda to: to.toggle),
    _entry("disagreement-next", "Next disagreement", "Shift+N", lambda to: to.next_disagreement),
    _entry("disagreement-previous", "Previous disagreement", "Shift+P", lambda to: to.previous_disagreement),
    _entry("compare-beside", "Both pictures side by side", "6", lambda to: to.side_by_side),
    _entry("compare-swipe", "Both divided by a line that is dragged", "7", lambda to: to.swipe),
    _entry("compare-colours", "Both in one picture, told by colour and line", "8", lambda to: to.colours),
    _entry("compare-first", "The first model alone", "9", lambda to: to.first_alone),
)
