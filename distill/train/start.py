"""What a training starts from: a model, a pretrained or a bundled student's encoder, or random weights."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from distill.data.belonging import belonging_of_model
from distill.data.index import load_index
from distill.data.splits import held_out_by, saw_no_more
from distill.recipe import IMAGENET, Recipe, StudentPart
from distill.runs import read_run
from distill.weights_at_hand import encoder_file, encoder_hub, named_file, not_at_hand
from engine.faults import FaultCode, FaultError
from engine.files.whole import write_json
from engine.jobs.folder import RUN_JSON
from engine.model_card import WEIGHTS, EncoderCard
from engine.model_folder import ModelFolder, bundled_models, find_model, load_model_folder
from engine.models import make_student
from engine.models.base import Student
from engine.models.encoder import HUB, load_pretrained
from engine.runtime.student import load_student

log = logging.getLogger("distill")

START = "start"  # of run.json


@dataclass(frozen=True, slots=True)
class Start:
    """`words` for a person; `encoder` as a model card says it; `model`: whose weights were taken, or some."""

    words: str
    encoder: EncoderCard | None = None
    model: str = ""
    notes: tuple[str, ...] = ()

    def told(self) -> dict[str, Any]:
        encoder = None if self.encoder is None else self.encoder.model_dump(mode="json")
        return {"words": self.words, "model": self.model, "encoder": encoder, "notes": list(self.notes)}


def begin_network(recipe: Recipe, data_root: Path, resuming: bool = False) -> tuple[Student, Start]:
    """The student with its first weights, channels last, and what they are.

    A run that goes on from a checkpoint needs no encoder's weights, which may be gone by then.
    Raises FaultError MODEL_MISSING (with where to get them and where to put them), MODEL_LOAD; ARGUMENT for a
    start with another network.
    """
    part = recipe.student
    if part.start:
        folder, notes = _start(recipe, data_root)
        words = f"all weights of {folder.id}"
        student, start = load_student(folder), Start(words, folder.card.training.encoder, folder.id, notes)
    else:
        student = make_student(part.name, part.args)
        start = Start("a checkpoint") if resuming else _fill_encoder(student, recipe, data_root)
    start = replace(start, notes=(*start.notes, *teachers_that_saw(recipe, data_root)))
    return student.to(memory_format=torch.channels_last), start  # type: ignore[call-overload]


def note_start(run: Path, start: Start) -> None:
    """In run.json, and what there is to say on the screen."""
    log.info("starts from %s", start.words)
    for note in start.notes:
        log.info("%s", note)
    write_json(run / RUN_JSON, read_run(run) | {START: start.told()})


def encoder_of_run(told: Mapping[str, Any]) -> EncoderCard | None:
    """What run.json says of the encoder's first weights."""
    encoder = told[START]["encoder"]
    return None if encoder is None else EncoderCard.model_validate(encoder)


def _fill_encoder(student: Student, recipe: Recipe, data_root: Path) -> Start:
    part = recipe.student
    if not part.pretrained:
        return Start("random weights")
    encoder = student.get_submodule("encoder")
    if part.pretrained != IMAGENET:
        named = part.pretrained
        source = named if named.startswith(HUB) else str(named_file(named, data_root))
        name = str(part.args.get("encoder", ""))
        if name and not named.startswith(HUB) and not Path(source).is_file():
            raise not_at_hand(name, f"no file {source}")
        return Start(f"the encoder {Path(source).name}", load_pretrained(encoder, source))
    name = str(part.args.get("encoder", ""))
    path = encoder_file(name, data_root)
    if path is not None:
        return Start(f"the ImageNet encoder {path.name}", load_pretrained(encoder, str(path)))
    hub = encoder_hub(name)
    why = "timm names no hub"
    if hub:
        try:
            return Start(f"the ImageNet encoder {hub}", load_pretrained(encoder, f"{HUB}{hub}"))
        except FaultError as fault:
            if fault.code is not FaultCode.MODEL_MISSING:
                raise
            why = fault.got
    return _from_bundled(encoder, part, recipe, data_root, name, why)


def _from_bundled(
    encoder: nn.Module, part: StudentPart, recipe: Recipe, data_root: Path, name: str, why: str
) -> Start:
    """A bundled student's encoder began with these weights, and has seen polyps since."""
    for path in bundled_models():
        folder = load_model_folder(path)
        card = folder.card
        alike = card.student.name == "light" and card.student.args.get("encoder") == name
        alike = alike and (card.input.mean, card.input.std) == (part.mean, part.std)
        known = card.training.encoder
        if not alike or known is None or not _may_be_taken(folder, recipe, data_root):
            continue
        encoder.load_state_dict(load_student(folder).get_submodule("encoder").state_dict())
        own = {"source": f"the encoder of {folder.id}", "sha256": card.files[WEIGHTS].sha256}
        return Start(
            f"the encoder of the bundled {folder.id}, because the ImageNet weights of {name} are not at hand",
            known.model_copy(update=own),
            folder.id,
        )
    raise not_at_hand(name, why, ", or start from random weights: --set student.pretrained=")


def teachers_that_saw(recipe: Recipe, data_root: Path) -> tuple[str, ...]:
    """A sentence for each task teacher that was trained on images which this run validates on."""
    sentences = []
    for part in recipe.distil.teachers:
        kind, _, name = part.name.partition(":")
        if kind == "task" and name:
            folder = load_model_folder(find_model(name))
            if folder.card.training.imported:
                sentences.append(
                    f"The teacher {folder.id} was imported: it may have been trained on images that this run "
                    "validates on, and its figures are too good then"
                )
            elif not _may_be_taken(folder, recipe, data_root):
                sentences.append(
                    f"The teacher {folder.id} was trained on images that this run validates on, and its "
                    "figures are too good: take the split of its model.json (held_out), or another teacher"
                )
    return tuple(sentences)


def _beside(folder: ModelFolder, data_root: Path) -> bool:
    """Whether the model was trained on this very data, as far as anybody here knows."""
    if folder.card.training.imported:  # its index is that of its figures
        return False
    digits = belonging_of_model(folder.id, folder.card.training).sha256
    return bool(digits) and load_index(data_root).sha256.startswith(digits)


def _may_be_taken(folder: ModelFolder, recipe: Recipe, data_root: Path) -> bool:
    """Not where it has learned what this run keeps out."""
    return not _beside(folder, data_root) or saw_no_more(held_out_by(folder.card.training), recipe.data)


def _start(recipe: Recipe, data_root: Path) -> tuple[ModelFolder, tuple[str, ...]]:
    """The model that the training goes on from. Raises FaultError ARGUMENT unless it may."""
    part = recipe.student
    folder = load_model_folder(find_model(part.start))
    if (folder.card.student.name, folder.card.student.args) != (part.name, part.args):
        raise FaultError(
            FaultCode.ARGUMENT,
            expected=f"student.start to be a model with the student {part.name} {part.args}",
            got=f"{folder.id}, which is {folder.card.student.name} {folder.card.student.args}",
            remedy="name another model, or take its student",
        )
    if not _may_be_taken(folder, recipe, data_root):
        raise FaultError(
            FaultCode.ARGUMENT,
            expected=f"the split of {folder.id}, or it has learned what this run keeps out: "
            f"{held_out_by(folder.card.training)}",
            got=str(recipe.data),
            remedy="correct the recipe's data",
        )
    if _beside(folder, data_root):
        return folder, ()
    note = (
        f"{folder.id} was trained on other data: {folder.card.training.data}. Images of yours that are also "
        "there make the validation figures too good"
    )
    return folder, (note,)
