"""A recipe from a file: read, changed by `--set`, checked, and what is wrong with it in words."""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from distill.recipe.whole import Recipe
from engine.faults import FaultCode, FaultError

RECIPES = Path(__file__).parent.parent / "recipes"


def load_recipe(name_or_path: str, changes: Sequence[str] = ()) -> Recipe:
    """A recipe of `distill/recipes/` by name, or any TOML by path, with `key=value` changes.

    Raises FaultError ARGUMENT.
    """
    path = Path(name_or_path) if name_or_path.endswith(".toml") else RECIPES / f"{name_or_path}.toml"
    if not path.is_file():
        names = ", ".join(sorted(found.stem for found in RECIPES.glob("*.toml")))
        raise FaultError(
            FaultCode.ARGUMENT,
            expected=f"a recipe ({names}) or a TOML file",
            got=name_or_path,
            remedy="correct it",
        )
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise FaultError(
            FaultCode.ARGUMENT, expected=f"{path.name} to be TOML", got=str(error), remedy="correct that line"
        ) from error
    for change in changes:
        _apply(values, change)
    return parse_recipe(values)


def parse_recipe(values: dict[str, Any]) -> Recipe:
    """A recipe from plain values. Raises FaultError ARGUMENT: wrong keys, what was expected, what came."""
    try:
        # By way of JSON: only there a list is a tuple and yet "4" is no number.
        return Recipe.model_validate_json(json.dumps(values, default=str), strict=True)
    except ValidationError as error:
        wrong = error.errors()
        raise FaultError(
            FaultCode.ARGUMENT,
            expected="; ".join(_expected(one) for one in wrong),
            got="; ".join(_got(one) for one in wrong),
            remedy="correct the recipe",
            said=f"{'; '.join(f'{_expected(one)}, not {_got(one)}' for one in wrong)}. Correct the recipe.",
        ) from error


def _expected(error: ErrorDetails) -> str:
    key = ".".join(map(str, error["loc"])) or "the recipe"
    if error["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(error["loc"][-1]), _keys_beside(error["loc"]), n=1)
        return f"{key}: no key of this name" + (f" (perhaps {near[0]})" if near else "")
    return f"{key}: {error['msg'].removeprefix('Value error, ').replace('Input should be ', '')}"


def _got(error: ErrorDetails) -> str:
    if error["type"] == "missing":
        return "nothing"
    text = json.dumps(error["input"], default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _keys_beside(loc: tuple[int | str, ...]) -> list[str]:
    """The keys that the recipe knows where this one was given."""
    part: Any = Recipe
    for step in loc[:-1]:
        if isinstance(step, int):
            continue
        found = part.model_fields.get(step)
        part = found.annotation if found else Recipe
        while getattr(part, "__args__", None):  # tuple[Stage, ...] -> Stage
            part = part.__args__[0]
    return list(getattr(part, "model_fields", {}))


def _apply(values: dict[str, Any], change: str) -> None:
    """One `--set`: "optimiser.rate=0.001", "stages.0.epochs=2", "distil.teachers=[]", "distil.loss=mse"."""
    key, sign, text = change.partition("=")
    if not sign or not key:
        raise FaultError(
            FaultCode.ARGUMENT, expected="KEY=VALUE", got=change, remedy="write it as optimiser.rate=0.001"
        )
    try:
        value: Any = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text  # a word needs no quotation marks
    place: Any = values
    *path, last = [int(step) if step.isdigit() else step for step in key.strip().split(".")]
    try:
        for step in path:
            place = place[step] if isinstance(step, int) else place.setdefault(step, {})
        place[last] = value
    except (IndexError, KeyError, TypeError, AttributeError) as error:
        raise FaultError(
            FaultCode.ARGUMENT, expected="a key of the recipe", got=key, remedy="correct it"
        ) from error
