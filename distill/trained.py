"""Where the weights of an export come from (a run, several, a model folder), and what a card says of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from distill.data.index import Index
from distill.data.splits import Split, held_out_by
from distill.recipe import DataPart, Recipe, load_recipe, parse_recipe
from distill.teachers import card_of
from distill.train.checkpoint import STATE
from distill.train.loop import CHECKPOINTS
from distill.train.run import RUN_JSON
from engine.faults import FaultCode, FaultError
from engine.model_folder import (
    EncoderCard,
    SplitCard,
    TrainingCard,
    load_model_folder,
)
from engine.models import make_student
from engine.models.encoder import load_pretrained

INDEX_DIGITS = 16  # of its sha256, in the card
LICENCE = (
    "Weights trained on data sets published for research and education (see training.data), some of them "
    "not for commercial use; check each set's own terms."
)


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training left. `weights` are the averaged ones, rounded to what fp16 holds."""

    recipe: Recipe
    weights: dict[str, Tensor]
    licence: str
    card: Callable[[Index, Split], TrainingCard]


def trained_run(run: Path) -> Trained:
    """What a run folder holds. Raises FaultError ARGUMENT where nothing was trained."""
    try:
        recipe = parse_recipe(json.loads((run / RUN_JSON).read_text(encoding="utf-8"))["recipe"])
        folder = run / CHECKPOINTS
        state = json.loads((folder / STATE).read_text(encoding="utf-8"))
        weights = load_file(folder / state["weights"])
    except (OSError, ValueError, KeyError) as error:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected=f"a run folder with {RUN_JSON} and a checkpoint, or a model folder",
            got=f"{type(error).__name__}: {error}",
            remedy="train first: python -m distill train",
        ) from error

    def card(index: Index, split: Split) -> TrainingCard:
        return _training_card(recipe, index, split, state["progress"]["step"], run.name)

    rounded = {key: value.half() if value.is_floating_point() else value for key, value in weights.items()}
    return Trained(recipe, rounded, _licence(recipe), card)


def mean_of(runs: Sequence[Trained]) -> Trained:
    """The mean of the weights of runs that differ in their seed alone and began at one model.

    Wortsman et al., Model soups, ICML 2022: such runs stay in one basin, and their mean is about as good as
    their ensemble. Raises FaultError ARGUMENT for any others.
    """
    first = runs[0]
    recipes = [run.recipe.model_copy(update={"seed": first.recipe.seed}) for run in runs]
    if not first.recipe.student.start or any(recipe != recipes[0] for recipe in recipes):
        raise FaultError(
            FaultCode.ARGUMENT,
            expected="runs of one recipe with student.start that differ in nothing but the seed",
            got=", ".join(f"{recipe.name} from {recipe.student.start or 'scratch'}" for recipe in recipes),
            remedy="export them one by one",
        )
    weights = {}
    for key, value in first.weights.items():
        if value.is_floating_point():
            value = torch.stack([run.weights[key].float() for run in runs]).mean(0).half()
        weights[key] = value

    def card(index: Index, split: Split) -> TrainingCard:
        cards = [run.card(index, split) for run in runs]
        return cards[0].model_copy(
            update={
                "split": f"{cards[0].split} The mean of the weights of {len(cards)} seeds.",
                "run_id": " + ".join(card.run_id for card in cards),
            }
        )

    return Trained(first.recipe, weights, first.licence, card)


def trained_model(source: Path) -> Trained:
    """What a model folder was made of. Raises FaultError as `load_model_folder`."""
    folder = load_model_folder(source)
    training = folder.card.training

    def card(index: Index, split: Split) -> TrainingCard:
        if index.sha256[:INDEX_DIGITS] not in training.data:
            raise FaultError(
                FaultCode.DATA_SET,
                expected=f"the images that {folder.id} was trained beside: {training.data}",
                got=f"an index with sha256 {index.sha256[:INDEX_DIGITS]}",
                remedy="name them with --data",
            )
        return training

    # The recipe by its name, and the split as it was: a fold may have been chosen on the command line.
    recipe = load_recipe(training.recipe).model_copy(update={"data": held_out_by(training)})
    return Trained(recipe, load_file(folder.weights), folder.card.licence, card)


def _training_card(recipe: Recipe, index: Index, split: Split, step: int, run_id: str) -> TrainingCard:
    part = recipe.data
    sets = sorted({record.set for record in index.records})
    return TrainingCard(
        recipe=recipe.name,
        seed=recipe.seed,
        data=f"{len(index.records)} images of {', '.join(sets)} (index sha256 {index.sha256[:INDEX_DIGITS]})",
        split=(
            f"{_split_words(part)}: {len(split.train)} training and {len(split.validation)} validation "
            f"images; groups always kept for validation: {', '.join(part.validation_groups) or 'none'}. "
            f"Metrics: validation images, mean over images at native mask size, both empty = 1; "
            f"weights of step {step}, moving average."
            + (f" The training went on from {recipe.student.start}." if recipe.student.start else "")
        ),
        held_out=SplitCard(
            **part.model_dump(include=set(SplitCard.model_fields)),
            training_images=len(split.train),
            validation_images=len(split.validation),
        ),
        teachers=tuple(teacher.name for teacher in recipe.distil.teachers),
        encoder=_encoder_card(recipe, index.root),
        run_id=run_id,
    )


def _split_words(part: DataPart) -> str:
    fold = (
        f"StratifiedGroupKFold by group, stratified by set, {part.folds} folds, fold {part.fold}, "
        f"seed {part.split_seed}"
    )
    words = fold if part.split == "grouped" else f"the data's own lists (without a validation list: {fold})"
    if part.left_out_folds:
        words += f", folds {', '.join(map(str, part.left_out_folds))} left out"
    if part.train_sets:
        words += f", trained on {', '.join(part.train_sets)} alone"
    return words


def _encoder_card(recipe: Recipe, data_root: Path) -> EncoderCard | None:
    """What the training started from: the same file read once more. Raises FaultError when it is gone."""
    part = recipe.student
    if not part.pretrained:
        return None
    student = make_student(part.name, part.args)
    return load_pretrained(student.get_submodule("encoder"), part.pretrained_in(data_root))


def _licence(recipe: Recipe) -> str:
    """The data's, the encoder's start and the teachers' terms, in one text."""
    said = [LICENCE]
    if recipe.student.pretrained:
        said.append(f"Encoder start: {Path(recipe.student.pretrained).name}, under its publisher's terms.")
    for teacher in recipe.distil.teachers:
        card = card_of(teacher)
        said.append(f"Teacher {card.hub_id or card.name}: {card.licence}.")
    return " ".join(said)
