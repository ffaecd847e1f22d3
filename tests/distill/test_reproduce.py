"""The paper's tables: the plan says every run, each is made once, the table stands beside the published."""

import json
import re

import pytest

from distill.__main__ import main
from distill.data.index import load_index
from distill.recipe import load_recipe
from distill.reproduce.places import places
from distill.reproduce.plan import Plan, Row, Run, plan_table
from distill.reproduce.run import cache_command, finished, run_plan, tables
from distill.reproduce.table import filled
from distill.runs import run_json
from distill.train.phases import phase_at
from engine.faults import FaultCode, FaultError
from engine.files.whole import HOME_VARIABLE, read_json_lines, write_json


@pytest.mark.parametrize(
    ("table", "students", "rows"),
    [("table1", 4, 4), ("table2", 4, 4), ("table3", 4, 4 * 4 + 2), ("table4", 1, 4)],
)
def test_a_table_has_three_arms_for_each_student(table, students, rows):
    plan = plan_table(table, "paper", seeds=(0, 1))
    ours = [row for row in plan.rows if row.runs]

    assert len(ours) == 2 * students + rows
    assert len(plan.runs) == 2 * len(ours)
    for row in ours:
        assert [plan.runs[name].recipe.seed for name in row.runs] == [0, 1]
        assert not any(plan.runs[name].recipe.distil.teachers for name in (*row.control, *row.plain))


def test_the_plain_arm_is_never_frozen_and_the_control_has_the_latents_and_the_phases_of_the_taught_one():
    rows = {row.title: row for row in plan_table("table1", "paper", seeds=(0,)).rows}
    runs = plan_table("table1", "paper", seeds=(0,)).runs
    taught = rows["PraNet + sam_base, dinov2_base, oneformer, mask2former"]
    plain, control, ours = (runs[name[0]].recipe for name in (taught.plain, taught.control, taught.runs))

    assert (plain.student.args, plain.distil.freeze_encoder) == ({"encoder": "res2net50d"}, 1.0)
    assert control.student == ours.student
    assert control.student.args["latent_feed"] == "concat"
    for recipe in (control, ours):
        assert [phase_at(step, 300, recipe.distil).frozen for step in (0, 199, 200)] == [False, False, True]
    assert len({taught.runs, taught.control, taught.plain}) == 3
    assert rows["PraNet, control"].plain == taught.plain


def test_students_begin_as_their_authors_begin():
    runs = plan_table("table1", "paper", seeds=(0,)).runs.values()

    assert {run.recipe.student.name: run.recipe.student.pretrained for run in runs} == {
        "unet": "",
        "unetpp": "",
        "pranet": "imagenet",
        "emcadnet": "imagenet",
    }


def test_the_paper_has_no_standardised_teachers_and_splits_on_the_students_own_grid():
    recipe = load_recipe("paper")
    views = recipe.augment.model_dump(exclude={"flips", *HOW_FAR})

    assert (recipe.distil.standardise, recipe.distil.grid_px) == ("none", 0)
    assert (recipe.augment.flips, recipe.region) == (True, "frame")
    assert not any(value for value in views.values() if isinstance(value, float))


def test_a_preset_whose_control_is_the_plain_student_trains_it_once():
    plan = plan_table("table3", "best", seeds=(0,))
    row = next(row for row in plan.rows if row.title == "U-Net + sam_base, dinov2_base")
    ours, control = (plan.runs[name].recipe for name in (row.runs[0], row.control[0]))

    assert row.control == row.plain
    assert [teacher.name for teacher in ours.distil.teachers] == ["sam_base", "dinov2_base"]
    alike = {"name": "", "distil": control.distil}
    assert ours.model_copy(update=alike) == control.model_copy(update=alike)


def test_teachers_at_hand_take_the_place_of_the_papers_and_have_no_published_figures():
    teachers = ["timm:tf_efficientnet_lite1", "dinov2_small"]
    plan = plan_table("table1", "paper", (0,), students=["light", "unet"], teachers=teachers)
    ours = [row for row in plan.rows if row.runs]

    assert [row.title for row in ours if row.runs not in (row.control, row.plain)] == [
        f"{student} + timm:tf_efficientnet_lite1, dinov2_small" for student in ("U-Net", "light")
    ]
    assert all(not row.published for row in ours if "+" in row.title or "light" in row.title)
    assert "paper_light_timm-tf_efficientnet_lite1_dinov2_small_mse_fft_radial_s0" in plan.runs
    assert plan.runs["paper_light_plain_s0"].recipe.student.mean == (0.5, 0.5, 0.5)


