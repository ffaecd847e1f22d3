"""What was measured of a preset, in words. Pure; names of the figures are those of docs/bundled-models.md.

Below five minutes of video counts and seconds are said, and no rates: one mark more would double them. What
was not measured is not said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

RATES_FROM_S = 300.0
TENTHS_FROM = 10  # polyps: nine in ten of fewer are no figure
MET = "sensitivity_iou_0.1"
LASTING = "false_activations_1s"
# On images without a polyp; of the two views that were measured the worse one counts.
FREE = ("false_detections_per_polyp_free_image", "false_detections_per_polyp_free_field")

Measured = Mapping[str, float]
Worst = tuple[str, Measured]  # the set in which a preset does worst, and its figures there


def note(measured: Measured) -> str:
    """Behind a preset's name: what tells it from the others; "" where nothing was measured.

    "0 false marks in 26 s, first mark after 0.3 s, met 92 % of polyps, 6 false marks in 100 images".
    """
    first_ms = measured.get("first_confirmed_ms")
    first = "" if first_ms is None else f"first mark after {_seconds(first_ms)}"
    met, false = measured.get(MET), _false_in_100(measured)
    stills = ""
    if met is not None and false is not None:
        stills = f"met {met * 100:.0f} % of polyps, {false:.0f} false marks in 100 images"
    return ", ".join(part for part in (_false_marks(measured), first, stills) if part)


def detail(measured: Measured, moved_from: float | None, worst: Worst | None = None) -> str:
    """All of it, a line each; `moved_from`: the preset's own threshold, where it is not in force."""
    lines = [*_in_video(measured), *_in_stills(measured)]
    if lines and worst is not None and MET in worst[1]:
        lines.append(f"In the worst set, {worst[0]}, {worst[1][MET] * 100:.0f} of 100 met.")
    if not lines:
        lines = ["Nothing was measured of it."]
    if moved_from is not None:
        lines.append(f"That was at its threshold of {moved_from:.2f}.")
    return "\n".join(lines)


def _in_video(measured: Measured) -> Iterable[str]:
    if false := _false_marks(measured):
        yield f"No polyp: {false}{_lasting(measured)}."
    first_ms, late_ms = measured.get("first_confirmed_ms"), measured.get("first_confirmed_p90_ms")
    if first_ms is not None:
        nine = ""
        if late_ms is not None and measured.get("polyps", 0.0) >= TENTHS_FROM:
            nine = f", {_seconds(late_ms)} (9 in 10)"
        yield f"First mark: {_seconds(first_ms)} (median){nine}."
    polyps, met = measured.get("polyps"), measured.get("polyp_sensitivity")
    if polyps and met is not None:
        in_frames = measured.get("frame_sensitivity")
        frames = "" if in_frames is None else f", in {in_frames * 100:.0f} % of frames"
        yield f"{round(met * polyps)} of {polyps:.0f} polyps marked{frames}."
    if (changes := measured.get("changes_per_s")) is not None:
        yield f"Marks come or go {changes:.1f} times a second."


def _in_stills(measured: Measured) -> Iterable[str]:
    met, beside = measured.get(MET), measured.get("false_detections_per_polyp_image")
    free = _false_in_100(measured)
    if met is not None and beside is not None and free is not None:
        yield (
            f"Still images: {met * 100:.0f} of 100 polyps met, false marks in 100: "
            f"{beside * 100:.0f} with a polyp, {free:.0f} without."
        )


def _false_marks(measured: Measured) -> str:
    """Such as "1 false mark in 26 s", "0.4 false marks a minute"; "" where no such video was measured."""
    seconds, false = measured.get("polyp_free_s"), measured.get("false_activations")
    if not seconds or false is None:
        return ""
    if seconds < RATES_FROM_S:
        return f"{false:.0f} false mark{'' if false == 1 else 's'} in {seconds:.0f} s"
    return f"{_rate(measured, 'false_activations'):.2g} false marks a minute"


def _lasting(measured: Measured) -> str:
    """How many of them stay: those are what disturbs."""
    lasting = measured.get(LASTING)
    if lasting is None or not measured["false_activations"]:
        return ""
    if not lasting:
        return ", none for 1 s"
    said = f"{lasting:.0f}" if measured["polyp_free_s"] < RATES_FROM_S else f"{_rate(measured, LASTING):.2g}"
    return f", {said} for 1 s"


def _rate(measured: Measured, name: str) -> float:
    """A minute."""
    rate = measured.get(f"{name}_per_min")
    return measured[name] * 60.0 / measured["polyp_free_s"] if rate is None else rate


def _false_in_100(measured: Measured) -> float | None:
    found = [measured[key] for key in FREE if key in measured]
    return max(found) * 100 if found else None


def _seconds(ms: float) -> str:
    return f"{ms / 1000:.1f} s" if ms >= 100 else f"{ms:.0f} ms"
