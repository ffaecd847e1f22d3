"""One student of several teachers for several tasks: two drawn tasks, two tiny teachers of random weights."""

import json
import tomllib

import cv2
import numpy as np
import pytest
import torch
from accelerate import Accelerator
from safetensors.torch import load_file, save_file

from distill.__main__ import main
from distill.agglomerate import teacher_phase
from distill.agglomerate.compare import run_comparison, table
from distill.agglomerate.config import Config
from distill.agglomerate.figures import read_figures
from distill.agglomerate.heads import OneTask, TaskModule, mask_of_task, of_task, widen
from distill.agglomerate.phases import phase_recipes
from distill.agglomerate.running import run_config
from distill.agglomerate.sampler import places
from distill.agglomerate.tasks import pool_of, tasks_of
from distill.agglomerate.training import agglomerate
from distill.agglomerate.variants import Comparison
from distill.data.index import data_folder, load_index
from distill.data.splits import TEST, TRAIN, VALIDATION
from distill.recipe import load_recipe, parse_recipe
from engine.faults import FaultCode, FaultError
from engine.files.whole import HOME_VARIABLE, read_json_lines, write_json_lines
from engine.jobs.events import RunFolder
from engine.jobs.folder import FIGURES
from engine.model_folder import load_model_folder
from engine.models import make_student
from engine.models.base import Prediction, Student
from engine.models.encoder import make_encoder
from engine.runtime.student import load_student

SIZE_PX = 64
TASKS = ("bar", "disc")
GROUPS = 3
RECIPE = """
name = "tiny"
batch = 4
precision = "float32"
threads = 1
export_size_px = 64
[student]
name = "light"
pretrained = "weights/tiny0.safetensors"
mean = [0.5, 0.5, 0.5]
std = [0.5, 0.5, 0.5]
args = { encoder = "test_efficientnet", channels = 16 }
[data]
folds = 3
[[stages]]
epochs = 8
size_px = 64
[optimiser]
warm_up_steps = 1
rate = 3e-3
[distil]
stop = 0.5
balance = "attention"
[[distil.teachers]]
name = "timm:test_efficientnet"
weights = "weights/tiny1.safetensors"
size_px = 64
[[distil.teachers]]
name = "timm:test_efficientnet"
weights = "weights/tiny2.safetensors"
size_px = 64
"""


