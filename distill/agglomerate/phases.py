"""The two parts of a training, as recipes of their own: the teachers' epochs, then the tasks'."""

from __future__ import annotations

from collections.abc import Sequence

from distill.recipe import DistilPart, Recipe, Stage
from engine.faults import FaultCode, FaultError


def teachers_epochs(recipe: Recipe) -> int:
    """How many of the epochs belong to the teachers, by `distil.stop`, whether there are any or not."""
    return round(recipe.distil.stop * recipe.epochs)


def phase_recipes(recipe: Recipe) -> tuple[Recipe | None, Recipe]:
    """(what learns from teachers, None without teachers; what learns the tasks).

    Both anneal over their own epochs. A recipe without teachers has the same second part, so that students
    with and without them differ in the teachers alone. Raises FaultError ARGUMENT where `train` alone knows
    what the recipe asks for.
    """
    _refuse(recipe)
    count, stages = teachers_epochs(recipe), recipe.stages
    tasks = recipe.model_copy(
        update={"stages": _between(stages, count, recipe.epochs), "distil": DistilPart()}
    )
    if not recipe.distil.teachers:
        return None, tasks
    # Nothing is segmented meanwhile: no other gradient to take a share of, and views need no masks.
    distil = recipe.distil.model_copy(update={"start": 0.0, "stop": 1.0, "gradient_share": 0.0})
    augment = recipe.augment.model_copy(update={"paste": 0.0, "polyp_free_crop": 0.0})
    data = recipe.data.model_copy(update={"negatives_share": None})
    teachers = recipe.model_copy(
        update={"stages": _between(stages, 0, count), "distil": distil, "augment": augment, "data": data}
    )
    return teachers, tasks


def _between(stages: Sequence[Stage], first: int, end: int) -> tuple[Stage, ...]:
    found, begins = [], 0
    for stage in stages:
        inside = min(end, begins + stage.epochs) - max(first, begins)
        if inside > 0:
            found.append(Stage(epochs=inside, size_px=stage.size_px))
        begins += stage.epochs
    return tuple(found)


def _refuse(recipe: Recipe) -> None:
    part = recipe.distil
    for key, wanted, got, right in (
        ("distil.projector", "student", part.projector, part.projector == "student"),
        ("selection", "last", recipe.selection, recipe.selection == "last"),
        ("distil.online", "false", part.online, not part.online),
        (
            "data.hard_negatives_share",
            "0",
            recipe.data.hard_negatives_share,
            not recipe.data.hard_negatives_share,
        ),
        (
            "distil.stop",
            "a share of the epochs that leaves some to each part",
            part.stop,
            0 < teachers_epochs(recipe) < recipe.epochs,
        ),
    ):
        if not right:
            raise FaultError(
                FaultCode.ARGUMENT,
                expected=f"{key} to be {wanted}",
                got=str(got),
                remedy="correct the recipe",
            )
