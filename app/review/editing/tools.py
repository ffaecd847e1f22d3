"""TOOLS: what a person can take into the hand, with its key and how it is used. A row a tool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tool:
    """`gesture`: of `engine.review.editing.gestures`; "" for clicks. `hint`: one line under the tools.

    `reach`: how far it acts, of the brush's radius.
    """

    name: str
    key: str
    hint: str
    gesture: str = ""
    has_size: bool = True
    reach: float = 1.0


TOOLS: Mapping[str, Tool] = {
    "brush": Tool("Brush", "D", "Paint. Right button erases, wheel: size.", "brush"),
    "eraser": Tool("Eraser", "R", "Erase. Right button paints, wheel: size.", "eraser"),
    "polygon": Tool(
        "Polygon", "V", "Click corners, the first closes; or trace it.", "polygon", has_size=False
    ),
    "drag": Tool("Drag", "T", "Pull the outline. Wheel: how much comes along.", "drag", reach=3.0),
    "click": Tool("Click", "C", "Click what belongs to it, right button what does not.", has_size=False),
}
