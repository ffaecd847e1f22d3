"""Recipes: what a training does, as a TOML in `distill/recipes/`.

A key is declared in `data.py`, `distil.py` or `whole.py` with `key(...)`: title, why, unit, limits, default.
"""

from __future__ import annotations

from distill.recipe.data import AugmentPart, DataPart
from distill.recipe.distil import DistilPart, TeacherPart
from distill.recipe.key import STEP_PX, Part
from distill.recipe.reading import RECIPES, load_recipe, parse_recipe
from distill.recipe.whole import IMAGENET, OptimiserPart, Recipe, Stage, StudentPart, scaled_px

__all__ = [
    "IMAGENET",
    "RECIPES",
    "STEP_PX",
    "AugmentPart",
    "DataPart",
    "DistilPart",
    "OptimiserPart",
    "Part",
    "Recipe",
    "Stage",
    "StudentPart",
    "TeacherPart",
    "load_recipe",
    "parse_recipe",
    "scaled_px",
]
