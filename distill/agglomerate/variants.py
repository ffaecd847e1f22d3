"""The lines of the comparison, and the trainings they need. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from distill.agglomerate.config import Config
from distill.recipe import Recipe
from engine.faults import FaultCode, FaultError

BALANCES = ("fixed", "mlp", "attention")
PLAIN, SIMPLE, SPECIALISTS, AGGLOMERATED = "plain", "simple", "specialists", "agglomerated"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The recipe of `config` names all teachers; the first is that of simple distillation.

    `folder` holds the runs and the table.
    """

    config: Config
    folder: Path
    seeds: Sequence[int] = (0, 1, 2)


@dataclass(frozen=True, slots=True)
class Variant:
    """A line of the table; `apart`: a student for each task."""

    name: str
    title: str
    recipe: Recipe
    apart: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """One training of a line; `name` is its folder."""

    name: str
    variant: str
    seed: int
    config: Config


def variants_of(recipe: Recipe) -> tuple[Variant, ...]:
    """Raises FaultError ARGUMENT for a recipe with fewer than two teachers."""
    teachers = recipe.distil.teachers
    if len(teachers) < 2:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected="a recipe with two teachers or more, to be agglomerated",
            got=f"{len(teachers)}",
            remedy="add [[distil.teachers]] to the recipe",
        )

    def changed(**values: object) -> Recipe:
        return recipe.model_copy(update={"distil": recipe.distil.model_copy(update=values)})

    learned = "" if recipe.distil.guarded else ", without guards"
    return (
        Variant(PLAIN, "no distillation", changed(teachers=())),
        Variant(
            SIMPLE,
            f"simple distillation ({teachers[0].name})",
            changed(teachers=teachers[:1], balance="fixed"),
        ),
        Variant(SPECIALISTS, "a specialist a task", changed(teachers=()), apart=True),
        *(
            Variant(
                f"{AGGLOMERATED}-{balance}",
                f"agglomerated, {balance}{'' if balance == 'fixed' else learned}",
                changed(balance=balance),
            )
            for balance in BALANCES
        ),
    )


def runs_of(comparison: Comparison, tasks: Sequence[str]) -> tuple[Run, ...]:
    """All trainings, seed after seed, so that a table of one seed is there first."""
    return tuple(_runs(comparison, tasks))


def _runs(comparison: Comparison, tasks: Sequence[str]) -> Iterator[Run]:
    for seed in comparison.seeds:
        for variant in variants_of(comparison.config.recipe):
            recipe = variant.recipe.model_copy(update={"seed": seed})
            for only in tasks if variant.apart else ("",):
                name = "-".join(filter(None, (variant.name, only, f"s{seed}")))
                yield Run(name, variant.name, seed, replace(comparison.config, recipe=recipe, only=only))