def draw(task, rng):
    """A picture on a pink ground and its mask: a red disc, or a grey bar from the left edge."""
    image = np.full((SIZE_PX, SIZE_PX, 3), (150, 140, 220), np.uint8)
    mask = np.zeros((SIZE_PX, SIZE_PX), np.uint8)
    x, y = (int(value) for value in rng.integers(20, 44, 2))
    if task == "disc":
        cv2.circle(mask, (x, y), 12, 255, -1)
        image[mask > 0] = (40, 40, 200)
    else:
        cv2.line(mask, (0, y), (x, y), 255, 9)
        image[mask > 0] = (120, 120, 120)
    return np.clip(image + rng.normal(0, 8, image.shape), 0, 255).astype(np.uint8), mask


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Three groups of two images a task, weights, and five pictures that nobody labelled."""
    root = tmp_path_factory.mktemp("tasks")
    rng = np.random.default_rng(0)
    lines = []
    for task in TASKS:
        for number in range(2 * GROUPS):
            image, mask = draw(task, rng)
            for kind, picture in (("images", image), ("masks", mask)):
                (root / kind).mkdir(exist_ok=True)
                cv2.imwrite(str(root / kind / f"{task}{number}.png"), picture)
            name = f"{task}{number}.png"
            line = {"image": f"images/{name}", "mask": f"masks/{name}", "set": f"{task}s", "task": task}
            lines.append({**line, "group": f"{task}-{number // 2}"})
    write_json_lines(root / "index.jsonl", lines)
    (root / "weights").mkdir()
    for number in range(3):
        torch.manual_seed(number)
        weights = make_encoder("test_efficientnet").state_dict()
        save_file(weights, root / "weights" / f"tiny{number}.safetensors")
    (root / "unlabelled" / "ward").mkdir(parents=True)
    for number in range(5):
        image, _ = draw(TASKS[number % 2], rng)
        cv2.imwrite(str(root / "unlabelled" / "ward" / f"{number}.png"), image)
    return root


def recipe(**changes):
    return parse_recipe(tomllib.loads(RECIPE) | changes)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def config(data, cache):
    return Config(recipe(), data, cache, unlabelled=data / "unlabelled")


@pytest.fixture(scope="module")
def whole(config, tmp_path_factory):
    """A run that was never interrupted."""
    run = tmp_path_factory.mktemp("runs") / "whole"
    assert not run_config(config, run, lambda: False).cancelled
    return run


def events(run, kind, part):
    return [
        event
        for event in read_json_lines(run / "events.jsonl")
        if event["kind"] == kind and event.get("part") == part
    ]


def weights_of(run, name):
    tag = json.loads((run / "checkpoints" / "state.json").read_text())["files"]
    path = run / "checkpoints" / f"{name}-{tag}.safetensors"
    return load_file(path)


def light(tasks=2):
    torch.manual_seed(0)
    student = make_student("light", {"encoder": "test_efficientnet", "channels": 16})
    widen(student, tasks)
    return student


def test_the_head_of_a_task_learns_from_images_of_that_task_alone():
    student = light(tasks=3)
    module = TaskModule(student, recipe())
    image, mask = torch.rand(2, 3, SIZE_PX, SIZE_PX), torch.ones(2, 1, SIZE_PX, SIZE_PX)

    module(image, mask_of_task(mask, rank=1, tasks=3)).segmentation.backward()

    rows = student.head.weight.grad.abs().sum((1, 2, 3))
    assert rows[1] > 0
    assert (rows[0], rows[2]) == (0, 0)
    assert all(parameter.grad is not None for parameter in student.encoder_parameters())


def test_every_image_of_a_mixed_batch_is_held_against_its_own_task():
    module = TaskModule(light(), recipe()).eval()
    image = torch.rand(2, 3, SIZE_PX, SIZE_PX)
    mask = (torch.rand(2, 1, SIZE_PX, SIZE_PX) > 0.5).float()
    mixed = torch.cat([mask_of_task(mask[:1], 0, 2), mask_of_task(mask[1:], 1, 2)])

    together = module(image, mixed).segmentation
    alone = [module(image[i : i + 1], mixed[i : i + 1]).segmentation for i in (0, 1)]

    assert torch.allclose(together, torch.stack(alone).mean(), atol=1e-5)


def test_the_student_of_a_task_says_what_the_shared_one_says_of_it():
    student = light().eval()
    image = torch.rand(1, 3, SIZE_PX, SIZE_PX)

    with torch.inference_mode():
        # Close, not equal: for one channel instead of two, some processors sum in another order.
        torch.testing.assert_close(of_task(student, 1)(image), student(image)[:, 1:], rtol=0, atol=1e-6)
        assert torch.equal(OneTask(student, 1)(image), student(image)[:, 1:])


class Refining(Student):
    """Logits, and the same again as auxiliary ones: not what a row a task can be read from."""

    def __init__(self):
        super().__init__()
        self.head = torch.nn.Conv2d(3, 1, 1)

    def predict(self, image):
        return Prediction(self.head(image), (self.head(image),), {})

    def encoder_parameters(self):
        return []


def test_a_student_that_refines_its_logits_cannot_have_several_heads():
    with pytest.raises(FaultError, match="light, unet or unetpp"):
        widen(Refining(), 2)


def test_every_batch_holds_every_task_and_every_task_comes_as_often():
    dealt = [list(places(batch, size=5, tasks=2)) for batch in range(4)]

    assert all({task for task, _ in batch} == {0, 1} for batch in dealt)
    drawn = [place for batch in dealt for place in batch]
    assert sorted(drawn) == [(task, count) for task in (0, 1) for count in range(10)]


def test_the_first_part_of_the_epochs_is_the_teachers():
    changed = recipe(stages=[{"epochs": 3, "size_px": 32}, {"epochs": 7, "size_px": 64}])
    first, second = phase_recipes(changed)

    assert [(stage.epochs, stage.size_px) for stage in first.stages] == [(3, 32), (2, 64)]
    assert [(stage.epochs, stage.size_px) for stage in second.stages] == [(5, 64)]


def test_a_student_without_teachers_has_the_same_second_part():
    distil = recipe().distil.model_dump(mode="json") | {"teachers": []}

    assert phase_recipes(recipe(distil=distil)) == (None, phase_recipes(recipe())[1])


def test_a_recipe_that_chooses_by_validation_images_is_refused():
    with pytest.raises(FaultError, match="Selection should be last"):
        phase_recipes(recipe(selection="validation"))


def test_hard_negatives_which_only_train_knows_are_refused():
    asked = recipe().model_dump(mode="json")
    asked["data"] |= {"negatives_share": 0.2, "hard_negatives_share": 0.5}
    asked["student"] |= {"start": "any"}

    with pytest.raises(FaultError, match="hard_negatives_share should be 0"):
        phase_recipes(parse_recipe(asked))


def test_a_task_without_images_to_judge_it_by_is_named(data):
    with pytest.raises(FaultError, match="validation images of every task") as caught:
        tasks_of(load_index(data), recipe(data={"folds": 6}).data)

    assert caught.value.code is FaultCode.DATA_SET


def test_teachers_are_shown_unlabelled_images_but_none_that_students_are_judged_by(data, tmp_path):
    tasks = tasks_of(load_index(data), recipe().data)
    (tmp_path / "ward").mkdir()
    judged = tasks[0].judged_records[0].image
    (tmp_path / "ward" / "copy.png").write_bytes((data / judged).read_bytes())
    fresh = data / "unlabelled" / "ward" / "0.png"
    (tmp_path / "ward" / "fresh.png").write_bytes(fresh.read_bytes())

    pool = pool_of(data, tasks, tmp_path)

    labelled = {record.image for task in tasks for record in task.train}
    assert {record.image for record in pool} == labelled | {str(tmp_path / "ward" / "fresh.png")}


def test_every_image_of_the_pool_takes_part_in_an_epoch_of_the_first_part(config, whole, monkeypatch):
    seen = []

    def watched(pictures, items, *others):
        seen.extend(pictures.records[item].image for item in items)
        return training_batch(pictures, items, *others)

    training_batch = teacher_phase.training_batch
    monkeypatch.setattr(teacher_phase, "training_batch", watched)
    first, _ = phase_recipes(config.recipe.model_copy(update={"batch": 13}))
    tasks = tasks_of(load_index(config.data_root), config.recipe.data)
    student = make_student("light", config.recipe.student.args)
    folder = RunFolder(whole.parent / "shown")
    part = teacher_phase.teacher_phase(config, first, tasks, student, Accelerator(cpu=True), folder)

    (micro_batch,) = part.training.micro_batches(0)

    assert len(micro_batch.image) == len(set(seen)) == 13
    assert sum("unlabelled" in name for name in seen) == 5


def test_both_parts_learn(whole):
    told = [event["losses"] for event in events(whole, "epoch", "teachers")]
    masks = [event["losses"]["segmentation"] for event in events(whole, "epoch", "tasks")]

    assert len(told[0]) == 2
    assert all(told[-1][name] < told[0][name] for name in told[0])
    assert masks[-1] < masks[0]


def test_a_run_says_how_well_each_task_is_done_and_each_teacher_explained(whole):
    figures = read_figures(whole / FIGURES)

    assert set(figures.dice) == set(TASKS)
    assert all(0 <= value <= 1 for value in figures.dice.values())
    assert {name.rpartition(".")[0] for name in figures.teachers} == {
        "timm:test_efficientnet",
        "timm:test_efficientnet#2",
    }


def same_weights(run, other):
    return all(
        torch.equal(weights_of(run, name)[key], value)
        for name in ("model", "average", "optimiser")
        for key, value in weights_of(other, name).items()
    )


def test_a_run_stopped_with_the_teachers_and_resumed_equals_one_that_was_not(config, whole, tmp_path):
    assert run_config(config, tmp_path / "run", lambda: False, stop_after=5).cancelled
    assert not (tmp_path / "run" / FIGURES).exists()
    assert not run_config(config, tmp_path / "run", lambda: False).cancelled

    assert same_weights(tmp_path / "run", whole)


def test_the_command_goes_on_with_the_tasks_where_it_was_stopped(config, whole, tmp_path):
    (tmp_path / "tiny.toml").write_text(RECIPE)
    run, shared = tmp_path / "run", ["--data", config.data_root, "--cache", config.cache]
    begin = ["--recipe", tmp_path / "tiny.toml", "--run", run, "--unlabelled", config.unlabelled]

    assert main(["agglomerate", *map(str, [*begin, *shared, "--stop-after", 15])]) == 4
    assert main(["agglomerate", *map(str, [*begin, *shared])]) == 2, "a run is never begun twice"
    assert main(["agglomerate", *map(str, ["--resume", run, *shared])]) == 0

    assert same_weights(run, whole)


def test_ctrl_c_stops_with_a_checkpoint(config, tmp_path):
    asked = iter([False] * 6)  # the sixth sign of life is in the first part

    assert run_config(config, tmp_path / "run", lambda: next(asked, True)).cancelled

    saved = events(tmp_path / "run", "checkpoint", "teachers")[-1]
    assert 0 < saved["step"] < 12
    assert (tmp_path / "run" / "teachers" / "checkpoints" / "state.json").is_file()


def test_a_folder_of_another_run_is_not_written_to(config, whole):
    other = Config(recipe(seed=1), config.data_root, config.cache, config.unlabelled)

    with pytest.raises(FaultError, match="another recipe"):
        run_config(other, whole, lambda: False)


def test_each_task_has_a_run_folder_with_its_own_images_and_sides(whole, data):
    tasks = tasks_of(load_index(data), recipe().data)

    for task in tasks:
        records = load_index(whole / "tasks" / task.name).records
        sides = {side: {r.image for r in records if r.split == side} for side in (TRAIN, VALIDATION, TEST)}
        assert sides[TRAIN] == {str(data / record.image) for record in task.train}
        assert sides[VALIDATION] == {str(data / record.image) for record in task.validation}
        assert sides[TEST] == set()


def test_the_student_of_a_task_is_exported_like_any_other(whole, tmp_path):
    run, folder = whole / "tasks" / "disc", tmp_path / "disc-1"
    assert main(["export", str(run), "--out", str(folder), "--data", str(run), "--int8-images", "0"]) == 0

    exported = load_student(load_model_folder(folder)).state_dict()
    average = weights_of(whole, "average")
    rank, stem = TASKS.index("disc"), "encoder.conv_stem.weight"

    assert torch.allclose(exported["head.weight"], average["head.weight"][rank : rank + 1], atol=1e-3)
    assert torch.allclose(exported[stem], average[stem], atol=1e-3)
    home = str(whole).encode()
    assert [path.name for path in folder.iterdir() if home in path.read_bytes()] == []


@pytest.fixture(scope="module")
def compared(config, tmp_path_factory):
    short = recipe(stages=[{"epochs": 2, "size_px": 32}], export_size_px=32)
    folder = tmp_path_factory.mktemp("comparison")
    comparison = Comparison(
        Config(short, config.data_root, config.cache, config.unlabelled), folder, seeds=(0,)
    )
    assert run_comparison(comparison)
    return comparison


def rows_of(text):
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if "|" in line]
    return {cells[0]: cells[1:] for cells in lines[2:8]}


def test_the_comparison_fills_its_table(compared):
    rows = rows_of((compared.folder / "table.md").read_text())

    assert list(rows) == [
        "no distillation",
        "simple distillation (timm:test_efficientnet)",
        "a specialist a task",
        "agglomerated, fixed",
        "agglomerated, mlp",
        "agglomerated, attention",
    ]
    assert rows["no distillation"][3] == "-"
    assert all(
        rows[f"agglomerated, {kind}"][4].endswith("] / +2.0") for kind in ("fixed", "mlp", "attention")
    )
    assert "/" not in rows["simple distillation (timm:test_efficientnet)"][4]
    assert all("[" in cells[3] for title, cells in rows.items() if title != "no distillation")
    assert float(rows["a specialist a task"][5]) == pytest.approx(
        2 * float(rows["no distillation"][5]), abs=0.01
    )


def test_the_comparison_trains_only_what_is_missing(compared):
    done = {path: path.stat().st_mtime_ns for path in compared.folder.glob("*/checkpoints/state.json")}
    missing = compared.folder / "simple-s0"
    (missing / FIGURES).unlink()
    assert rows_of(table(compared))["simple distillation (timm:test_efficientnet)"][0] == "-"

    assert run_comparison(compared)

    assert len(done) == 7
    changed = [path for path, before in done.items() if path.stat().st_mtime_ns != before]
    assert [path.parents[1] for path in changed] == [missing]


def test_the_plan_of_a_comparison_trains_nothing(config, tmp_path, capsys):
    arguments = ["--compare", tmp_path / "out", "--dry-run", "--seeds", 2, "--data", config.data_root]
    teachers = 'distil.teachers=[{name="timm:test_efficientnet"}, {name="timm:tf_efficientnet_lite0"}]'
    arguments += ["--set", "data.folds=3", "--set", teachers]
    assert main(["agglomerate", *map(str, arguments)]) == 0

    text = capsys.readouterr().out
    assert text.count("specialists-disc") == 2
    assert "14 of 14 runs are left" in text
    assert not (tmp_path / "out").exists()


def test_the_recipe_has_the_papers_teachers():
    names = [teacher.name for teacher in load_recipe("agglomerate").distil.teachers]

    assert names == ["medsam", "rad_dino", "medclip"]


def test_weights_that_are_nowhere_are_told_before_anything_is_trained(config, tmp_path, monkeypatch, capsys):
    pytest.importorskip("transformers", reason="pip install 'polyplive[teachers]'")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    teachers = 'distil.teachers=[{name="medclip"}, {name="rad_dino"}]'
    words = ["--seeds", 1, "--data", config.data_root, "--unlabelled", config.unlabelled]
    words += ["--runs", tmp_path / "runs", "--cache", tmp_path / "cache"]
    words += ["--set", "data.folds=3", "--set", teachers]
    code = main(["reproduce", "agglomeration", "--accept-licence", *map(str, words)])

    assert code == 2
    assert "weights of the teacher medclip are not at hand" in capsys.readouterr().err
    assert not list((tmp_path / "runs").glob("*/*/run.json"))


def test_a_comparison_needs_something_to_agglomerate(config, tmp_path, capsys):
    arguments = ["--compare", tmp_path, "--data", config.data_root, "--set", "data.folds=3"]
    arguments += ["--set", "distil.teachers=[]"]

    assert main(["agglomerate", *map(str, arguments)]) == 2
    assert "two teachers" in capsys.readouterr().err


def test_a_real_teacher_and_real_images_of_one_task(real24, tmp_path):
    weights = data_folder() / "weights" / "tf_efficientnet_lite1_in1k_fp16.safetensors"
    if not weights.is_file():
        pytest.skip(f"no {weights}")
    teachers = [
        {"name": "timm:tf_efficientnet_lite1", "weights": str(weights), "size_px": SIZE_PX},
        {"name": "timm:test_efficientnet", "weights": "weights/tiny.safetensors", "size_px": SIZE_PX},
    ]
    distil = recipe().distil.model_dump(mode="json") | {"teachers": teachers, "stop": 0.5}
    student = recipe().student.model_dump(mode="json") | {"pretrained": "weights/tiny.safetensors"}
    short = recipe(distil=distil, student=student, stages=[{"epochs": 2, "size_px": SIZE_PX}])

    assert not agglomerate(Config(short, real24, tmp_path / "cache"), RunFolder(tmp_path / "run")).cancelled
    assert set(read_figures(tmp_path / "run" / FIGURES).dice) == {"polyp"}
