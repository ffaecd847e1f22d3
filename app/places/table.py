"""TABLE of places: a row is a button of the strip and an action with its key.

To add one: a row here, its front (app.places.fronts), and `add` in app.window. What is not built has no row.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """`at_foot`: at the strip's lower end, apart from where one works."""

    name: str
    text: str
    key: str
    icon: str
    at_foot: bool = False

    @property
    def action(self) -> str:
        """The id of its action."""
        return f"place-{self.name}"


LIVE = PlaceRow("live", "Live", "Ctrl+1", "video")
REVIEW = PlaceRow("review", "Review", "Ctrl+2", "clapperboard")
LIBRARY = PlaceRow("library", "Library", "Ctrl+3", "library")
SETTINGS = PlaceRow("settings", "Settings", "Ctrl+,", "settings", at_foot=True)
PLACES = (LIVE, REVIEW, LIBRARY, SETTINGS)
