"""What is to be trained on what."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from distill.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Config:
    """`only` one task makes a specialist, "" means all of the index. `cache` holds the teachers' features."""

    recipe: Recipe
    data_root: Path
    cache: Path
    unlabelled: Path | None = None
    only: str = ""
    accept_licence: bool = False
