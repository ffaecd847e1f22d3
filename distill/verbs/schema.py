"""`schema`: every key of a recipe as a JSON schema."""

from __future__ import annotations

import argparse
import json

from distill.exit_codes import OK


def arguments(parser: argparse.ArgumentParser) -> None:
    """It takes none."""


def run(options: argparse.Namespace) -> int:
    from distill.recipe.schema import recipe_schema

    print(json.dumps(recipe_schema(), indent=2, ensure_ascii=False))
    return OK
