"""Where a teacher's entries are in the cache: by a hash of all that decides their values."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distill.data.index import INDEX_NAME, Record
from distill.recipe import TeacherPart
from distill.teachers import blueprint_of
from distill.teachers.base import Blueprint, TeacherCard, card_as_json
from distill.teachers.weights import WITHOUT
from distill.weights_at_hand import TIMM_TEACHER, located, not_at_hand
from engine.faults import FaultCode, FaultError
from engine.files.whole import sha256_of

TEACHER_JSON = "teacher.json"
SCHEMA = 1
PREPARATION = 1  # grows when pictures are prepared, or maps pooled, in another way


def image_hashes(root: Path, records: Sequence[Record]) -> list[str]:
    """sha256 of every image file. Raises FaultError DATA_SET for one that is not there."""
    try:
        return [sha256_of(root / record.image) for record in records]
    except OSError as error:
        raise FaultError(
            FaultCode.DATA_SET,
            expected="every image of the index",
            got=f"{error.strerror} ({error.filename})",
            remedy="restore the file or make the index again",
        ) from error


@dataclass(frozen=True, slots=True)
class Plan:
    """Where one teacher's entries are, and what they look like."""

    parent: Path
    blueprint: Blueprint
    grid: tuple[int, int]
    spec: dict[str, Any]
    part: TeacherPart

    @property
    def folder(self) -> Path:
        return self.parent / f"{self.stem}{self.grid[0]}x{self.grid[1]}"

    @property
    def stem(self) -> str:
        safe = re.sub(r"[^A-Za-z0-9._]+", "-", self.blueprint.card.name)[:60]
        return f"{safe}-{short_hash(json.dumps(self.spec, sort_keys=True))}-"

    @property
    def shape(self) -> tuple[TeacherCard, tuple[int, int]]:
        return self.blueprint.card, self.grid


def plan_of(folder: Path, part: TeacherPart, root: Path, grid_px: int) -> Plan:
    """Of what the teacher says of the images below `root`. Raises FaultError MODEL_MISSING."""
    part = located(part, root)
    blueprint = blueprint_of(part)
    card = blueprint.card
    height, width = card.grid
    grid = (grid_px, grid_px) if 0 < grid_px < min(height, width) else (height, width)
    spec = {
        "schema": SCHEMA,
        "preparation": PREPARATION,
        "card": card_as_json(card),
        "weights": fingerprints(part, blueprint),
        # Who may look at an image depends on the folder's index where members were trained on parts of it.
        "index": sha256_of(root / INDEX_NAME) if blueprint.chooses else "",
    }
    return Plan(folder, blueprint, grid, spec, part)


def grids_of(plan: Plan) -> list[tuple[int, int]]:
    """Height and width of every grid that was filled."""
    found = (
        path.parent.name.rpartition("-")[2].split("x")
        for path in plan.parent.glob(f"{plan.stem}*/{TEACHER_JSON}")
    )
    return [(int(height), int(width)) for height, width in found]


def fingerprints(part: TeacherPart, blueprint: Blueprint) -> list[str]:
    """Hashes of the files of its weights, or the hub's revision. Raises FaultError MODEL_MISSING."""
    card, path = blueprint.card, Path(part.weights)
    if blueprint.fingerprints:
        return list(blueprint.fingerprints)
    if not part.weights or part.weights.startswith("hf-hub:"):
        return [f"hub {card.hub_id}@{card.revision}"]
    files = sorted(found for found in path.iterdir() if found.is_file()) if path.is_dir() else [path]
    missing = [file for file in files if not file.is_file()]
    if missing or not files:
        if part.name.startswith(TIMM_TEACHER):
            raise not_at_hand(part.name.removeprefix(TIMM_TEACHER), f"no file {path}", WITHOUT)
        raise FaultError(
            FaultCode.MODEL_MISSING,
            expected=f"the weights of the teacher {card.name}",
            got=f"no file {path}",
            remedy="correct the teacher's weights in the recipe",
        )
    return [sha256_of(file) for file in files]


def short_hash(text: str) -> str:
    """16 digits that a name can have."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]
