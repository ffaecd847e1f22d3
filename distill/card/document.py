"""The document: each model's part, what distillation brought, and the pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import torch

from distill.card.curve import reliability_png
from distill.card.figures import measure_model
from distill.card.text import HEAD, gain_text, model_text
from distill.data.belonging import belonging_of_model
from distill.data.index import load_index
from distill.data.splits import split_beside
from distill.judging.compare import DICE_OR_SILENCE, compare
from distill.judging.over_time import Recording, clips_of, sequences_of, watch
from distill.metrics.table import read_table
from engine.faults import FaultCode, FaultError
from engine.files.whole import write_bytes, write_text
from engine.model_folder import ModelFolder
from engine.models import make_student
from engine.models.cost import Cost, cost_of

NOTES, EVIDENCE, PICTURES = "model-notes", "evidence", "images"
CONTROL, TITLE = "control", "title.txt"


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
    gains = list(gains_of(out.parent / EVIDENCE))  # first: what is missing there should not cost minutes
    parts = [HEAD]
    for model, root in zip(models, roots, strict=True):
        figures = measure_model(model, root, tick)
        behaviour = [watch(model, recording) for recording in recordings_of(model, root)]
        picture = Path(PICTURES) / f"reliability-{model.id}.png"
        write_bytes(out.parent / picture, reliability_png(figures.logits, model.card.output.temperature))
        notes = out.parent / NOTES / f"{model.id}.md"
        said = notes.read_text(encoding="utf-8") if notes.is_file() else ""
        parts.append(model_text(model.card, _cost(model), figures, behaviour, picture.as_posix(), said))
        if gallery:
            write_bytes(gallery / f"{model.id}-worst.png", figures.worst)
    if gains:
        parts.append("\n\n".join(["## What distillation and other changes brought", *gains]))
    write_text(out, "\n".join(parts))


def _cost(model: ModelFolder) -> Cost:
    with torch.device("meta"):  # counted, not computed
        student = make_student(model.card.student.name, model.card.student.args)
    return cost_of(student, model.card.input.width_px)


def recordings_of(model: ModelFolder, data_root: Path) -> Iterator[Recording]:
    """The clips, then the recordings among the model's validation images."""
    index = load_index(data_root)
    split = split_beside(model.card.training, index)
    clips = list(clips_of(data_root))
    yield from clips
    yield from sequences_of(index, split.validation)


def gains_of(evidence: Path) -> Iterator[str]:
    """One text a folder: the tables of every arm, ARM-SEED.csv, beside `control-SEED.csv` of the same seeds.

    Raises FaultError DATA_SET for a folder that is not complete.
    """
    for folder in sorted(path for path in evidence.glob("*") if path.is_dir()):
        arms: dict[str, dict[str, Path]] = {}
        for path in sorted(folder.glob("*.csv")):
            arm, _, seed = path.stem.rpartition("-")
            arms.setdefault(arm, {})[seed] = path
        controls = arms.pop(CONTROL, {})
        paired = all(seeds.keys() <= controls.keys() for seeds in arms.values())
        if not (folder / TITLE).is_file() or not arms or not paired:
            raise FaultError(
                FaultCode.DATA_SET,
                expected=f"{TITLE}, an arm's tables and {CONTROL}-SEED.csv of the same seeds in {folder}",
                got=", ".join(sorted(path.name for path in folder.iterdir())) or "an empty folder",
                remedy="complete it, or remove it",
            )
        title = (folder / TITLE).read_text(encoding="utf-8").strip()
        yield "\n\n".join([title, *(_gain(arm, seeds, controls) for arm, seeds in arms.items())]) + "\n"


def _gain(arm: str, seeds: Mapping[str, Path], controls: Mapping[str, Path]) -> str:
    a, b = ([read_table(side[seed]) for seed in seeds] for side in (controls, seeds))
    return gain_text(arm, compare(a, b), compare(a, b, figure=DICE_OR_SILENCE))
