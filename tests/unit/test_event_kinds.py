"""The events of a run folder have a schema: whoever reads them may rely on it, also across versions."""

import ast
from pathlib import Path

import pytest

from engine.jobs.events import KINDS, Checkpoint, Done, Event, Heartbeat, event_of, schema_errors

ROOT = Path(__file__).parents[2]


def told_in_source():
    """(where, kind, names, whether more come by **) of every `….event("kind", name=…)` of the program."""
    for package in ("engine", "distill"):
        for path in sorted((ROOT / package).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            if ".event(" not in text:
                continue
            for node in ast.walk(ast.parse(text)):
                if not isinstance(node, ast.Call) or getattr(node.func, "attr", "") != "event":
                    continue
                if node.args and isinstance(node.args[0], ast.Constant) and node.keywords:
                    names = {keyword.arg for keyword in node.keywords}
                    where = f"{path.relative_to(ROOT)}:{node.lineno}"
                    yield where, node.args[0].value, names - {None}, None in names


def test_every_event_that_the_program_tells_is_of_a_kind_and_has_its_fields():
    wrong = []
    for where, kind, names, more in told_in_source():
        if kind not in KINDS:
            wrong.append(f"{where}: {kind} is not in KINDS")
            continue
        fields = {
            name: field for name, field in KINDS[kind].model_fields.items() if name not in Event.model_fields
        }
        needed = {name for name, field in fields.items() if field.is_required()}
        wrong += [f"{where}: {kind} has no {name}" for name in names - set(fields)]
        wrong += [f"{where}: {kind} without {name}" for name in needed - names if not more]

    assert wrong == []


def test_every_kind_is_told_somewhere():
    assert set(KINDS) - {"fault", "start"} <= {kind for _, kind, _, _ in told_in_source()}


def test_a_line_becomes_an_event_of_its_kind():
    event = event_of(b'{"v":1,"n":7,"t":12.5,"kind":"checkpoint","step":300,"best":true}\n')

    assert isinstance(event, Checkpoint)
    assert (event.number, event.at_s, event.step, event.best) == (7, 12.5, 300, True)


def test_a_kind_of_a_newer_version_is_passed_on():
    event = event_of('{"v":9,"n":7,"t":12.5,"kind":"hologram","depth_px":3}')

    assert type(event) is Event
    assert (event.kind, event.model_extra) == ("hologram", {"depth_px": 3})


def test_fields_of_a_newer_version_do_not_hide_those_that_are_known():
    event = event_of('{"v":9,"n":7,"t":12.5,"kind":"done","outcome":"ok","mood":"fine"}')

    assert isinstance(event, Done)
    assert event.outcome == "ok"


def test_a_known_kind_whose_fields_mean_something_else_now_is_passed_on_without_them():
    event = event_of('{"v":9,"n":7,"t":12.5,"kind":"done","outcome":{"code":3}}')

    assert type(event) is Event
    assert event.kind == "done"


@pytest.mark.parametrize("line", ['{"v":1,"n":7,"t":1', "", "\0\0\0", "[1]", '{"kind":"done"}', '{"n":"x"}'])
def test_a_line_that_is_no_event_is_none(line):
    assert event_of(line) is None


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"v":1,"n":1,"t":1.0,"kind":"progress","done":1}', "total"),
        ('{"v":1,"n":1,"t":1.0,"kind":"progress","done":1,"total":2,"speed":3}', "speed"),
        ('{"v":1,"n":1,"t":1.0,"kind":"progress","done":1,"total":"many"}', "total"),
        ('{"v":1,"n":1,"t":1.0,"kind":"hologram"}', "hologram"),
    ],
)
def test_what_is_not_of_the_schema_is_named(line, said):
    assert said in schema_errors(line)[0]
    assert schema_errors('{"v":1,"n":1,"t":1.0,"kind":"progress","done":1,"total":2}') == []


@pytest.mark.parametrize(
    "line",
    [
        '{"v":1,"n":4,"t":1.0,"kind":"metric","epoch":0,"loss":0.51}',
        '{"v":1,"n":4,"t":1.0,"kind":"start","job":"pretrain","run_id":"a","resumed_from":null}',
        '{"v":1,"n":4,"t":1.0,"kind":"checkpoint","step":3}',
    ],
)
def test_what_runs_of_before_told_is_of_the_schema(line):
    assert schema_errors(line) == []


def test_only_signs_of_life_may_be_passed_over():
    assert {kind for kind, shape in KINDS.items() if shape.momentary} == {"heartbeat", "progress"}
    assert Heartbeat.momentary
