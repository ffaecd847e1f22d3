"""The recipe's JSON schema: what a form needs to be made of it, and a test to hold every key to."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Any

from distill.recipe.whole import Recipe
from engine.table import Entry

Schema = dict[str, Any]


def recipe_schema() -> Schema:
    """JSON Schema 2020-12 of a recipe, parts under `$defs`.

    A key has `title`, `default` (unless it is required), its limits as JSON Schema has them (`enum`,
    `minimum`, `exclusiveMaximum`, `multipleOf`, `minItems` ...) and three of ours: `why`, `unit` where its
    numbers have one, `basic` on the few that a form shows at once. Where names of a table can be chosen, they
    are its `choices`, with what each is.
    """
    schema = Recipe.model_json_schema()
    for _, key in keys_of(schema):
        if "table" in key:
            key["choices"] = {name: entry.summary for name, entry in _table(key.pop("table")).items()}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def keys_of(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Every key of every part with its schema: ("OptimiserPart.rate", {...})."""
    for part, content in [("Recipe", schema), *schema["$defs"].items()]:
        for name, key in content["properties"].items():
            yield f"{part}.{name}", key


def _table(named: str) -> Mapping[str, Entry]:
    module, _, attribute = named.partition(":")
    table: Mapping[str, Entry] = getattr(importlib.import_module(module), attribute)
    return table
