"""The teachers of a training: cached features, or teachers that run in the step, and their statistics."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor

from distill.data.dataset import Pictures, plain_batch
from distill.data.decoded import Datasets
from distill.recipe import DistilPart, Recipe, TeacherPart
from distill.teachers import make_teacher
from distill.teachers.base import Teacher, TeacherOutput
from distill.teachers.cache.features import open_cache
from distill.teachers.task import TaskTeacher
from distill.teaching.distiller import Distiller
from distill.teaching.standardise import Standardiser
from distill.teaching.targets import Source, Teaching, Viewer, teacher_names
from distill.weights_at_hand import located
from engine.models.base import Student

STATISTICS_IMAGES = 256  # of a teacher that runs in the step: enough places for a covariance


class Online:
    """A teacher over the un-augmented frames of a list of pictures, asked in each step."""

    def __init__(self, teacher: Teacher, pictures: Pictures, accelerator: Accelerator) -> None:
        self._teacher = teacher
        self._pictures = pictures
        self._accelerator = accelerator
        self.channels = teacher.card.channels
        self.grid = teacher.card.grid
        self._last: tuple[tuple[int, ...], TeacherOutput] | None = None

    def features(self, positions: Sequence[int]) -> Tensor:
        return self._output(positions).features

    def masks(self, positions: Sequence[int]) -> Tensor | None:
        return self._output(positions).masks

    def disagreement(self, positions: Sequence[int]) -> Tensor | None:
        return self._output(positions).disagreement

    def statistics(self) -> tuple[Tensor, Tensor]:
        """Mean [C] and covariance [C, C] over some images; every process looks at its share of them."""
        count, processes = len(self._pictures), self._accelerator.num_processes
        wanted = min(count // processes, STATISTICS_IMAGES // processes) * processes
        own = range(self._accelerator.process_index, wanted, processes)
        rows = [self.features([rank * count // wanted]).double().flatten(2)[0].T for rank in own]
        places = torch.cat(rows)
        return together(places.mean(0), torch.cov(places.T, correction=0), self._accelerator)

    def _output(self, positions: Sequence[int]) -> TeacherOutput:
        """On the CPU; the teacher looks once at what is asked for in turn: its map, its masks."""
        asked, last = tuple(positions), self._last
        if last is None or last[0] != asked:
            found: TeacherOutput = self._teacher(self._frames(positions))
            on_cpu = (None if each is None else each.cpu() for each in found)
            last = self._last = (asked, TeacherOutput(*on_cpu))  # type: ignore[arg-type]
        return last[1]

    def _frames(self, positions: Sequence[int]) -> Tensor:
        device = next(self._teacher.parameters()).device
        return plain_batch(self._pictures, positions, self._teacher.card.size_px).image.to(device)


def make_distiller(part: DistilPart, student: Student, teaching: Teaching) -> Distiller | None:
    """None where teachers give soft masks alone.

    Raises FaultError ARGUMENT or DATA_SET as the Distiller and its standardisers do.
    """
    sources = teaching.feature_sources
    if not sources:
        return None
    standardisers = {}
    if part.standardise != "none":
        for name, source in sources.items():
            standardisers[name] = Standardiser(*source.statistics(), part.pca_channels)
    channels = {name: source.channels for name, source in sources.items()}
    return Distiller(part, channels, student.strides, student.channels, standardisers)


def together(mean: Tensor, covariance: Tensor, accelerator: Accelerator) -> tuple[Tensor, Tensor]:
    """Statistics of all processes as one; each has as many places as the others.

    The total covariance is the mean of theirs plus the covariance of their means.
    """
    if accelerator.num_processes == 1:
        return mean, covariance
    mean, covariance = mean.double().to(accelerator.device), covariance.double().to(accelerator.device)
    whole = accelerator.reduce(mean.clone(), "mean")
    away = mean - whole
    return whole.cpu(), accelerator.reduce(covariance + torch.outer(away, away), "mean").cpu()


def make_teachings(
    recipe: Recipe, data_root: Path, datasets: Datasets, cache: Path, accelerator: Accelerator
) -> tuple[Teaching, Teaching, Teaching | None]:
    """For the training side, the validation side, and the unlabelled images where there are some.

    From the cache, which must be filled; or online. Raises FaultError DATA_SET (an entry is missing) and what
    teachers raise.
    """
    parts = recipe.distil.teachers
    names = teacher_names(parts)
    lists: list[Pictures] = [datasets.train, datasets.validation]
    lists += [datasets.unlabelled] if datasets.unlabelled is not None else []
    found: list[dict[str, Source]] = [{} for _ in lists]
    viewers: dict[str, Viewer] = {}
    for name, part in zip(names, parts, strict=True):
        if part.sees_view:
            viewers[name] = _viewer(part, accelerator)
            continue
        teacher = (
            make_teacher(located(part, data_root)).to(accelerator.device) if recipe.distil.online else None
        )
        for side, pictures in zip(found, lists, strict=True):
            if teacher is not None:
                side[name] = Online(teacher, pictures, accelerator)
            else:
                side[name] = open_cache(cache, part, data_root, pictures.records)
    training, validation, *unlabelled = (
        Teaching(sources, recipe.distil, viewers, labelled=pictures is not datasets.unlabelled)
        for sources, pictures in zip(found, lists, strict=True)
    )
    return training, validation, unlabelled[0] if unlabelled else None


def _viewer(part: TeacherPart, accelerator: Accelerator) -> Viewer:
    teacher = make_teacher(part).to(accelerator.device)
    assert isinstance(teacher, TaskTeacher)  # TeacherPart sees to it
    return teacher
