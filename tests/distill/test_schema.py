"""The recipe's schema is complete: a form can be made of it, and says of every key what it is for."""

import json

import pytest

from distill.__main__ import main
from distill.losses import FEATURE_LOSSES, LOSSES
from distill.recipe import load_recipe
from distill.recipe.key import Part, key
from distill.recipe.schema import keys_of, recipe_schema
from distill.teachers import TEACHERS
from engine.models import STUDENTS

UNITS = {"px": "px", "deg": "°", "epochs": "epochs", "steps": "steps"}  # by the end of a key's name


def lacking(schema):
    """What the keys of a schema lack, each by its name."""
    required = {f"{part}.{name}" for part, it in parts(schema) for name in it.get("required", ())}
    for name, its in keys_of(schema):
        if not its.get("why", "").endswith("."):
            yield f"{name}: no sentence that says why"
        if "default" not in its and name not in required:
            yield f"{name}: no default"
        if any(not bounded(number) for number in numbers(its)):
            yield f"{name}: no limits"
        unit = UNITS.get(name.rpartition("_")[2].rpartition(".")[2])
        if unit and its.get("unit") != unit:
            yield f"{name}: no unit {unit}"


def parts(schema):
    return [("Recipe", schema), *schema["$defs"].items()]


def numbers(its):
    if its.get("type") in ("number", "integer"):
        yield its
    inner = [*its.get("prefixItems", ()), *its.get("anyOf", ()), its.get("items", {})]
    for one in inner:
        if one:
            yield from numbers(one)


def bounded(number):
    return "minimum" in number or "exclusiveMinimum" in number


def by_name(name):
    return dict(keys_of(recipe_schema()))[name]


def test_every_key_has_a_default_limits_a_unit_and_a_sentence_that_says_why():
    assert list(lacking(recipe_schema())) == []


def test_a_key_that_lacks_them_is_named():
    class BarePart(Part):
        size_px: int = 3
        shares: tuple[float, ...] = ()
        whole: int = key(1, "Whole", "Has all of it.", ge=1)

    schema = {"$defs": {"BarePart": BarePart.model_json_schema()}, "properties": {}}

    assert list(lacking(schema)) == [
        "BarePart.size_px: no sentence that says why",
        "BarePart.size_px: no limits",
        "BarePart.size_px: no unit px",
        "BarePart.shares: no sentence that says why",
        "BarePart.shares: no limits",
    ]


def test_the_verb_prints_it(capsys):
    assert main(["schema"]) == 0

    printed = json.loads(capsys.readouterr().out)
    assert printed == recipe_schema()
    rate = dict(keys_of(printed))["OptimiserPart.rate"]
    assert (rate["title"], rate["default"], rate["exclusiveMinimum"]) == ("Learning rate", 0.001, 0)


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("Recipe.loss", LOSSES),
        ("DistilPart.loss", FEATURE_LOSSES),
        ("StudentPart.name", STUDENTS),
        ("TeacherPart.name", TEACHERS),
    ],
)
def test_what_can_be_chosen_is_what_the_table_has(name, table):
    assert by_name(name)["choices"] == {row: entry.summary for row, entry in table.items()}


def test_eight_keys_are_shown_at_once():
    assert {name for name, its in keys_of(recipe_schema()) if its.get("basic")} == {
        "StudentPart.name",
        "StudentPart.start",
        "DataPart.train_sets",
        "Stage.epochs",
        "Stage.size_px",
        "Recipe.batch",
        "OptimiserPart.rate",
        "TeacherPart.name",
    }


def test_the_defaults_it_tells_are_those_a_recipe_gets():
    recipe = load_recipe("light").model_dump(mode="json")
    unnamed = ("scales", "scaling", "loss", "accumulate", "selection", "distil")

    assert {name: by_name(f"Recipe.{name}")["default"] for name in unnamed} == {
        name: recipe[name] for name in unnamed
    }
