"""The first part: the student's maps are held against all teachers', on labelled and unlabelled images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from accelerate import Accelerator

from distill.agglomerate.config import Config
from distill.agglomerate.tasks import Task, pool_of
from distill.data.dataset import Donors, epoch_items, training_batch, views_an_image
from distill.data.index import Record
from distill.data.unlabelled import Unlabelled
from distill.recipe import Recipe
from distill.teachers.cache.features import fill_shard, open_cache
from distill.teaching.gates import demand, steady_targets
from distill.teaching.targets import Teaching, on_device, teacher_names
from distill.train.logger import RunLogger
from distill.train.loop import EpochEnd, Training
from distill.train.module import TrainingModule
from distill.train.phases import Phase
from distill.train.schedule import place_of
from distill.train.step import MicroBatch, make_trainer
from distill.train.teachers import make_distiller
from distill.train.validate import teachers_watch
from engine.jobs.events import RunFolder
from engine.models.base import Student

TEACHERS = "teachers"
PHASE = Phase(TEACHERS, segmentation=0.0, distil=1.0, frozen=False)


@dataclass(frozen=True, slots=True)
class TeacherPhase:
    """`held` are images that nothing is learned from, with what the teachers say of them."""

    training: Training
    held: Unlabelled
    held_teaching: Teaching

    def explained(self) -> dict[str, float]:
        """The distiller's `watch` of the averaged student on the held images."""
        trainer = self.training.trainer
        module = TrainingModule(trainer.average, trainer.module.distiller, trainer.recipe)
        module = module.to(trainer.accelerator.device)
        return teachers_watch(module, self.held_teaching, self.held, trainer.recipe.export_size_px)


def fill_caches(config: Config, tasks: Sequence[Task], run: RunFolder) -> bool:
    """Let every teacher see the pool and the held images; False when the run was cancelled before the end."""
    records = (*pool_of(config.data_root, tasks, config.unlabelled), *_held(tasks))
    part = config.recipe.distil
    for rank, teacher in enumerate(part.teachers):
        run.event("stage", name=f"cache {teacher.name}", i=rank, of=len(part.teachers))
        root = config.data_root
        if not fill_shard(config.cache, teacher, root, records, run, config.accept_licence, part.grid_px):
            return False
    return True


def teacher_phase(
    config: Config,
    recipe: Recipe,
    tasks: Sequence[Task],
    student: Student,
    accelerator: Accelerator,
    run: RunFolder,
) -> TeacherPhase:
    """The part, its features from the cache. Raises FaultError as teachers, cache and distiller do."""
    root = config.data_root
    records = pool_of(root, tasks, config.unlabelled)
    pool, held = Unlabelled(root, records), Unlabelled(root, _held(tasks))
    labelled = len({record.image for task in tasks for record in task.train})
    run.event("data", part=TEACHERS, labelled=labelled, unlabelled=len(records) - labelled)
    teaching, held_teaching = (_teaching(config, pictures) for pictures in (pool, held))
    distiller = make_distiller(recipe.distil, student, teaching)
    trainer = make_trainer(TrainingModule(student, distiller, recipe), recipe, accelerator)
    donors, items = Donors(pool), len(pool) * views_an_image(recipe)
    device = accelerator.device

    def micro_batches(step: int) -> list[MicroBatch]:
        place = place_of(step, items, recipe)
        shown = epoch_items(pool, recipe, place.epoch)[place.batch * recipe.batch :][: recipe.batch]
        made = []
        for part in range(recipe.accumulate):
            chosen = shown[part :: recipe.accumulate].tolist()
            batch = training_batch(pool, chosen, place.size_px, recipe, place.epoch, donors)
            targets = on_device(teaching.targets(batch), device)
            made.append(MicroBatch(batch.image.to(device), batch.mask.to(device), targets))
        return made

    def epoch_ended(end: EpochEnd, logger: RunLogger) -> None:
        found, epoch = end.found, end.place.epoch
        demand([steady_targets(found.watch)])
        losses = {name: value for name, value in found.parts.items() if name != "segmentation"}
        run.event("epoch", epoch=epoch, losses=losses, teachers=found.watch, **logger.part)

    training = Training(
        trainer, run.path / TEACHERS, items, micro_batches, lambda step: PHASE, epoch_ended, TEACHERS
    )
    return TeacherPhase(training, held, held_teaching)


def _held(tasks: Sequence[Task]) -> tuple[Record, ...]:
    found = {record.image: record for task in tasks for record in task.validation or task.test}
    return tuple(found.values())


def _teaching(config: Config, pictures: Unlabelled) -> Teaching:
    part = config.recipe.distil
    sources = {
        name: open_cache(config.cache, teacher, config.data_root, pictures.records, part.grid_px)
        for name, teacher in zip(teacher_names(part.teachers), part.teachers, strict=True)
    }
    return Teaching(sources, part)
