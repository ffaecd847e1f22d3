"""Where the weights of an export come from (a run, several, a model folder), and what a card says of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from distill.data.belonging import (
    INDEX_DIGITS,
    Belonging,
    belonging_of_model,
)
from distill.data.index import UNLABELLED, Index
from distill.data.splits import Split, all_that_any_saw, held_out_by, judged_alike
from distill.recipe import DataPart, Recipe, StudentPart
from distill.recipe.changes import changes_of
from distill.runs import belonging_of_run, more_belongings_of_run, read_run, recipe_of
from distill.teachers import card_of
from distill.train.checkpoint import averaged_weights
from distill.train.checkpoint_files import Damaged
from distill.train.start import START, begin_network, encoder_of_run
from engine.faults import FaultCode, FaultError
from engine.jobs.folder import CHECKPOINTS, RUN_JSON
from engine.model_card import EncoderCard, SplitCard, TrainingCard
from engine.model_folder import load_model_folder
from engine.models import make_student
from engine.models.base import Student
from engine.types import Region

LICENCE = (
    "Weights trained on data sets published for research and education (see training.data), some of them "
    "not for commercial use; check each set's own terms."
)


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training left. `weights` are the averaged ones, rounded to what fp16 holds.

    `size_px` of the input of an export, unless another is asked for; `trained_px` that of the last epochs, or
    that a model had until now.
    """

    student: StudentPart
    data: DataPart
    seed: int
    size_px: int
    trained_px: int
    region: Region
    weights: dict[str, Tensor]
    belonging: Belonging
    licence: Callable[[], str]  # asks the teachers, which may be gone by now: only an export needs it
    card: Callable[[Index, Split], TrainingCard]
    unjudged: TrainingCard | None = None  # of imported weights, where no images judge them

    def network(self) -> Student:
        """The student with the weights, float32, ready to judge."""
        student = make_student(self.student.name, self.student.args)
        student.load_state_dict(self.weights)  # stored in half precision, widened by the copy
        return student.eval()


def trained_run(run: Path) -> Trained:
    """What a run folder holds. Raises FaultError ARGUMENT where nothing was trained."""
    recipe = recipe_of(run)
    belonging = belonging_of_run(run)
    try:
        weights, state = averaged_weights(run / CHECKPOINTS)
    except (Damaged, OSError, ValueError, KeyError) as error:
        raise _nothing_trained(error) from error

    def card(index: Index, split: Split) -> TrainingCard:
        belonging.check(index)
        return _training_card(recipe, index, split, state.progress["step"], run)

    rounded = {key: value.half() if value.is_floating_point() else value for key, value in weights.items()}
    return Trained(
        recipe.student,
        recipe.data,
        recipe.seed,
        recipe.export_size_px,
        recipe.stages[-1].size_px,
        recipe.region,
        rounded,
        belonging,
        lambda: _licence(recipe),
        card,
    )


def _nothing_trained(error: Exception) -> FaultError:
    return FaultError(
        FaultCode.ARGUMENT,
        expected=f"a run folder with {RUN_JSON} and a checkpoint, or a model folder",
        got=str(error) if isinstance(error, Damaged) else f"{type(error).__name__}: {error}",
        remedy="train first: python -m distill train",
    )


def mean_of(sources: Sequence[Path]) -> Trained:
    """The mean of the weights of runs that differ in their seed alone and began at one model.

    Wortsman et al., Model soups, ICML 2022: such runs stay in one basin, and their mean is about as good as
    their ensemble. Raises FaultError ARGUMENT for any others.
    """
    # The precision follows from the machine that a run was made on.
    recipes = [recipe_of(run).model_copy(update={"seed": 0, "precision": "float32"}) for run in sources]
    if not recipes[0].student.start or any(recipe != recipes[0] for recipe in recipes):
        raise FaultError(
            FaultCode.ARGUMENT,
            expected="runs of one recipe with student.start that differ in nothing but the seed",
            got=", ".join(f"{recipe.name} from {recipe.student.start or 'scratch'}" for recipe in recipes),
            remedy="export them one by one",
        )
    runs = [trained_run(run) for run in sources]
    first = runs[0]
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

    return replace(first, weights=weights, card=card)


def trained_model(source: Path) -> Trained:
    """What a model folder was made of. Raises FaultError as `load_model_folder`."""
    folder = load_model_folder(source)
    training = folder.card.training
    belonging = belonging_of_model(folder.id, training)

    def card(index: Index, split: Split) -> TrainingCard:
        belonging.check(index)
        return training

    own = folder.card
    student = StudentPart(
        name=own.student.name, args=dict(own.student.args), mean=own.input.mean, std=own.input.std
    )
    return Trained(
        student,
        held_out_by(training),
        training.seed,
        own.input.width_px,
        own.input.width_px,
        own.region,
        load_file(folder.weights),
        belonging,
        lambda: own.licence,
        card,
    )


