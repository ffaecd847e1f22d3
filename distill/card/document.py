"""The document: each model's part, and the pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from distill.card.curve import reliability_png
from distill.card.figures import measure_model
from distill.card.text import HEAD, model_text
from distill.data.belonging import belonging_of_model
from distill.data.index import load_index
from distill.data.splits import split_beside
from distill.judging.over_time import watch
from distill.judging.recordings import recordings_of
from engine.files.whole import write_bytes, write_text
from engine.model_folder import ModelFolder
from engine.models import make_student
from engine.models.cost import Cost, cost_of

NOTES, PICTURES = "model-notes", "images"


def write_card(
    models: Sequence[ModelFolder],
    data_root: Path | None,
    out: Path,
    gallery: Path | None,
    tick: Callable[[int, int], None],
) -> None:
    """Measure all models and write the card and its pictures beside it.

    `data_root` None: the data that each was trained beside. Raises FaultError DATA_SET, also when that is not
    found.
    """
    roots = [belonging_of_model(model.id, model.card.training).find(data_root) for model in models]
    parts = [HEAD]
    for model, root in zip(models, roots, strict=True):
        figures = measure_model(model, root, tick)
        index = load_index(root)
        recordings = recordings_of(
            model.card.training, index, split_beside(model.card.training, index).validation
        )
        behaviour = [watch(model, recording) for recording in recordings]
        picture = Path(PICTURES) / f"reliability-{model.id}.png"
        write_bytes(out.parent / picture, reliability_png(figures.logits, model.card.output.temperature))
        notes = out.parent / NOTES / f"{model.id}.md"
        said = notes.read_text(encoding="utf-8") if notes.is_file() else ""
        parts.append(model_text(model.card, _cost(model), figures, behaviour, picture.as_posix(), said))
        if gallery:
            write_bytes(gallery / f"{model.id}-worst.png", figures.worst)
    write_text(out, "\n".join(parts))


def _cost(model: ModelFolder) -> Cost:
    with torch.device("meta"):  # counted, not computed
        student = make_student(model.card.student.name, model.card.student.args)
    return cost_of(student, model.card.input.width_px)
