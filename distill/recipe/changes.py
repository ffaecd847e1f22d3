"""What a run changed of the recipe that it names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from distill.recipe import RECIPES, Recipe, load_recipe


def changes_of(recipe: Recipe) -> tuple[str, ...]:
    """What it has otherwise than the recipe of its name in `distill/recipes/`, as --set says it: KEY=VALUE.

    Seed, threads and precision aside: they differ from run to run and from machine to machine. None for a
    recipe of another name, which tells of itself.
    """
    if not (RECIPES / f"{recipe.name}.toml").is_file():
        return ()
    aside = {"seed", "threads", "precision"}
    ours, named = (one.model_dump(mode="json", exclude=aside) for one in (recipe, load_recipe(recipe.name)))
    return tuple(_differences(ours, named, ""))


def _differences(ours: Any, named: Any, key: str) -> Iterator[str]:
    """As deep as the two have the same shape; values as JSON."""
    if isinstance(ours, list) and isinstance(named, list) and len(ours) == len(named):
        ours, named = dict(enumerate(ours)), dict(enumerate(named))
    if isinstance(ours, dict) and isinstance(named, dict) and ours.keys() == named.keys():
        for name, value in ours.items():
            yield from _differences(value, named[name], f"{key}.{name}".removeprefix("."))
    elif ours != named:
        yield f"{key}={json.dumps(ours)}"
