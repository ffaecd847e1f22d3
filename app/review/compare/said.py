"""What the table and the list of a comparison say. Pure: no verdict that the figures do not carry."""

from __future__ import annotations

from dataclasses import dataclass

from app.review.compare.second import Second
from app.widgets import words
from engine.review.compare.disagreements import ONLY_A, Disagreement
from engine.review.compare.figures import LONG_S, Comparison, Figures, Share
from engine.review.compare.side import Side

UNKNOWN = "–"
NOBODY_KNOWS = "No verified frames: nobody knows who is right."
OF_THESE = "Weights, preset and threshold: the figures below are of these"
SAME = "A and B are the same model at the same setting. Choose another preset, or another model."


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the table; `b` None: one value of both."""

    name: str
    a: str
    b: str | None
    tip: str


def table_of(found: Comparison, origin_s: float) -> tuple[Line, ...]:
    minutes = f"a minute of {words.duration(found.until_s)}, which both have judged"
    rates = [
        Line(
            "Findings a minute" if not least_s else f"  of {least_s:g} s or more",
            _rate(found.a, least_s),
            _rate(found.b, least_s),
            f"Confirmed findings that lasted {least_s:g} s or more, {minutes}: "
            f"A {found.a.counts[least_s]}, B {found.b.counts[least_s]}",
        )
        for least_s in LONG_S
    ]
    return (
        *rates,
        Line(
            "First finding",
            _clock(found.a.first_s, origin_s),
            _clock(found.b.first_s, origin_s),
            "When the first finding is confirmed",
        ),
        Line(
            "Sensitivity",
            _share(found.a.sensitivity),
            _share(found.b.sensitivity),
            "Of the polyps in verified frames, those that a mask meets",
        ),
        Line(
            "Specificity",
            _share(found.a.specificity),
            _share(found.b.specificity),
            "Of the frames that were verified to be empty, those without a mask",
        ),
        Line(
            "Dice",
            _number(found.a.dice),
            _number(found.b.dice),
            "Mean over the verified frames with polyps: 1 is the verified mask to the pixel, 0 nothing of it",
        ),
        Line(
            "IoU of A and B",
            _number(found.iou),
            None,
            f"How alike their masks are, mean over {found.iou_frames} frames in which both have one; it does "
            "not say who is right",
        ),
    )


def standing(found: Comparison, whole_s: float | None) -> str:
    """What the figures are of, and what they cannot say."""
    many = found.verified
    known = (
        f"Sensitivity, specificity and Dice: of {many} verified frame{'s' if many != 1 else ''} of this "
        "recording. A mask that was taken over from one of the two favours it."
        if many
        else NOBODY_KNOWS
    )
    if whole_s is not None and whole_s - found.until_s > 1.0:
        known = f"Both have judged {words.duration(found.until_s)} of {words.duration(whole_s)}. {known}"
    return known


def about(side: Side) -> str:
    """Which weights at which point: every figure is of these."""
    return f"{side.analysis.weights_sha256[:8]} · {side.point.preset} · {side.point.threshold:.2f}"


def progress_of(second: Second, *, is_running: bool) -> str:
    """Behind that, while it is not all analysed: " · 43 %, paused"."""
    progress = second.progress
    if progress.is_done or second.is_first:
        return ""
    share = f"{100 * progress.done // progress.total} %" if progress.total else f"{progress.done} frames"
    return f" · {share}" if is_running else f" · {share}, paused"


def headed(count: int) -> str:
    return f"{count} disagreement{'' if count == 1 else 's'}"


def listed(one: Disagreement, origin_s: float) -> str:
    """Such as "A alone · 0:12.3 · 1.4 s"."""
    letter = "A" if one.who == ONLY_A else "B"
    return f"{letter} alone · {words.short_clock(one.start_s - origin_s)} · {lasted(one)}"


def lasted(one: Disagreement) -> str:
    return f"{one.lasted_s:.1f} s" if one.lasted_s >= 0.05 else "a moment"


def answered(one: Disagreement, number: int, count: int, a: Side, b: Side) -> str:
    """The word that answers the key: who has it, for how long, which one it is."""
    letter, side = ("A", a) if one.who == ONLY_A else ("B", b)
    name = side.analysis.model_id
    if a.analysis.id == b.analysis.id:
        name = f"{name} {side.point.preset}"
    return f"{letter} alone: {name} · {lasted(one)} · {number} of {count}"


def _rate(figures: Figures, least_s: float) -> str:
    rate = figures.per_min[least_s]
    return UNKNOWN if rate is None else f"{rate:.1f}"


def _clock(at_s: float | None, origin_s: float) -> str:
    return UNKNOWN if at_s is None else words.short_clock(at_s - origin_s)


def _share(share: Share) -> str:
    """A share of few is a count: "7 of 9"."""
    return f"{share.count} of {share.of}" if share.of else UNKNOWN


def _number(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.2f}"
