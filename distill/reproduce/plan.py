"""Which runs a table of the paper needs. Pure: nothing is read but the published figures and the recipes."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distill.recipe import Recipe, TeacherPart, load_recipe
from engine.faults import FaultCode, FaultError

PUBLISHED = Path(__file__).with_name("published.toml")
TABLES = ("table1", "table2", "table3", "table4")
PLAIN, CONTROL, TAUGHT = "plain", "control", "taught"  # the arms


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `published`: figures of the paper in per cent by (set, figure); may be empty.

    `runs` are names, one a seed; none of a method that is only published. What they are held against:
    `control`, the same latents and phases without teachers (of the control itself, and of a preset whose
    control is the plain student: the plain one), and `plain`, the student as its authors train it. Its own
    runs, where it has no such. `size`: parameters in million and 10^9 operations, as published.
    """

    title: str
    published: dict[tuple[str, str], float]
    runs: tuple[str, ...]
    control: tuple[str, ...]
    plain: tuple[str, ...] = ()
    size: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One training: `python -m distill train --recipe PRESET --set CHANGE ...` is all of it."""

    preset: str
    changes: tuple[str, ...]
    recipe: Recipe


@dataclass(frozen=True, slots=True)
class Plan:
    """`runs`: what has to be trained, by name; rows of several tables share runs.

    `misprints`: sentences on what is wrong in the published table.
    """

    table: str
    title: str
    sets: tuple[str, ...]
    figures: tuple[str, ...]
    rows: tuple[Row, ...]
    runs: dict[str, Run]
    misprints: tuple[str, ...] = ()


def published_figures() -> dict[str, Any]:
    """All of published.toml."""
    return tomllib.loads(PUBLISHED.read_text(encoding="utf-8"))


def plan_table(
    table: str,
    preset: str,
    seeds: Sequence[int],
    students: Sequence[str] = (),
    changes: Sequence[str] = (),
    teachers: Sequence[str] = (),
) -> Plan:
    """The plan of one of TABLES with the recipe `preset`, changed by `changes` (KEY=VALUE).

    `students` limits it to some, ours or the paper's; `teachers` take the place of the paper's, in one row a
    student that has nothing published beside it. Three arms each: plain (no latents, never frozen), control
    (latents and phases of the taught one, no teachers), taught. The paper trained the last alone: its plain
    rows are values of the literature. Raises FaultError ARGUMENT.
    """
    published = published_figures()
    if table not in TABLES:
        raise _unknown("a table", TABLES, table)
    known = published["students"]
    for student in students:
        if student not in known:
            raise _unknown("a student of the tables", known, student)
    base = load_recipe(preset, changes)
    entry = published[table]
    columns = [(name, figure) for name in entry["sets"] for figure in entry["figures"]]
    wanted = [row for row in entry["rows"] if not students or row["student"] in students]
    if teachers:
        chosen = students or dict.fromkeys(row["student"] for row in wanted)
        wanted = [row for row in wanted if not row.get("teachers")]
        wanted += [{"student": one, "teachers": list(teachers), "published": []} for one in chosen]
    runs: dict[str, Run] = {}

    def trained(row: dict[str, Any], arm: str) -> tuple[str, ...]:
        found = [(*changes, *_changes(base, known[row["student"]], row, arm, seed)) for seed in seeds]
        recipes = [load_recipe(preset, one) for one in found]
        for one, recipe in zip(found, recipes, strict=True):
            runs[recipe.name] = Run(preset, one, recipe)
        return tuple(recipe.name for recipe in recipes)

    rows: list[Row] = []
    literature = {row["student"]: row["published"] for row in wanted if not row.get("teachers")}
    for student in dict.fromkeys(row["student"] for row in wanted):
        title, sizes = known[student]["title"], _sizes(entry, known[student])
        plain = trained({"student": student}, PLAIN)
        figures = _figures(columns, literature.get(student, []))
        rows.append(Row(f"{title}, plain", figures, plain, plain, plain, sizes.get("plain")))
        control = plain
        if _has_control(base):
            control = trained({"student": student}, CONTROL)
            rows.append(Row(f"{title}, control", {}, control, control, plain))
        for row in wanted:
            if row["student"] == student and row.get("teachers"):
                figures, taught = _figures(columns, row["published"]), trained(row, TAUGHT)
                size = sizes.get("taught") if figures else None
                rows.append(Row(_title(title, row), figures, taught, control, plain, size))
    for other in entry.get("others", []):
        size = tuple(other["size_m_gflops"]) if "size_m_gflops" in other else None
        rows.append(Row(other["title"], _figures(columns, other["published"]), (), (), (), size))
    return Plan(
        table,
        entry["title"],
        tuple(entry["sets"]),
        tuple(entry["figures"]),
        tuple(rows),
        runs,
        tuple(entry.get("misprints", ())),
    )


def _has_control(base: Recipe) -> bool:
    """Whether something of the distilled student but its teachers is not the plain one's."""
    return "latent_feed" in base.student.args or base.distil.freeze_encoder < 1


