"""Figures as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from distill.card.figures import Estimate, Figures
from distill.export.calibration import reliability
from distill.judging.over_time import LONG_S, Behaviour
from distill.metrics.rows import FALSE_ALARMS, MISSED, POOLED, of_size
from distill.metrics.sizes import SIZES
from engine.model_card import Metric, ModelCard, TrainingCard
from engine.models.cost import Cost

HEAD = """# Model card

Made by `python -m distill card`, which measures every figure again from the committed weights.
**Research use only**: no clinical decision may rest on these networks. The images are not part of this
repository: set POLYP_DATA to the folder that the cards name by its index.

Figures are of *validation* images: groups (patients, videos, look-alikes) that no training image came from,
but of the same hospitals. Expect less elsewhere. Dice: probability over 0.5 at the mask's own size, an image,
mean over images (`p05_image`; nothing found where nothing is counts 1). Brackets: 95 %, whole groups drawn
2,000 times. All through the live path in float32: bf16 or int8, where a machine takes them, differ a little.
What was tried to better them, and what it brought: [experiments](experiments/README.md).
"""
SHOWN_SETS = ("dice", "dice_polyp_images", "hit_share_polyp_images", FALSE_ALARMS)
POINTS = """Sensitivity: lesions that a contour meets at IoU 0.1 or more. False detections: contours that meet
none. """
CHOSEN = "Threshold, area and peak were chosen on these same images, so they flatter themselves a little."
USUAL = "Threshold, area and peak are the usual ones, chosen on no images of this network."
FIELD = """Recorders put panels, text and borders around the endoscope's picture, and all polyp-free
recordings here are of a few of them. So every image is judged once more with that picture alone, as another
recorder would show it: what a network knows by the panels is gone."""
VIDEO = """At the standard preset, as the window draws it. First mark: from the first frame with a polyp. The
last columns: how many false activations, by how long they last; recordings are too short for rates."""
MADE_FOR = {"frame": "", "field": ", the endoscope's picture alone, as are all figures unless said"}
SETS = ("set", "images", "Dice", "Dice, polyps", "polyps touched", "polyp-free with a false pixel")
PRESETS = (
    *("preset", "threshold", "area", "peak", "sensitivity", "false, with polyp", "false, polyp-free"),
    "false, polyp-free, picture alone",
)
SEQUENCES = ("recording", "frames", "s", "frames on", "changes/s", "polyp frames marked", "first mark, ms")


def model_text(
    card: ModelCard, cost: Cost, figures: Figures, behaviour: Sequence[Behaviour], curve: str, notes: str
) -> str:
    """One model: what it is, what it was made of, what it does. `curve` is the picture's path."""
    student = ", ".join(f"{key} {value}" for key, value in card.student.args.items())
    training = card.training
    before, after = (reliability(figures.logits, t) for t in (1.0, card.output.temperature))
    parts = [
        f"## {card.id}{' (default)' if card.default else ''}",
        f"- Network: `{card.student.name}`, {student}; input {card.input.width_px}x{card.input.height_px}"
        f"{MADE_FOR[card.region]}; "
        f"{cost.parameters / 1e6:.2f} M parameters, {cost.macs / 1e9:.2f} GMAC a picture\n"
        f"- {origin(training)}\n"
        f"- Data: {training.data}\n- Split: {training.split}\n- Licence: {card.licence}",
        "### Sets",
        _table(SETS, _sets(figures)),
        "### Size of the polyps in the picture",
        _table(
            ("share of the picture", "images", "Dice", "missed whole"),
            _sizes(figures.rows),
        ),
        "### The endoscope's picture alone",
        FIELD,
        _table(
            ("all sets, at 0.5", *SETS[2:]),
            (
                ("whole frames", *_cells(figures.frame_rows, POOLED)),
                ("the endoscope's picture alone", *_cells(figures.field_rows, POOLED)),
            ),
        ),
        "### Operating points",
        POINTS + (USUAL if training.imported and not training.imported.judged_on else CHOSEN),
        _table(
            PRESETS,
            (
                (
                    row.name,
                    f"{row.point.threshold:.2f}",
                    f"{row.point.min_area_frac:.2%}",
                    f"{row.point.min_peak:.3f}",
                    told(row.sensitivity),
                    told(row.false_polyp),
                    told(row.false_free) if row.false_free else "none there",
                    told(row.field_false_free) if row.field_false_free else "none there",
                )
                for row in figures.presets
            ),
        ),
        "### Calibration",
        f"![reliability]({curve})",
        f"Temperature {card.output.temperature:.2f}. Expected calibration error of pixels: "
        f"{before.error:.4f} without it, {after.error:.4f} with; over pixels that are not sure background: "
        f"{before.polyp_error:.3f} without, {after.polyp_error:.3f} with.",
        "### Video",
        VIDEO,
        _table(
            (*SEQUENCES, *(f"≥ {s:g} s" for s in LONG_S)),
            (_behaviour(row) for row in behaviour),
        ),
    ]
    if notes:
        parts += ["### What is wrong with it", notes.strip()]
    return "\n\n".join(parts) + "\n"


def origin(training: TrainingCard) -> str:
    if training.imported:
        file = training.imported
        left = f"; left over of it: {', '.join(file.left_over)}" if file.left_over else ""
        return (
            f"**Imported**, trained by others: `{file.file}` (sha256 {file.sha256}){left}. The figures below "
            "are of images that it may have been trained on"
        )
    encoder = training.encoder.source if training.encoder else "random weights"
    return (
        f"Recipe `{training.recipe}`{_changed(training.changes)}, seed {training.seed}, run "
        f"`{training.run_id}`; encoder from {encoder}; teachers: {', '.join(training.teachers) or 'none'}"
    )


def told(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


def _changed(changes: Sequence[str]) -> str:
    return f" with {', '.join(f'`{change}`' for change in changes)}" if changes else ""


def _sets(figures: Figures) -> Iterable[tuple[str, ...]]:
    for name in dict.fromkeys(row.set for row in figures.rows if row.name == "dice"):
        images = next(row.n for row in figures.rows if (row.set, row.name) == (name, "dice"))
        yield (f"**{name}**" if name == POOLED else name, str(images), *_cells(figures.rows, name))


def _sizes(rows: Sequence[Metric]) -> Iterable[tuple[str, ...]]:
    by_name = {(row.set, row.name): row for row in rows}
    for size in SIZES:
        dice, missed = (by_name.get((of_size(size), name)) for name in ("dice_polyp_images", MISSED))
        if dice and missed:
            yield size, str(dice.n), _bounded(dice), _bounded(missed)


def _bounded(row: Metric) -> str:
    return f"{row.value:.3f} [{row.low:.3f}, {row.high:.3f}]"


def _cells(rows: Sequence[Metric], name: str) -> tuple[str, ...]:
    by_name = {row.name: row for row in rows if row.set == name}
    shown = (by_name.get(figure) for figure in SHOWN_SETS)
    return tuple("-" if row is None else _bounded(row) for row in shown)


def _behaviour(row: Behaviour) -> tuple[str, ...]:
    false = row.false_activations
    return (
        row.name,
        str(row.frames),
        f"{row.seconds:.1f}",
        f"{row.on_share:.0%}",
        f"{row.changes_per_s:.2f}",
        "-" if row.hit_share is None else f"{row.hit_share:.0%}",
        "-" if row.first_mark_ms is None else f"{row.first_mark_ms:.0f}",
        *("-" if false is None else str(false[least]) for least in LONG_S),
    )


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])
