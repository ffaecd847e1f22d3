"""Which runs a table of the paper needs. Pure: nothing is read but the published figures and the recipes."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distill.recipe import Recipe, load_recipe
from engine.faults import FaultCode, FaultError

PUBLISHED = Path(__file__).with_name("published.toml")
TABLES = ("table1", "table2", "table3", "table4")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `published`: figures of the paper in per cent by (set, figure); may be empty."""

    title: str
    published: dict[tuple[str, str], float]
    runs: tuple[str, ...]  # names, one a seed
    control: tuple[str, ...]  # the runs without teachers that it is held against; its own for a control


@dataclass(frozen=True, slots=True)
class Run:
    """One training: `python -m distill train --recipe PRESET --set CHANGE ...` is all of it."""

    preset: str
    changes: tuple[str, ...]
    recipe: Recipe


@dataclass(frozen=True, slots=True)
class Plan:
    """`runs`: what has to be trained, by name; rows of several tables share runs."""

    table: str
    title: str
    sets: tuple[str, ...]
    figures: tuple[str, ...]
    rows: tuple[Row, ...]
    runs: dict[str, Run]


def plan_table(
    table: str, preset: str, seeds: Sequence[int], students: Sequence[str] = (), changes: Sequence[str] = ()
) -> Plan:
    """The plan of one of TABLES with the recipe `preset`, changed by `changes` (KEY=VALUE).

    `students` limits it to some of the paper's; each student gets its control, which the paper did not train
    (its plain rows are values of the literature). Raises FaultError ARGUMENT.
    """
    published = tomllib.loads(PUBLISHED.read_text(encoding="utf-8"))
    if table not in TABLES:
        raise _unknown("a table", TABLES, table)
    known = published["students"]
    for student in students:
        if student not in known:
            raise _unknown("a student of the paper", known, student)
    base = load_recipe(preset, changes)
    entry = published[table]
    columns = [(name, figure) for name in entry["sets"] for figure in entry["figures"]]
    wanted = [row for row in entry["rows"] if not students or row["student"] in students]
    runs: dict[str, Run] = {}

    def trained(row: dict[str, Any]) -> tuple[str, ...]:
        own = [_changes(base, known[row["student"]], row, seed) for seed in seeds]
        found = [(*changes, *one) for one in own]
        recipes = [load_recipe(preset, one) for one in found]
        for one, recipe in zip(found, recipes, strict=True):
            runs[recipe.name] = Run(preset, one, recipe)
        return tuple(recipe.name for recipe in recipes)

    rows: list[Row] = []
    plain = {row["student"]: row["published"] for row in wanted if not row.get("teachers")}
    for student in dict.fromkeys(row["student"] for row in wanted):
        control = trained({"student": student})
        title = known[student]["title"]
        rows.append(Row(title, _figures(columns, plain.get(student, [])), control, control))
        rows += [
            Row(_title(title, row), _figures(columns, row["published"]), trained(row), control)
            for row in wanted
            if row["student"] == student and row.get("teachers")
        ]
    return Plan(table, entry["title"], tuple(entry["sets"]), tuple(entry["figures"]), tuple(rows), runs)


def _changes(base: Recipe, student: dict[str, Any], row: dict[str, Any], seed: int) -> tuple[str, ...]:
    """What makes the preset this row's recipe, as values of --set. The data's own lists are the split."""
    teachers = row.get("teachers", [])
    loss, split = row.get("loss", base.distil.loss), row.get("split", base.distil.split)
    args = dict(student["args"])
    if teachers and "latent_feed" in base.student.args:
        args["latent_feed"] = base.student.args["latent_feed"]
    parts = [base.name, student["name"], *(teachers or ["control"])]
    parts += [loss, split] if teachers else []
    return (
        f"name={_quoted('_'.join([*parts, f's{seed}']))}",
        f"seed={seed}",
        f"student.name={_quoted(student['name'])}",
        f"student.args={_inline(args)}",
        "data.split=listed",
        f"distil.teachers=[{', '.join(_inline({'name': name}) for name in teachers)}]",
        f"distil.loss={_quoted(loss)}",
        f"distil.split={_quoted(split)}",
    )


def _inline(values: dict[str, Any]) -> str:
    """A TOML inline table of words and numbers."""
    return "{" + ", ".join(f"{key} = {_quoted(value)}" for key, value in values.items()) + "}"


def _quoted(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


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
