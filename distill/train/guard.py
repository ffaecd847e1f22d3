"""Refusals that cost seconds instead of a night: before the first step, and when distillation collapses."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch

from distill.data.dataset import Pictures
from distill.recipe import DistilPart, StudentPart
from distill.teaching.gates import Verdict, demand, plausible_fit, stands_alone, steady_targets, still_targets
from distill.teaching.targets import Teaching, on_device
from distill.train.module import TrainingModule
from distill.train.step import not_finite
from distill.train.validate import BATCH, first_batches
from engine.faults import FaultCode, FaultError
from engine.models import make_student

BATCHES = 2
LEAST_STD = 1e-4  # of a target over a batch: below it the teacher says the same of every place


def refuse_early(
    module: TrainingModule, teaching: Teaching | None, training: Pictures, validation: Pictures, size_px: int
) -> None:
    """Two validation batches before the first step.

    Raises FaultError DATA_SET (nothing to learn from, a teacher that says nothing) or ARGUMENT (losses that
    are not finite, targets that learn).
    """
    if not any(mask.any() for mask in training.masks):
        raise FaultError(
            FaultCode.DATA_SET,
            expected="at least one training image with a polyp in its mask",
            got=f"none in {len(training)} images",
            remedy="check the masks: python -m distill audit",
        )
    device = module.mean.device
    module.eval()
    for batch in first_batches(validation, size_px, BATCH, BATCHES):
        targets = None if teaching is None else on_device(teaching.targets(batch), device)
        soft = None if teaching is None else on_device(teaching.soft_targets(batch), device)
        with torch.no_grad():
            losses = module(batch.image.to(device), batch.mask.to(device), targets, soft)
        for loss in (losses.segmentation, losses.soft, losses.features):
            if loss is not None and not math.isfinite(float(loss)):
                raise not_finite(float(loss))
        _refuse_silent_teachers(losses.watch)
    if teaching is not None and module.distiller is not None:
        _refuse_learning_targets(module, teaching, validation, size_px)


def refuse_bound(module: TrainingModule, part: StudentPart, validation: Pictures, size_px: int) -> None:
    """Gate G4: what is exported is the plain student. Raises FaultError ARGUMENT."""
    if module.distiller is None:
        return
    (batch,) = first_batches(validation, size_px, 1, 1)
    plain = make_student(part.name, part.args)
    verdict = stands_alone(module.student, module.distiller, plain, batch.image.to(module.mean.device))
    demand([verdict], remedy="report this with the recipe")


def _refuse_silent_teachers(watch: Mapping[str, float]) -> None:
    for name, std in watch.items():
        if name.endswith(".target_std") and not std > LEAST_STD:
            raise FaultError(
                FaultCode.DATA_SET,
                expected=f"features of {name.removesuffix('.target_std')} that differ from place to place",
                got=f"a standard deviation of {std:.2g}",
                remedy="check its weights, and its cache: python -m distill cache verify",
            )


def _refuse_learning_targets(
    module: TrainingModule, teaching: Teaching, validation: Pictures, size_px: int
) -> None:
    """Gate G1; the notebook is let through, its collapse is what it is there for."""
    distiller = module.distiller
    assert distiller is not None
    if distiller.part.projector == "teacher_trainable":
        return
    batch = next(first_batches(validation, size_px, 1, 1))
    device = module.mean.device
    with torch.no_grad():
        features = module.student.predict((batch.image.to(device) - module.mean) / module.std).features
    targets = on_device(teaching.targets(batch), device)
    verdict = still_targets(distiller, features, targets)
    if not verdict.passed:
        raise _refused(verdict)


def judge_epoch(watch: Mapping[str, float], validation: Mapping[str, float], part: DistilPart) -> list[str]:
    """Sentences to warn of after an epoch with distillation. Raises FaultError when targets collapse (G2)."""
    if not watch:
        return []
    steady = steady_targets(watch)
    if not steady.passed and part.projector != "teacher_trainable":
        raise _refused(steady)
    verdicts = [steady, *([plausible_fit(validation)] if validation else [])]
    return [verdict.sentence for verdict in verdicts if not verdict.passed]


def _refused(verdict: Verdict) -> FaultError:
    return FaultError(
        FaultCode.ARGUMENT,
        expected=f"{verdict.expected} (gate {verdict.gate})",
        got=verdict.got,
        remedy="use distil.projector = student",
    )