def committee_of(sources: Sequence[Path]) -> Trained:
    """Trained `light` students as one `committee`, `engine.models.committee`.

    Raises FaultError ARGUMENT for other students, or members of another scaling or region or judged by other
    images.
    """
    folders = [load_model_folder(source) for source in sources]
    members = [trained_model(source) for source in sources]
    first = members[0]
    students = [member.student for member in members]
    for folder, member, student in zip(folders, members, students, strict=True):
        alike = (student.mean, student.std, member.region) == (
            first.student.mean,
            first.student.std,
            first.region,
        )
        plain = student.name == "light" and set(student.args) == {"encoder", "channels"}
        if not (alike and plain and judged_alike(member.data, first.data)):
            raise FaultError(
                FaultCode.ARGUMENT,
                expected="light students of one scaling and region that are judged by the same images",
                got=f"{folder.id}, {student.name} {student.args}",
                remedy="leave it out",
            )
    args: dict[str, str | int | float | bool] = {
        "encoders": " ".join(str(student.args["encoder"]) for student in students),
        "channels": " ".join(str(student.args["channels"]) for student in students),
        "mirrored": True,
    }
    student = first.student.model_copy(update={"name": "committee", "args": args})
    data = all_that_any_saw([member.data for member in members])
    weights = {
        f"members.{rank}.{key}": value
        for rank, member in enumerate(members)
        for key, value in member.weights.items()
    }

    def card(index: Index, split: Split) -> TrainingCard:
        cards = [member.card(index, split) for member in members]
        ids = " + ".join(folder.id for folder in folders)
        return cards[0].model_copy(
            update={
                "split": f"A committee of {ids}. Of the first: {cards[0].split}",
                "held_out": split_card(data, split),
                "teachers": tuple(dict.fromkeys(name for card in cards for name in card.teachers)),
                "run_id": ids,
            }
        )

    licence = " ".join(dict.fromkeys(folder.card.licence for folder in folders))
    return replace(first, student=student, data=data, weights=weights, licence=lambda: licence, card=card)


def _training_card(recipe: Recipe, index: Index, split: Split, step: int, run: Path) -> TrainingCard:
    part = recipe.data
    labelled = [record for record in index.records if record.label != UNLABELLED]
    sets = sorted({record.set for record in labelled})
    return TrainingCard(
        recipe=recipe.name,
        changes=changes_of(recipe),
        seed=recipe.seed,
        data=f"{len(labelled)} images of {', '.join(sets)} (index sha256 {index.sha256[:INDEX_DIGITS]})"
        + _more_words(run, part),
        split=(
            f"{_split_words(part)}: {len(split.train)} training and {len(split.validation)} validation "
            f"images; groups always kept for validation: {', '.join(part.validation_groups) or 'none'}. "
            f"Metrics: validation images, mean over images at native mask size, both empty = 1; "
            f"weights of step {step}, moving average."
            + (" The endoscope's picture alone." if recipe.region == "field" else "")
            + (f" The training went on from {recipe.student.start}." if recipe.student.start else "")
        ),
        held_out=split_card(part, split),
        teachers=tuple(teacher.name for teacher in recipe.distil.teachers),
        encoder=_encoder_card(recipe, index.root, run),
        run_id=run.name,
    )


def _more_words(run: Path, part: DataPart) -> str:
    """Of further folders, which were learned from and are not judged by."""
    words = ""
    for belonging in more_belongings_of_run(run):
        which = "labelled and unlabelled" if part.unlabelled_ratio else "labelled"
        words += (
            f"; of a further folder (index sha256 {belonging.sha256[:INDEX_DIGITS]}) the {which} images of "
            "groups that are not held out"
        )
    return words


def split_card(part: DataPart, split: Split) -> SplitCard:
    return SplitCard(
        **part.model_dump(include=set(SplitCard.model_fields)),
        training_images=len(split.train),
        validation_images=len(split.validation),
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


def _encoder_card(recipe: Recipe, data_root: Path, run: Path) -> EncoderCard | None:
    """What the training started from. Raises FaultError when a run that does not say has lost its file."""
    told = read_run(run)
    if START in told:
        return encoder_of_run(told)
    return begin_network(recipe, data_root)[1].encoder


def _licence(recipe: Recipe) -> str:
    """The data's, the encoder's start and the teachers' terms, in one text."""
    sentences = [LICENCE]
    if recipe.student.pretrained:
        sentences.append(
            f"Encoder start: {Path(recipe.student.pretrained).name}, under its publisher's terms."
        )
    for teacher in recipe.distil.teachers:
        card = card_of(teacher)
        sentences.append(f"Teacher {card.hub_id or card.name}: {card.licence}.")
    return " ".join(sentences)
