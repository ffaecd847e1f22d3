"""What can be done while masks are corrected, one letter each: rows of the table in app.actions_and_keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.review.editing.tools import TOOLS
from app.widgets.action import Entry, Needs

# Not imported before somebody reviews: it looks at pictures by cv2.
Editing = Any

KEYED = 4  # polyps of a frame that have a key, their number


def _entry(
    id_: str, text: str, keys: tuple[str, ...], does: Callable[[Editing], Callable[[], str]]
) -> Entry[Any]:
    return Entry(f"mask-{id_}", text, keys, lambda to: does(to.review.desk.editing), Needs.CORRECTION)


def _choose(number: int) -> Callable[[Editing], Callable[[], str]]:
    return lambda to: lambda: str(to.choose(number))


CORRECTION: tuple[Entry[Any], ...] = (
    _entry("brush", "Brush", (TOOLS["brush"].key,), lambda to: to.brush),
    _entry("eraser", "Eraser", (TOOLS["eraser"].key,), lambda to: to.eraser),
    _entry("polygon", "Polygon", (TOOLS["polygon"].key,), lambda to: to.polygon),
    _entry("drag", "Drag the outline", (TOOLS["drag"].key,), lambda to: to.drag),
    _entry("click", "Click what belongs to it", (TOOLS["click"].key,), lambda to: to.click),
    _entry("same", "Copy the masks of the last frame that was changed", ("S",), lambda to: to.same),
    _entry("model", "Copy the masks of the model", ("M",), lambda to: to.model),
    _entry("clear", "Clear all masks of the frame", ("W",), lambda to: to.clear),
    _entry("remove", "Delete the chosen polyp from the frame", ("Del", "Backspace"), lambda to: to.remove),
    *(
        _entry(f"polyp-{number}", f"Edit polyp {number} of the frame", (str(number),), _choose(number))
        for number in range(1, KEYED + 1)
    ),
    _entry("another", "New polyp: the next stroke begins it", ("U",), lambda to: to.another),
    _entry(
        "follow",
        "Propagate the masks forwards through the finding, while that is sure",
        ("A",),
        lambda to: to.follow,
    ),
    _entry(
        "follow-back",
        "Propagate the masks backwards through the finding, while that is sure",
        ("Q",),
        lambda to: to.follow_back,
    ),
    _entry("verify", "Verified, on to the next frame", ("Return", "Enter"), lambda to: to.verify),
    _entry(
        "empty",
        "Verified that there is no polyp, on to the next frame",
        ("Shift+Return", "Shift+Enter"),
        lambda to: to.verify_empty,
    ),
    _entry("unverify", "Not verified any more", ("Ctrl+Return", "Ctrl+Enter"), lambda to: to.unverify),
    _entry(
        "untouched", "Reset the frame, as if nobody had touched it", ("Shift+M",), lambda to: to.untouched
    ),
    _entry("undo", "Undo in this frame", ("Ctrl+Z",), lambda to: to.undo),
    _entry("redo", "Do it again in this frame", ("Ctrl+Shift+Z", "Ctrl+Y"), lambda to: to.redo),
)