def _sizes(entry: dict[str, Any], student: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """Where the table prints them."""
    sizes = student.get("sizes_m_gflops", {}) if entry.get("prints_sizes") else {}
    return {arm: (m, g) for arm, (m, g) in sizes.items()}


def _changes(
    base: Recipe, student: dict[str, Any], row: dict[str, Any], arm: str, seed: int
) -> tuple[str, ...]:
    """What makes the preset this row's recipe, as values of --set. The data's own lists are the split."""
    teachers = row.get("teachers", [])
    loss, split = row.get("loss", base.distil.loss), row.get("split", base.distil.split)
    args = dict(student["args"])
    if arm != PLAIN and "latent_feed" in base.student.args:
        args["latent_feed"] = base.student.args["latent_feed"]
    parts = [base.name, student["name"], *(teachers or [arm])]
    parts += [loss, split] if teachers else []
    named = {part.name: part for part in base.distil.teachers}
    parts_of_teachers = (named.get(name, TeacherPart(name=name)) for name in teachers)
    return (
        f"name={_quoted(_folder('_'.join([*parts, f's{seed}'])))}",
        f"seed={seed}",
        f"student.name={_quoted(student['name'])}",
        f"student.args={inline(args)}",
        f"student.pretrained={_quoted(student['pretrained'])}",
        "data.split=listed",
        f"distil.teachers=[{', '.join(inline(_told(part)) for part in parts_of_teachers)}]",
        f"distil.loss={_quoted(loss)}",
        f"distil.split={_quoted(split)}",
        *(["distil.freeze_encoder=1.0"] if arm == PLAIN else []),
        *(f"student.{key}={_quoted(student[key])}" for key in ("mean", "std") if key in student),
    )


def _folder(name: str) -> str:
    """A run lies in a folder of its name, and teachers may be called "timm:ENCODER"."""
    return re.sub(r"[^\w.-]+", "-", name)


def _told(part: TeacherPart) -> dict[str, Any]:
    """What the preset says of a teacher, its file and its size for instance."""
    return part.model_dump(mode="json", exclude_defaults=True)


def inline(values: dict[str, Any]) -> str:
    """A TOML inline table."""
    return "{" + ", ".join(f"{key} = {_quoted(value)}" for key, value in values.items()) + "}"


def _quoted(value: Any) -> str:
    """Words, numbers, yes or no and lists of them are alike in TOML and JSON."""
    return json.dumps(value)


def _title(student: str, row: dict[str, Any]) -> str:
    said = [f"{student} + {', '.join(row['teachers'])}"]
    said += [row[key] for key in ("loss", "split") if key in row]
    return "; ".join(said)


def _figures(columns: list[tuple[str, str]], values: list[float]) -> dict[tuple[str, str], float]:
    return dict(zip(columns, values, strict=True)) if values else {}


def _unknown(what: str, known: Sequence[str] | dict[str, Any], got: str) -> FaultError:
    return FaultError(
        FaultCode.ARGUMENT, expected=f"{what}: {', '.join(known)}", got=got, remedy="choose one of them"
    )
