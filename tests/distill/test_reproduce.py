"""The paper's tables: the plan says every run, each is made once, the table stands beside the published."""

import json
import re

import pytest

from distill.__main__ import main
from distill.recipe import load_recipe
from distill.reproduce.plan import Plan, Row, Run, plan_table
from distill.reproduce.run import finished, run_plan, tables
from distill.reproduce.table import filled
from engine.faults import FaultError


@pytest.mark.parametrize(
    ("table", "rows"), [("table1", 8), ("table2", 8), ("table3", 4 * 5 + 2), ("table4", 1 + 4)]
)
def test_a_table_has_its_rows_and_a_control_for_each_student(table, rows):
    plan = plan_table(table, "paper", seeds=(0, 1))

    assert len(plan.rows) == rows
    assert len(plan.runs) == 2 * rows
    for row in plan.rows:
        assert all(not plan.runs[name].recipe.distil.teachers for name in row.control)
        assert [plan.runs[name].recipe.seed for name in row.runs] == [0, 1]


def test_a_row_and_its_control_differ_in_the_teachers_and_nothing_else():
    plan = plan_table("table3", "best", seeds=(0,))
    row = next(row for row in plan.rows if row.title == "U-Net + sam_base, dinov2_base")
    ours, control = (plan.runs[name].recipe for name in (row.runs[0], row.control[0]))

    assert [teacher.name for teacher in ours.distil.teachers] == ["sam_base", "dinov2_base"]
    alike = {"name": "", "distil": control.distil}
    assert ours.model_copy(update=alike) == control.model_copy(update=alike)


def test_a_run_is_told_as_changes_that_make_its_recipe():
    for run in plan_table("table4", "paper", seeds=(3,)).runs.values():
        assert load_recipe(run.preset, run.changes) == run.recipe


def test_tables_1_and_2_are_the_same_runs():
    assert plan_table("table1", "paper", (0,)).runs.keys() == plan_table("table2", "paper", (0,)).runs.keys()


def test_an_unknown_student_is_named():
    with pytest.raises(FaultError, match=r"Found vgg instead of a student of the paper: unet, "):
        plan_table("table1", "paper", (0,), students=["vgg"])


def test_the_dry_run_tells_runs_hours_and_disk(capsys):
    assert main(["reproduce", "table4", "--dry-run", "--seeds", "1", "--gmacs-per-s", "1000"]) == 0
    said = capsys.readouterr().out

    assert re.search(r"paper_unet_control_s0 \| 17\.26 \| 7\d\.\d \| \d+\.\d \| 0\.28", said)
    assert re.search(r"sam_base \| \d\.\d\d", said)
    assert "5 of 5 runs are left" in said


TINY = """
name = "tiny"
batch = 4
precision = "float32"
export_size_px = 64
[student]
name = "light"
mean = [0.5, 0.5, 0.5]
std = [0.5, 0.5, 0.5]
args = { encoder = "test_efficientnet", channels = 16 }
[data]
split = "listed"
folds = 3
[[stages]]
epochs = 1
size_px = 64
"""


@pytest.fixture
def plan(tmp_path):
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(TINY)
    changes = ('name="tiny_control_s0"',)
    run = Run(str(recipe), changes, load_recipe(str(recipe), changes))
    changes = ('name="tiny_longer_s0"', "stages.0.epochs=2")
    longer = Run(str(recipe), changes, load_recipe(str(recipe), changes))
    runs = {"tiny_control_s0": run, "tiny_longer_s0": longer}
    published = {("cvc-clinicdb", "dice"): 82.3, ("cvc-clinicdb", "iou"): 60.0}
    rows = (
        Row("tiny", published, ("tiny_control_s0",), ("tiny_control_s0",)),
        Row("tiny, longer", {}, ("tiny_longer_s0",), ("tiny_control_s0",)),
    )
    return Plan("table0", "Tiny", ("cvc-clinicdb",), ("dice", "iou"), rows, runs)


@pytest.fixture
def listed(real24, tmp_path):
    """The 24 real images with every second group on a test list."""
    root = tmp_path / "listed"
    root.mkdir()
    lines = [json.loads(line) for line in (real24 / "index.jsonl").read_text().splitlines()]
    groups = sorted({line["group"] for line in lines})
    for line in lines:
        line["split"] = "test" if groups.index(line["group"]) % 2 else "train"
        line["image"] = str(real24 / line["image"])
        line["mask"] = line["mask"] and str(real24 / line["mask"])
    (root / "index.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return root


def test_runs_are_trained_judged_and_not_made_twice(plan, listed, tmp_path):
    runs = tmp_path / "runs"
    assert run_plan(plan, runs, listed) == 0
    first = (runs / "tiny_control_s0" / "events.jsonl").read_bytes()
    assert run_plan(plan, runs, listed) == 0

    assert (runs / "tiny_control_s0" / "events.jsonl").read_bytes() == first
    report = finished(plan, runs)["tiny_control_s0"]["sets"]["cvc-clinicdb"]
    dice = report["p05_image"]["dice"]
    table = filled(plan, finished(plan, runs), tables(plan, runs), "p05_image")
    assert f"| tiny | {100 * dice:.1f} / 82.3 |" in table
    assert re.search(r"\| tiny, longer .* \| [+-]\d+\.\d \([+-]\d+\.\d to [+-]\d+\.\d\), \d\.\d{3} \|", table)
    assert "2 of 2 runs are done" in table


def test_a_table_with_missing_runs_says_so(plan):
    assert "| tiny | - / 82.3 | - / 60.0* | - |" in filled(plan, {}, {}, "p05_image")


def test_data_without_a_test_list_is_refused_before_anything_is_trained(plan, real24, tmp_path):
    with pytest.raises(FaultError, match="a published list keeps for testing"):
        run_plan(plan, tmp_path / "runs", real24)
    assert not (tmp_path / "runs").exists()