def test_every_teacher_looks_once_in_one_process():
    runs = plan_table("table3", "paper", (0, 1), students=["unet"]).runs.values()
    preset, *changes = [word for word in cache_command(runs)[1:] if word != "--set"]
    teachers = [teacher.name for teacher in load_recipe(preset, changes).distil.teachers]

    assert len(teachers) == len(set(teachers)) == 7
    assert cache_command([run for run in runs if not run.recipe.distil.teachers]) == []


def test_what_the_preset_says_of_a_teacher_is_kept():
    changes = ['distil.teachers=[{name="sam_base", weights="sam.pth"}]']
    plan = plan_table("table3", "paper", (0,), students=["pranet"], changes=changes)
    taught = next(run.recipe for name, run in plan.runs.items() if "sam_base_dinov2_base_mse" in name)

    assert [teacher.weights for teacher in taught.distil.teachers] == ["sam.pth", ""]


def test_a_run_is_told_as_changes_that_make_its_recipe():
    for run in plan_table("table4", "paper", seeds=(3,)).runs.values():
        assert load_recipe(run.preset, run.changes) == run.recipe


def test_tables_1_and_2_are_the_same_runs():
    assert plan_table("table1", "paper", (0,)).runs.keys() == plan_table("table2", "paper", (0,)).runs.keys()


FIRST_OF_TABLE_1 = [  # as the reference text prints them: parameters, FLOPs, then six figures a set
    ("SANet", (23.8, 11.3), [90.4, 84.7, 89.2, 91.5, 95.3, 2.8, 91.6, 85.9, 90.9, 93.9, 97.6, 1.2]),
    ("SAM-Mamba", (103.0, 423.0), [92.4, 87.3, 94.2, 93.6, 96.1, 2.5, 94.2, 88.7, 94.3, 95.5, 98.2, 0.6]),
    ("EMCADNet, plain", (26.7, 21.5), [89.4, 83.2, 89.2, 96.3, 93.5, 3.1, 94.4, 89.7, 94.3, 99.6, 98.7, 0.9]),
]


@pytest.mark.parametrize(("title", "size", "figures"), FIRST_OF_TABLE_1, ids=lambda value: str(value)[:9])
def test_what_is_published_stands_in_the_plan_with_sizes_and_all_six_figures(title, size, figures):
    plan = plan_table("table1", "paper", (0,))
    (row,) = [row for row in plan.rows if row.title == title]

    assert (row.size, list(row.published.values())) == (size, figures)
    assert {figure for _, figure in row.published} == {"dice", "iou", "weighted_f", "s_alpha", "e_max", "mae"}


@pytest.mark.parametrize("table", ["table1", "table2"])
def test_nine_other_methods_stand_beside_ours_and_misprints_are_named(table):
    plan = plan_table(table, "paper", (0,))
    others = [row for row in plan.rows if not row.runs]
    text = filled(plan, {}, {}, "p05_image") if table == "table2" else ""

    assert len(others) == 9
    assert all(len(row.published) == 6 * len(plan.sets) for row in others)
    assert any("S and E look exchanged" in note for note in plan.misprints)
    assert table == "table1" or "| CFA-Net | - / 89.3 | - / 82.7 | - / 93.8 | - / 87.5 |" in text
    assert table == "table1" or "its figures differ by 20.8 and 17.8" in text


def test_an_unknown_student_is_named():
    with pytest.raises(FaultError, match=r"Found vgg instead of a student of the tables: unet, "):
        plan_table("table1", "paper", (0,), students=["vgg"])


def test_the_dry_run_tells_runs_hours_and_disk(capsys):
    assert main(["reproduce", "table4", "--dry-run", "--seeds", "1", "--gmacs-per-s", "1000"]) == 0
    said = capsys.readouterr().out

    assert re.search(r"paper_unet_plain_s0 \| 17\.26 \| 7\d\.\d \| \d+\.\d \| 0\.28", said)
    assert re.search(r"paper_unet_control_s0 \| 17\.99 \|", said)
    assert re.search(r"sam_base \| \d\.\d\d", said)
    assert re.search(r"sam_base \| facebook/sam-vit-base, or a file or folder .*weights/sam_base \|", said)
    assert "6 of 6 runs are left" in said


def test_it_is_said_which_weights_are_at_hand_and_where_the_others_go(tmp_path, monkeypatch):
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    (tmp_path / "data" / "weights").mkdir(parents=True)
    file = tmp_path / "data" / "weights" / "res2net50_v1b_26w_4s-3cf99910.pth"
    file.touch()
    plan = plan_table("table2", "paper", (0,), students=["pranet", "emcadnet"])
    found = places([run.recipe for run in plan.runs.values()], None)

    assert found["pranet: res2net50d"] == str(file)
    assert re.match(r"the hub, or: download .*pvt_v2_b2\.safetensors", found["emcadnet: pvt_v2_b2"])
    assert found["oneformer"].endswith(str(tmp_path / "data" / "weights" / "oneformer"))


