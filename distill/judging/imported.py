"""Weights that others trained and published, as something that can be exported: a student of ours, filled."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from distill.data.belonging import INDEX_DIGITS, Belonging
from distill.data.index import UNLABELLED, Index
from distill.data.splits import Split
from distill.judging.trained import Trained, split_card
from distill.recipe import DataPart, StudentPart
from engine.faults import FaultCode, FaultError
from engine.files.whole import sha256_of
from engine.model_card import ImportCard, TrainingCard
from engine.models import make_student
from engine.models.encoder import timm_key
from engine.models.published_keys import COUNTERS, PUBLISHED, Args, Published, Tensors
from engine.models.tensor_file import read_tensors

log = logging.getLogger("distill")

SIZE_PX = 352  # PraNet, EMCAD and Polyp-DiFoM train and test at it, and scale as ImageNet's encoders do
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
COUNT = "num_batches_tracked"  # of BatchNorm: nothing depends on it, and old files have none
PARALLEL = "module."  # what DataParallel puts before every key
SHOWN = 8  # names in a sentence
NOBODY_KNOWS = (
    "Published weights, imported: which images they were trained on is not known here, so no image counts as "
    "held out."
)
LICENCE = "Weights trained and published by others; the terms of their authors hold."


@dataclass(frozen=True, slots=True)
class Fitted:
    """A published file in a student of ours.

    `weights` by our keys, in the student's own types. Of the file's other tensors `idle` ones have no part in
    a mask, `unknown` ones may have.
    """

    student: str
    args: Args
    weights: dict[str, Tensor]
    idle: tuple[str, ...]
    unknown: tuple[str, ...]


def imported(path: Path) -> Trained:
    """What a published checkpoint holds, rounded to fp16 as every training's result; nothing is unpickled.

    Logs the tensors of the file that no student has a place for. Raises FaultError MODEL_MISSING, MODEL_LOAD
    (a file that holds more than tensors, of an unknown network, or of a network that is built otherwise).
    """
    fitted = fit(read_tensors(path), path.name)
    _tell(fitted, path.name)
    rounded = {k: v.half() if v.is_floating_point() else v for k, v in fitted.weights.items()}
    told = ImportCard(file=path.name, sha256=sha256_of(path), left_over=(*fitted.idle, *fitted.unknown))
    student = StudentPart(name=fitted.student, args=fitted.args, mean=IMAGENET_MEAN, std=IMAGENET_STD)
    return Trained(
        student,
        DataPart(),
        seed=0,
        size_px=SIZE_PX,
        trained_px=SIZE_PX,
        region="frame",
        weights=rounded,
        belonging=Belonging(path.name, "", was="was judged by"),
        licence=lambda: LICENCE,
        card=lambda index, split: _judged(told, index, split),
        unjudged=_card(
            told, "Not known here.", f"{NOBODY_KNOWS} The presets are the usual ones: nothing was measured."
        ),
    )


def fit(tensors: Tensors, name: str) -> Fitted:
    """Match by name and shape. Raises FaultError MODEL_LOAD: unless every tensor of a student is there."""
    if all(key.startswith(PARALLEL) for key in tensors):
        tensors = {key.removeprefix(PARALLEL): value for key, value in tensors.items()}
    published = next((row for row in PUBLISHED if row.sign in tensors), None)
    if published is None:
        known = ", ".join(row.student for row in PUBLISHED)
        raise FaultError(
            FaultCode.MODEL_LOAD,
            expected=f"a checkpoint of {known} with the keys that their authors publish",
            got=f"{name} with {_named(sorted(tensors)) or 'no tensors'}",
            remedy="choose another file",
            said=f"{name} holds none of the networks that can be imported ({known}, as their authors publish "
            f"them); its tensors are {_named(sorted(tensors)) or 'none'}.",
        )
    nearest = None
    for args in published.arguments(tensors):
        attempt = _tried(published, tensors, args)
        if nearest is None or len(attempt.lacking) < len(nearest.lacking):
            nearest = attempt
        if not attempt.lacking:
            break
    assert nearest is not None
    return _whole(nearest, published, tensors, name)


@dataclass(frozen=True, slots=True)
class _Attempt:
    args: Args
    ours: dict[str, str]  # our key of theirs
    lacking: tuple[str, ...]  # our keys that nothing fits
    shapes: dict[str, Tensor]  # ours, on no device


def _tried(published: Published, tensors: Tensors, args: Args) -> _Attempt:
    with torch.device("meta"):  # compared, not computed
        own = make_student(published.student, args).state_dict()
    by_timm = {_timm(key): key for key in own}
    named = {key: by_timm.get(published.own_key(key, args) or "") for key in tensors}
    ours = {
        theirs: mine
        for theirs, mine in named.items()
        if mine is not None and own[mine].shape == tensors[theirs].shape
    }
    found = set(ours.values())
    lacking = tuple(key for key in own if key not in found and not key.endswith(COUNT))
    return _Attempt(args, ours, lacking, own)


def _timm(key: str) -> str:
    head, dot, rest = key.partition(".")
    return f"{head}.{timm_key(rest)}" if head == "encoder" and dot else key


def _whole(attempt: _Attempt, published: Published, tensors: Tensors, name: str) -> Fitted:
    """Raises FaultError MODEL_LOAD: tensors that are missing, or more in a layer than ours has."""
    left = [key for key in tensors if key not in attempt.ours and not re.search(COUNTERS, key)]
    layers = {key.rpartition(".")[0] for key in attempt.ours}
    # A bias beside a weight that was taken: the layer computes something else than ours.
    more = [key for key in left if key.rpartition(".")[0] in layers]
    if attempt.lacking or more:
        raise FaultError(
            FaultCode.MODEL_LOAD,
            expected=f"{name} to have every tensor of {published.student} {attempt.args} in its shape",
            got=f"no {_named(attempt.lacking) or 'lack'}; left over {_named(left) or 'nothing'}",
            remedy="choose the authors' file of that network",
            said=f"{name} is a {published.student} that is built otherwise than the one here: "
            f"{_named(attempt.lacking) or 'nothing'} of ours has no tensor in it, and "
            f"{_named(more or left) or 'nothing'} of it has no place in ours.",
        )
    weights = {mine: tensors[theirs].to(attempt.shapes[mine].dtype) for theirs, mine in attempt.ours.items()}
    for key, shape in attempt.shapes.items():
        if key not in weights:
            weights[key] = torch.zeros_like(shape, device="cpu")
    for theirs, order in published.reordered(attempt.ours, tensors):
        mine = attempt.ours[theirs]
        weights[mine] = weights[mine][:, order].contiguous()
    return Fitted(
        published.student,
        attempt.args,
        {key: weights[key] for key in attempt.shapes},
        tuple(key for key in left if re.search(published.unused, key)),
        tuple(key for key in left if not re.search(published.unused, key)),
    )


def _tell(fitted: Fitted, name: str) -> None:
    log.info("%s is %s %s", name, fitted.student, fitted.args)
    if fitted.idle:
        log.info("left over, as no mask depends on it: %s", ", ".join(fitted.idle))
    if fitted.unknown:
        log.warning(
            "left over, and not known here: %s. If the published network needs them, this one's masks are "
            "others: compare its figures with the published ones.",
            ", ".join(fitted.unknown),
        )


def _judged(told: ImportCard, index: Index, split: Split) -> TrainingCard:
    sets = sorted({record.set for record in index.records if record.label != UNLABELLED})
    return _card(
        told.model_copy(update={"judged_on": split_card(DataPart(), split)}),
        f"Not known here; judged by images of {', '.join(sets)} (index sha256 {index.sha256[:INDEX_DIGITS]})",
        f"{NOBODY_KNOWS} Temperature, presets and metrics are of the {len(split.validation)} images that a "
        "training here would keep for validation: the network may have been trained on some of them.",
    )


def _card(told: ImportCard, data: str, split: str) -> TrainingCard:
    return TrainingCard(recipe="imported", seed=0, data=data, split=split, imported=told, run_id=told.file)


def _named(keys: Sequence[str]) -> str:
    more = f" and {len(keys) - SHOWN} more" if len(keys) > SHOWN else ""
    return ", ".join(keys[:SHOWN]) + more
