"""Splits: whole groups and every set in every fold, or the lists that the sets were published with."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from distill.data.belonging import belonging_of_model
from distill.data.index import UNLABELLED, Index, Record
from distill.recipe import DataPart, load_recipe
from engine.faults import FaultCode, FaultError
from engine.model_card import TrainingCard


@dataclass(frozen=True, slots=True)
class Split:
    """Positions in the list of records."""

    train: tuple[int, ...]
    validation: tuple[int, ...]
    test: tuple[int, ...] = ()


# What recipes of before kept out, which cards of before name and nothing else tells.
OF_BEFORE = {
    **dict.fromkeys(("light_quiet", "distilled", "same_view", "field", "accurate_on"), DataPart()),
    "half": DataPart(left_out_folds=(3, 4)),
}
TRAIN, VALIDATION, TEST = "train", "validation", "test"
SIDES = (TRAIN, VALIDATION, TEST)
REVIEWED = "reviewed"  # the set of what the window adds (engine.review.exports.dataset.SET)


def split_of(records: Sequence[Record], part: DataPart) -> Split:
    """The split that a recipe asks for. An image on a test list is never trained on, an unlabelled one
    is on no side.

    Images of `left_out_folds` and, where `train_sets` names any, of other sets are not trained on; validation
    and test side do not depend on the two.

    "grouped": one fold of all images, whole groups; an image whose group is on a test list is left out, and a
    reviewed recording whose side is validation is there in every fold.
    "listed": the published lists as they are, leaks included (ClinicDB's 550/62 was cut by frame, so its test
    frames have neighbours in training; `audit` names them). Without a validation list one fold of the train
    list is held back, whole groups: what is chosen by looking must not be chosen on the test list.
    Raises FaultError DATA_SET: as `grouped_split`, or "listed" and an image that is on no list; nothing left
    to train on, or an unknown set.
    """
    split = _listed_split(records, part) if part.split == "listed" else _folds_split(records, part)
    return _narrowed(split, records, part)


def shown(records: Sequence[Record], part: DataPart) -> tuple[Record, ...]:
    """What a training, or one of another fold, may look at: by published lists not those kept for testing."""
    return tuple(record for record in records if part.split != "listed" or record.split != TEST)


def _folds_split(records: Sequence[Record], part: DataPart) -> Split:
    test = tuple(i for i in _labelled(records) if records[i].split == TEST)
    tested = {records[i].group for i in test}
    kept = [i for i in _labelled(records) if _is_for_validation(records[i])]
    aside = tested | {records[i].group for i in kept}
    pool = [i for i in _labelled(records) if records[i].group not in aside]
    split = _fold_of(records, pool, part, test)
    others = [part.model_copy(update={"fold": fold}) for fold in part.left_out_folds]
    left_out = {i for other in others for i in _fold_of(records, pool, other, test).validation}
    train = tuple(i for i in split.train if i not in left_out)
    return Split(train, (*split.validation, *kept), test)


def _is_for_validation(record: Record) -> bool:
    """Of recordings that were reviewed: which side one is on follows from its hash, for every training."""
    return record.set == REVIEWED and record.split == VALIDATION


def _labelled(records: Sequence[Record]) -> list[int]:
    """Positions of those that are polyp or polyp-free: what nobody has labelled is on no side."""
    return [i for i, record in enumerate(records) if record.label != UNLABELLED]


def _narrowed(split: Split, records: Sequence[Record], part: DataPart) -> Split:
    """Only `train_sets` on the training side. Raises FaultError DATA_SET as `split_of`."""
    unknown = set(part.train_sets) - {record.set for record in records}
    train = tuple(i for i in split.train if not part.train_sets or records[i].set in part.train_sets)
    if unknown or not train:
        raise FaultError(
            FaultCode.DATA_SET,
            expected="images to train on that data.train_sets and data.left_out_folds leave",
            got=f"no set {', '.join(sorted(unknown))}" if unknown else "none",
            remedy="correct the two; `python -m distill audit` lists the sets",
        )
    return Split(train, split.validation, split.test)


def held_out_by(training: TrainingCard) -> DataPart:
    """What decided a trained model's split; of an imported one, what it is judged by, held out or not.

    Raises FaultError ARGUMENT: an old card of an unknown recipe.
    """
    told = training.held_out
    if training.imported:
        told = training.imported.judged_on
        if told is None:
            return DataPart()
    if told is None:
        return OF_BEFORE.get(training.recipe) or load_recipe(training.recipe).data
    return DataPart.model_validate(told.model_dump(include=set(DataPart.model_fields)))


def judged_alike(part: DataPart, other: DataPart) -> bool:
    """Whether both have the same validation images; what else is left out of training may differ."""
    values = {"split", "folds", "fold", "split_seed", "validation_groups"}
    return part.model_dump(include=values) == other.model_dump(include=values)


def saw_no_more(part: DataPart, other: DataPart) -> bool:
    """Whether all that `other` leaves out of training is left out by `part`, too."""
    sets = not other.train_sets or (bool(part.train_sets) and set(part.train_sets) <= set(other.train_sets))
    return judged_alike(part, other) and sets and set(other.left_out_folds) <= set(part.left_out_folds)


def all_that_any_saw(parts: Sequence[DataPart]) -> DataPart:
    """Of parts that are judged alike: only what all of them leave out is left out."""
    left_out = set(parts[0].left_out_folds).intersection(*(part.left_out_folds for part in parts))
    sets = {name for part in parts for name in part.train_sets} if all(p.train_sets for p in parts) else ()
    return parts[0].model_copy(
        update={"left_out_folds": tuple(sorted(left_out)), "train_sets": tuple(sorted(sets))}
    )


def split_beside(training: TrainingCard, index: Index) -> Split:
    """The split that a model was trained beside, made again.

    Raises FaultError DATA_SET for other data than the card names, or when the split does not come out as it
    counts; ARGUMENT as `held_out_by`.
    """
    belonging_of_model(training.run_id, training).check(index)
    split = split_of(index.records, held_out_by(training))
    told = training.imported.judged_on if training.imported else training.held_out
    counts = len(split.train), len(split.validation)
    if told and counts != (told.training_images, told.validation_images):
        raise FaultError(
            FaultCode.DATA_SET,
            expected=f"{told.training_images} training and {told.validation_images} validation images, as in "
            f"{training.run_id}",
            got=f"{counts[0]} and {counts[1]}",
            remedy="name the data folder that it was trained on with --data",
        )
    return split


def _listed_split(records: Sequence[Record], part: DataPart) -> Split:
    strays = [records[i].image for i in _labelled(records) if records[i].split not in SIDES]
    if strays:
        raise FaultError(
            FaultCode.DATA_SET,
            expected=f"every image on a list ({', '.join(SIDES)}), as data.split = 'listed' needs",
            got=f"{len(strays)} of {len(records)} on none, the first {strays[0]}",
            remedy="prepare the data with its lists (--list), or use data.split = 'grouped'",
        )
    train, validation, test = (
        tuple(i for i in _labelled(records) if records[i].split == side) for side in SIDES
    )
    if validation:
        return Split(train=train, validation=validation, test=test)
    return _fold_of(records, train, part, test)


def _fold_of(records: Sequence[Record], pool: Sequence[int], part: DataPart, test: tuple[int, ...]) -> Split:
    """One fold of the images at `pool`; positions are those of `records`."""
    chosen = [records[i] for i in pool]
    fold = grouped_split(chosen, part.folds, part.fold, part.split_seed, part.validation_groups)
    return Split(
        train=tuple(pool[i] for i in fold.train),
        validation=tuple(pool[i] for i in fold.validation),
        test=test,
    )


def grouped_split(
    records: Sequence[Record], folds: int, fold: int, seed: int, validation_groups: Collection[str] = ()
) -> Split:
    """One fold of StratifiedGroupKFold over `group`, stratified by `set`.

    Groups named in `validation_groups` are validation in every fold. Raises FaultError DATA_SET for fewer
    groups than folds or an unknown group, ARGUMENT for a fold that does not exist.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    if not 0 <= fold < folds:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected=f"a fold of 0..{folds - 1}",
            got=str(fold),
            remedy="correct data.fold",
        )
    unknown = set(validation_groups) - {record.group for record in records}
    if unknown:
        raise FaultError(
            FaultCode.DATA_SET,
            expected="the groups that the recipe keeps for validation",
            got=f"no images of {', '.join(sorted(unknown))}",
            remedy="correct data.validation_groups, or use the data the recipe was written for",
        )
    pinned = [i for i, record in enumerate(records) if record.group in validation_groups]
    free = [i for i, record in enumerate(records) if record.group not in validation_groups]
    groups = [records[i].group for i in free]
    if len(set(groups)) < folds:
        raise FaultError(
            FaultCode.DATA_SET,
            expected=f"at least {folds} groups of images",
            got=f"{len(set(groups))}",
            remedy="use fewer folds or more data",
        )
    splitter = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed)
    train, held = list(splitter.split(free, [records[i].set for i in free], groups))[fold]
    return Split(
        train=tuple(free[i] for i in train),
        validation=tuple(sorted([free[i] for i in held] + pinned)),
    )