HOW_FAR = ("turn_deg", "stretch", "shift")  # of geometry that the paper does not have: not whether
TINY = """
name = "tiny"
batch = 4
precision = "float32"
threads = 1
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


def run_of(recipe, *changes):
    return Run(str(recipe), changes, load_recipe(str(recipe), changes))


@pytest.fixture
def plan(real24, tmp_path):
    """A control and a student of an encoder that is taken for a teacher."""
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(TINY)
    weights = real24 / "weights" / "tiny.safetensors"
    teacher = f'distil.teachers=[{{name="timm:test_efficientnet", weights="{weights}", size_px=64}}]'
    runs = {
        "tiny_control_s0": run_of(recipe, 'name="tiny_control_s0"'),
        "tiny_taught_s0": run_of(recipe, 'name="tiny_taught_s0"', teacher),
    }
    published = {("cvc-clinicdb", "dice"): 82.3, ("cvc-clinicdb", "iou"): 60.0}
    control = ("tiny_control_s0",)
    rows = (
        Row("tiny", published, control, control, control),
        Row("tiny, taught", {}, ("tiny_taught_s0",), control, control),
    )
    return Plan("table0", "Tiny", ("cvc-clinicdb",), ("dice", "iou", "s_alpha"), rows, runs)


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


@pytest.mark.slow  # three trainings in processes of their own
def test_teachers_look_first_then_runs_are_trained_and_judged_and_nothing_is_made_twice(
    plan, listed, tmp_path
):
    runs, cache = tmp_path / "runs", tmp_path / "cache"
    assert run_plan(plan, runs, listed, cache=cache) == 0
    first = (runs / "tiny_taught_s0" / "events.jsonl").read_bytes()
    assert run_plan(plan, runs, listed, cache=cache) == 0

    assert (runs / "tiny_taught_s0" / "events.jsonl").read_bytes() == first
    seen = [line["image"] for path in cache.glob("*/shard-*.jsonl") for line in read_json_lines(path)]
    tested = [record.image for record in load_index(listed).records if record.split == "test"]
    assert len(seen) == len(load_index(listed).records) - len(tested)
    report = finished(plan, runs)["tiny_control_s0"]["sets"]["cvc-clinicdb"]
    dice, s_alpha = report["p05_image"]["dice"], report["structure"]["s_alpha"]
    table = filled(plan, finished(plan, runs), tables(plan, runs), "p05_image")
    assert f"| tiny | {100 * dice:.1f} / 82.3 |" in table
    assert f"{100 * s_alpha:.1f} / -" in table
    gain = r"[+-]\d+\.\d \([+-]\d+\.\d to [+-]\d+\.\d\), \d\.\d{3}"
    assert re.search(rf"\| tiny, taught .* \| {gain} \| {gain} \|", table)
    assert "2 of 2 runs are done" in table


def test_a_folder_with_another_recipes_run_is_refused(plan, listed, tmp_path):
    run = plan.runs["tiny_control_s0"]
    other = run_of(run.preset, *run.changes, "seed=7").recipe
    (tmp_path / "runs" / "tiny_control_s0").mkdir(parents=True)
    write_json(tmp_path / "runs" / "tiny_control_s0" / "run.json", run_json(other, listed))

    with pytest.raises(FaultError, match="one with another seed"):
        run_plan(plan, tmp_path / "runs", listed)


def test_weights_that_are_nowhere_are_told_before_anything_is_trained(plan, listed, tmp_path, monkeypatch):
    def unreachable(source):
        raise FaultError(FaultCode.MODEL_MISSING, expected=source, got="no network", remedy="go online")

    monkeypatch.setattr("engine.models.encoder._from_hub", unreachable)
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    run = plan.runs["tiny_control_s0"]
    student = ('student.name="pranet"', 'student.args={encoder="res2net50d"}', "student.pretrained=imagenet")
    plan.runs["tiny_control_s0"] = run_of(run.preset, *run.changes, *student)

    with pytest.raises(
        FaultError, match=r"weights of res2net50d are not at hand .*res2net50_v1b_26w_4s\*\.pth"
    ):
        run_plan(plan, tmp_path / "runs", listed)
    assert not (tmp_path / "runs").exists()


def test_a_table_with_missing_runs_says_so(plan):
    assert "| tiny | - / 82.3 | - / 60.0* | - / - | - | - |" in filled(plan, {}, {}, "p05_image")


def test_data_without_a_test_list_is_refused_before_anything_is_trained(plan, real24, tmp_path):
    with pytest.raises(FaultError, match="a published list keeps for testing"):
        run_plan(plan, tmp_path / "runs", real24)
    assert not (tmp_path / "runs").exists()
