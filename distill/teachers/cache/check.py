"""Whether every entry of a cache is whole, and still what its teacher would say."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from distill.recipe import TeacherPart
from distill.teachers import blueprint_of
from distill.teachers.base import TeacherCard, card_as_json
from distill.teachers.cache.plan import PREPARATION, SCHEMA, TEACHER_JSON, fingerprints
from distill.teachers.cache.shards import Shard, shards_of
from engine.faults import FaultError
from engine.files.json_reader import read_json
from engine.files.whole import json_line, read_json_lines, write_text


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that `verify` found. `image` is None when it is the whole teacher's cache."""

    folder: Path
    image: str | None
    what: str


def verify(folder: Path, repair: bool = False) -> list[Problem]:
    """Read every entry of every teacher: truncated, altered or torn ones, and teachers that are another now.

    With `repair` bad entries leave the index, so that filling again makes them. Stale teachers stay: they may
    be what another recipe needs, and deleting their folder is all it takes.
    """
    problems: list[Problem] = []
    for path in sorted(folder.glob(f"*/{TEACHER_JSON}")):
        try:
            described = read_json(path)
            card, grid = (
                TeacherCard(**described["spec"]["card"]),
                (described["grid"][0], described["grid"][1]),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            problems.append(Problem(path.parent, None, f"{TEACHER_JSON} is not readable: {error}"))
            continue
        problems += [Problem(path.parent, None, what) for what in _stale(path)]
        for index in shards_of(path.parent):
            problems += _verify_shard(index, card, grid, repair)
    unnamed = [
        path for path in sorted(folder.glob("*/shard-*.jsonl")) if not (path.parent / TEACHER_JSON).exists()
    ]
    return problems + [Problem(path.parent, None, f"no {TEACHER_JSON}") for path in unnamed]


def _stale(path: Path) -> list[str]:
    """Why the teacher of that teacher.json would be written elsewhere today."""
    described = read_json(path)
    spec = described["spec"]
    if (spec["schema"], spec["preparation"]) != (SCHEMA, PREPARATION):
        return ["made by another version of this program"]
    try:
        part = TeacherPart.model_validate(described["part"])
        blueprint = blueprint_of(part)
        weights = fingerprints(part, blueprint)
    except (FaultError, ValueError) as fault:
        return [f"its teacher is not there any more: {fault}"]
    stale = ["its weights are others now"] if weights != spec["weights"] else []
    other = card_as_json(blueprint.card) != spec["card"]
    return stale + (["its card is another one now"] if other else [])


def _verify_shard(index: Path, card: TeacherCard, grid: tuple[int, int], repair: bool) -> list[Problem]:
    try:
        shard = Shard(index, card, grid)
    except (ValueError, KeyError, TypeError) as error:
        return [Problem(index.parent, None, f"{index.name} is broken: {error}")]
    good = {image for image, row in shard.rows.items() if shard.crc(row) == shard.crcs[image]}
    problems = [Problem(index.parent, image, "truncated") for image in shard.cut]
    problems += [Problem(index.parent, image, "altered") for image in shard.rows if image not in good]
    if repair and problems:
        write_text(
            index, "".join(json_line(line) for line in read_json_lines(index) if line["image"] in good)
        )
    return problems
