"""What there is to choose among in an export, and what is said of a choice. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from engine.review.exports.formats import FORMATS, Look, Only

Range = tuple[int, int] | None  # first and last frame; None: all
LOOKS: Mapping[Look, str] = {
    Look.OVERLAY: "With overlay",
    Look.SIDE: "Raw and overlay side by side",
    Look.RAW: "Raw",
}
FULL_FRAME = (
    "All of the frame leaves, with whatever stands beside the endoscope's picture: names, dates, numbers. "
    "Look for them in the contact sheet."
)
ONLY_VERIFIED = "Correct the masks of a finding, and verify each frame that is right."


@dataclass(frozen=True, slots=True)
class There:
    """What there is: verified frames, kept findings, all findings, frames in the loop and in the finding that
    is chosen. `share`: how much is analysed, 0..1; `is_other_point`: the sliders stand elsewhere than where
    what leaves was made.
    """

    verified: int = 0
    kept: int = 0
    found: int = 0
    loop: Range = None
    finding: Range = None
    share: float = 1.0
    is_other_point: bool = False


def only_rows(format_: str, there: There) -> list[tuple[str, Only]]:
    """Rows of "which frames", with how many there are."""
    words = {
        Only.VERIFIED: f"Verified frames ({there.verified})",
        Only.KEPT: f"Kept findings ({there.kept})",
        Only.ALL: f"Everything found ({there.found})",
    }
    return [(words[one], one) for one in FORMATS[format_].only]


def usual_only(format_: str, there: There) -> Only:
    """The most careful choice that has something in it."""
    counts = {Only.VERIFIED: there.verified, Only.KEPT: there.kept, Only.ALL: there.found}
    rows = FORMATS[format_].only
    return next((one for one in rows if counts[one]), rows[-1])


def why_nothing(format_: str, only: Only, there: There) -> str:
    """Why nothing would come of it, and what to do; "" when something would."""
    others = "" if FORMATS[format_].only == (only,) else " Or choose other frames above."
    if only is Only.VERIFIED and not there.verified:
        return f"No frame is verified yet. {ONLY_VERIFIED}{others}"
    if only is Only.KEPT and not there.kept:
        return f"No finding is kept yet. Choose one in the list and keep it.{others}"
    if only is Only.ALL and not there.found and not there.verified and format_ != "clip":
        return "Nothing was found yet. Wait for the analysis, or lower the threshold."
    return ""


def what_is_missed(there: There) -> str:
    """Said where something else leaves than what is seen."""
    found = [] if there.share >= 1.0 else [f"{100 * there.share:.0f} % is analysed: the rest is left out."]
    if there.is_other_point:
        found.append("Findings leave as the analysis made them, until it is done and the sliders count.")
    return " ".join(found)


def free_folder(parent: Path, format_: str, now: datetime) -> Path:
    """A new name that says nothing of the recording."""
    stem = f"{format_}-{now:%Y-%m-%d-%H%M}"
    names = (stem, *(f"{stem}-{number}" for number in range(2, 1000)))
    return next(parent / name for name in names if not (parent / name).exists())
