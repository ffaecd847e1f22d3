"""Training end to end on 24 real images: stops, goes on as if it had not, and becomes a model folder."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import engine
from distill.__main__ import main
from distill.data import dataset
from distill.data.dataset import Pictures, fields_of
from distill.data.index import load_index
from distill.data.splits import split_of
from distill.judging.networks import maps_of, openvino_has_bf16, torch_network
from distill.judging.trained import trained_model
from distill.metrics.table import read_table
from distill.recipe import load_recipe
from distill.teachers.cache.features import fill_cache
from distill.train import validate
from distill.train.cpu.precision import fitting
from engine.files.lock import held
from engine.files.whole import read_json_lines
from engine.jobs.events import RunFolder
from engine.jobs.folder import CANCEL, EVENTS
from engine.model_card import OutputCard
from engine.model_folder import load_model_folder
from engine.runtime.auto.difference import Difference
from engine.runtime.student import load_student
from tests.fixtures.recipes import TINY


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    path = tmp_path_factory.mktemp("recipe") / "tiny.toml"
    path.write_text(TINY)
    return path


def train(*arguments):
    return main(["train", *map(str, arguments)])


@pytest.fixture(scope="module")
def whole(real24, recipe, tmp_path_factory):
    """A run that was never interrupted."""
    run = tmp_path_factory.mktemp("runs") / "whole"
    assert train("--recipe", recipe, "--run", run, "--data", real24) == 0
    return run


TEACHER = """
checkpoint_every_steps = 2
[distil]
loss = "mse"
ramp = 0.3
stop = 1.0
[[distil.teachers]]
name = "timm:test_efficientnet"
weights = "weights/tiny.safetensors"
size_px = 64
"""


@pytest.fixture(scope="module")
def taught(real24, tmp_path_factory):
    """What `train` needs to distil: the recipe's file and the filled cache."""
    folder = tmp_path_factory.mktemp("taught")
    head, rest = TEACHER.split("[distil]", 1)
    (folder / "taught.toml").write_text(head + TINY + "[distil]" + rest)
    (teacher,) = load_recipe(str(folder / "taught.toml")).distil.teachers
    fill_cache(folder / "cache", teacher, real24, load_index(real24).records, run=None)
    return "--recipe", folder / "taught.toml", "--data", real24, "--cache", folder / "cache"


@pytest.fixture(scope="module")
def model(whole, real24, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "tiny-1"
    assert (
        main(["export", str(whole), "--out", str(folder), "--data", str(real24), "--int8-images", "0"]) == 0
    )
    return folder


def weights_of(run, name):
    tag = json.loads((run / "checkpoints" / "state.json").read_text())["files"]
    return load_file(run / "checkpoints" / f"{name}-{tag}.safetensors")


def figures_of(run):
    return json.loads((run / "metrics.json").read_text())[-1]


def test_a_run_that_was_stopped_and_resumed_equals_one_that_was_not(whole, real24, recipe, tmp_path):
    run = tmp_path / "stopped"
    assert train("--recipe", recipe, "--run", run, "--data", real24, "--stop-after", 2) == 4
    assert train("--resume", run, "--data", real24) == 0

    for name in ("model", "average", "optimiser"):
        ours, theirs = weights_of(run, name), weights_of(whole, name)
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[key], theirs[key]) for key in ours)


def test_a_distillation_that_was_stopped_and_resumed_equals_one_that_was_not(taught, real24, tmp_path):
    whole, stopped, cache = tmp_path / "whole", tmp_path / "stopped", taught[-1]
    assert train(*taught, "--run", whole) == 0
    assert train(*taught, "--run", stopped, "--stop-after", 1) == 4
    assert train("--resume", stopped, "--data", real24, "--cache", cache) == 0

    for name in ("model", "average", "optimiser", "distiller"):
        ours, theirs = weights_of(stopped, name), weights_of(whole, name)
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[key], theirs[key]) for key in ours), name
    assert figures_of(stopped)["losses"] == figures_of(whole)["losses"]


def test_a_distillation_changes_the_student_and_adds_nothing_to_it(taught, whole, tmp_path):
    run = tmp_path / "run"
    assert train(*taught, "--run", run) == 0
    ours, theirs = weights_of(run, "model"), weights_of(whole, "model")

    assert ours.keys() == theirs.keys()
    assert any(not torch.equal(ours[key], theirs[key]) for key in ours)
    figures = figures_of(run)
    assert figures["teachers"]["timm:test_efficientnet.target_std_ratio"] > 0.5
    assert figures["losses"]["timm:test_efficientnet.low"] > 0
    assert 0.01 <= figures["share_scale"] <= 100
    (gate,) = [line for line in read_json_lines(run / "events.jsonl") if line["kind"] == "metric"]
    assert gate["name"] == "gradient_ratio"
    assert 0.02 < gate["value"] < 1


def test_a_teacher_that_runs_in_the_step_needs_no_cache(taught, tmp_path):
    run = tmp_path / "run"

    assert train(*taught[:4], "--run", run, "--set", "distil.online=true", "--stop-after", 1) == 4


@pytest.mark.parametrize("how", ["sees_view", "online"])
def test_soft_masks_alone_change_the_student_and_need_no_heads(how, model, whole, recipe, real24, tmp_path):
    run = tmp_path / "run"
    more = "sees_view = true, " if how == "sees_view" else ""
    teacher = f'distil.teachers=[{{ {more}name = "task:{model}", soft_weight = 1.0, features = false }}]'
    words = (
        "--set",
        teacher,
        "--set",
        "distil.stop=1.0",
        *(("--set", "distil.online=true") if not more else ()),
    )
    assert train("--recipe", recipe, "--run", run, "--data", real24, *words) == 0

    plain, own = weights_of(whole, "average"), weights_of(run, "average")
    assert not all(torch.equal(plain[key], own[key]) for key in plain)
    assert not list((run / "checkpoints").glob("distiller*"))
    (row,) = json.loads((run / "metrics.json").read_text())
    assert row["teachers"] == {}


def test_only_trained_models_see_views(taught, tmp_path, capsys):
    words = ("mask_share=0.5", "features=false", "sees_view=true")
    changes = [word for one in words for word in ("--set", f"distil.teachers.0.{one}")]

    assert train(*taught, "--run", tmp_path / "run", *changes) == 2
    assert "only task:MODEL FOLDER can" in capsys.readouterr().err


def test_a_cache_that_was_not_filled_is_exit_code_3(taught, tmp_path, capsys):
    assert train(*taught[:4], "--run", tmp_path / "run", "--cache", tmp_path / "empty") == 3
    assert "python -m distill cache" in capsys.readouterr().err


@pytest.mark.parametrize("selection", ["validation", "train_loss"])
def test_the_best_epochs_weights_are_kept_and_named_for_export(selection, real24, recipe, tmp_path):
    run = tmp_path / "run"
    changes = (f"--set=selection={selection}", "--set=stages.0.epochs=3", "--set=optimiser.rate=0.05")
    assert train("--recipe", recipe, "--run", run, "--data", real24, *changes) == 0
    rows = json.loads((run / "metrics.json").read_text())
    by = {"validation": lambda row: row["dice"], "train_loss": lambda row: -row["losses"]["mean"]}[selection]
    best = max(rows, key=by)  # the first one of equals

    state = json.loads((run / "checkpoints" / "state.json").read_text())
    assert state["weights"] == f"best-{best['step']:07d}.safetensors"
    before = json.loads((run / "checkpoints" / "state-before.json").read_text())
    kept = {path.name for path in (run / "checkpoints").glob("best-*")}
    assert kept == {state["weights"], before["weights"]}


def test_the_last_average_is_exported_where_nothing_is_selected(whole):
    state = json.loads((whole / "checkpoints" / "state.json").read_text())

    assert state["weights"] == f"average-{state['files']}.safetensors"


def test_a_run_folder_shows_what_was_done(whole):
    stated = json.loads((whole / "run.json").read_text())
    sheet = cv2.imread(str(whole / "samples" / "epoch-001.png"))

    assert stated["recipe"]["name"] == "tiny"
    assert {"git_revision", "versions", "host", "data"} <= stated.keys()
    assert (whole / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert sheet.shape[0] % 128 == 0
    assert sheet.shape[1] == 4 * 128  # input, truth, student, error; no teacher


def test_a_processor_without_bf16_trains_in_float32_and_says_so(
    recipe, real24, tmp_path, monkeypatch, caplog
):
    words = ("--recipe", recipe, "--data", real24, "--set", "precision=bf16", "--stop-after", 1)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, "avx512_bf16": False})

    assert train(*words, "--run", tmp_path / "run") == 4
    assert json.loads((tmp_path / "run" / "run.json").read_text())["recipe"]["precision"] == "float32"
    assert "in float32 instead" in caplog.text

    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, "avx512_bf16": True})
    assert fitting(load_recipe(str(recipe), ["precision=bf16"])).precision == "bf16"


def test_events_say_how_it_went(whole):
    events = list(read_json_lines(whole / "events.jsonl"))

    assert events[0]["kind"] == "start"
    assert (events[-1]["kind"], events[-1]["outcome"]) == ("done", "ok")
    assert [event["n"] for event in events] == list(range(1, len(events) + 1))
    kinds = {event["kind"] for event in events}
    assert kinds >= {"data", "stage", "epoch", "sample", "checkpoint"}
    (epoch,) = [event for event in events if event["kind"] == "epoch"]
    assert 0 <= epoch["dice"] <= 1
    assert set(epoch["losses"]) == {"mean", "segmentation"}


def test_a_run_that_is_still_at_it_is_not_gone_on_with(real24, recipe, tmp_path, capsys):
    run = tmp_path / "run"
    assert train("--recipe", recipe, "--run", run, "--data", real24, "--stop-after", 1) == 4
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}

    with held(run / "lock"):  # as the process that trains
        code = train("--resume", run, "--data", real24)
        (run / "lock").unlink()
        assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before

    assert code == 2
    assert "Another run is writing into" in capsys.readouterr().err
    assert train("--resume", run, "--data", real24) == 0
    assert not (run / "lock").exists()


def test_a_run_asked_to_cancel_stops_with_a_checkpoint(real24, recipe, tmp_path):
    run = tmp_path / "run"
    assert train("--recipe", recipe, "--run", run, "--data", real24, "--stop-after", 1) == 4
    state = json.loads((run / "checkpoints" / "state.json").read_text())

    assert state["progress"]["step"] == 1


def test_a_run_asked_to_cancel_while_it_reads_its_images_ends_at_once(real24, recipe, tmp_path, monkeypatch):
    monkeypatch.setattr(RunFolder, "clear_cancel", lambda run: (run.path / CANCEL).touch())
    assert train("--recipe", recipe, "--run", tmp_path / "run", "--data", real24) == 4

    told = [(event["kind"], event.get("outcome")) for event in read_json_lines(tmp_path / "run" / EVENTS)]
    assert told == [("start", None), ("done", "cancelled")]


def other_data(folder, real24):
    """A data folder that is another one: a line less."""
    shutil.copytree(real24, folder)
    lines = (folder / "index.jsonl").read_text().splitlines(keepends=True)
    (folder / "index.jsonl").write_text("".join(lines[1:]))
    return folder


@pytest.mark.slow
def test_an_export_takes_the_data_of_its_run_and_never_what_lies_at_the_usual_place(
    whole, real24, tmp_path, monkeypatch
):
    monkeypatch.setenv("POLYP_DATA", str(other_data(tmp_path / "other", real24)))

    assert main(["export", str(whole), "--out", str(tmp_path / "m"), "--int8-images", "0"]) == 0

    index = load_index(real24)
    assert f"24 images of {', '.join(sorted({r.set for r in index.records}))}" in (
        load_model_folder(tmp_path / "m").card.training.data
    )
    assert main(["evaluate", str(tmp_path / "m"), "--json", str(tmp_path / "f.json")]) == 3
    monkeypatch.setenv("POLYP_DATA", str(real24))
    assert main(["evaluate", str(tmp_path / "m"), "--json", str(tmp_path / "f.json")]) == 0


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("verb", ["export", "evaluate", "resume"])
def test_what_would_judge_or_train_on_other_data_than_the_runs_is_refused_and_names_the_option(
    whole, real24, tmp_path, monkeypatch, capsys, named, verb
):
    run, other = tmp_path / "run", other_data(tmp_path / "other", real24)
    shutil.copytree(whole, run)
    told = json.loads((run / "run.json").read_text())
    told["data"]["folder"] = str(tmp_path / "gone")
    (run / "run.json").write_text(json.dumps(told))
    monkeypatch.setenv("POLYP_DATA", str(other))
    words = {
        "export": ("export", run, "--out", tmp_path / "m"),
        "evaluate": ("evaluate", run),
        "resume": ("train", "--resume", run),
    }[verb]

    assert main([*map(str, words), *(("--data", str(other)) if named else ())]) == 3

    assert "--data" in capsys.readouterr().err
    assert not (tmp_path / "m").exists()


def test_a_run_from_before_folders_were_noted_finds_its_data_by_the_fingerprint_alone(
    whole, real24, tmp_path, monkeypatch
):
    run = tmp_path / "run"
    shutil.copytree(whole, run)
    told = json.loads((run / "run.json").read_text())
    del told["data"]["folder"]
    (run / "run.json").write_text(json.dumps(told))
    monkeypatch.setenv("POLYP_DATA", str(real24))

    assert main(["evaluate", str(run), "--json", str(tmp_path / "f.json")]) == 0


@pytest.mark.slow
def test_a_run_for_the_endoscopes_picture_is_validated_on_it_and_becomes_a_model_for_it(
    recipe, real24, tmp_path, monkeypatch
):
    run, folder, shown = tmp_path / "run", tmp_path / "field", []

    def plain_batch(pictures, positions, size_px, region="frame"):
        shown.append(region)
        return dataset.plain_batch(pictures, positions, size_px, region)

    monkeypatch.setattr(validate, "plain_batch", plain_batch)
    changes = ("--set", "region=field", "--set", "augment.field=0.8")
    assert train("--recipe", recipe, "--run", run, "--data", real24, *changes) == 0
    assert main(["export", str(run), "--out", str(folder), "--data", str(real24), "--int8-images", "0"]) == 0

    card = load_model_folder(folder).card
    assert card.region == trained_model(folder).region == "field"
    assert "The endoscope's picture alone." in card.training.split
    assert (
        "false_detections_per_polyp_free_field" not in card.presets["standard"].measured
    )  # it sees no other
    assert shown[-1] == "field"  # of the epoch; before the first step nothing is judged


def test_an_exported_model_is_the_trained_average(model, whole):
    exported = load_student(load_model_folder(model)).state_dict()
    average = weights_of(whole, "average")

    assert all(
        torch.allclose(exported[key].float(), average[key].float(), rtol=2e-3, atol=1e-6) for key in average
    )


def test_the_onnx_file_says_what_the_trained_network_says(model):
    rows = {row.runtime: row for row in load_model_folder(model).card.parity}

    assert rows["onnxruntime f32"].max_dp < 1e-3
    assert rows["openvino f32"].max_dp < 1e-3


def test_bf16_is_compared_only_where_it_is_computed(model):
    compared = {row.runtime for row in load_model_folder(model).card.parity}

    assert {"onnxruntime f32", "openvino f32"} <= compared
    assert ("openvino bf16" in compared) == openvino_has_bf16()


def test_the_onnx_file_keeps_its_contract(model):
    import onnxruntime

    session = onnxruntime.InferenceSession(str(load_model_folder(model).onnx))
    (given,), (returned,) = session.get_inputs(), session.get_outputs()
    pictures = np.random.default_rng(0).normal(size=(3, 3, 64, 64)).astype(np.float32)
    together = session.run(None, {"image": pictures})[0]
    alone = [session.run(None, {"image": picture[None]})[0] for picture in pictures]

    assert (given.name, given.shape, given.type) == ("image", ["batch", 3, 64, 64], "tensor(float)")
    assert returned.name == "logits"
    assert together.shape == (3, 1, 64, 64)
    assert np.allclose(together, np.concatenate(alone), atol=1e-4)


def test_the_large_weights_of_the_onnx_file_are_stored_in_half(model):
    import onnx

    stored = onnx.load(load_model_folder(model).onnx).graph.initializer
    large = [constant for constant in stored if np.prod(constant.dims) >= 1024]

    assert large
    assert {constant.data_type for constant in large} == {onnx.TensorProto.FLOAT16}


def test_the_exported_files_tell_nothing_of_the_machine_they_were_made_on(model):
    home = str(Path(engine.__file__).parents[1]).encode()

    assert [path.name for path in model.iterdir() if home in path.read_bytes()] == []


def test_a_dry_run_proposes_a_batch_tells_it_and_leaves_no_run(real24, recipe, tmp_path):
    events = tmp_path / "events.jsonl"
    run = tmp_path / "run"
    words = ("--recipe", recipe, "--run", run, "--data", real24, "--events", events)
    assert train(*words, "--dry-run") == 0
    (memory,) = [event for event in read_json_lines(events) if event["kind"] == "memory"]

    assert memory["image_mib"] > 0
    assert memory["largest_batch"] is None or memory["largest_batch"] > 4
    assert not run.exists()


def test_a_model_says_where_it_comes_from(model):
    card = load_model_folder(model).card

    assert card.training.seed == 3
    assert "24 images" in card.training.data
    assert "group" in card.training.split
    assert card.use == "research use only"
    assert not card.default
    assert {metric.set for metric in card.metrics} >= {"pooled", "cvc-clinicdb"}


def test_a_model_folder_is_never_written_over(model, whole, real24):
    assert main(["export", str(whole), "--out", str(model), "--data", str(real24)]) == 2


def test_a_folder_without_images_is_exit_code_3(tmp_path, recipe):
    (tmp_path / "index.jsonl").write_text("")

    assert train("--recipe", recipe, "--run", tmp_path / "run", "--data", tmp_path) == 3


def test_a_recipe_that_is_not_there_is_exit_code_2(tmp_path, real24):
    assert train("--recipe", "no-such-recipe", "--run", tmp_path / "run", "--data", real24) == 2


def test_runs_that_go_on_from_one_model_are_exported_as_their_mean(model, whole, real24, recipe, tmp_path):
    runs = []
    for seed in (1, 2):
        runs.append(tmp_path / f"seed{seed}")
        words = ("--recipe", recipe, "--run", runs[-1], "--data", real24, "--set", f"student.start={model}")
        assert train(*words, "--set", f"seed={seed}", "--set", "optimiser.rate=1e-4") == 0
    stated = json.loads((runs[1] / "run.json").read_text())
    stated["recipe"]["precision"] = "bf16"  # as on a machine that has it
    (runs[1] / "run.json").write_text(json.dumps(stated))
    words = ("--out", tmp_path / "mean", "--data", real24, "--int8-images", 0)
    assert main(list(map(str, ("export", *runs, *words)))) == 0

    exported = load_model_folder(tmp_path / "mean")
    mean = load_student(exported).state_dict()
    start = load_student(load_model_folder(model)).state_dict()
    averages = [weights_of(run, "average") for run in runs]
    moved = 0.0
    for key, value in mean.items():
        if value.is_floating_point():
            expected = torch.stack([average[key].float() for average in averages]).mean(0)
            assert torch.allclose(value.float(), expected, rtol=2e-3, atol=1e-5)
            if "running_" not in key:
                moved = max(moved, float((value - start[key]).abs().max()))
    assert 0 < moved < 0.1  # it went on from there
    assert exported.card.training.run_id == "seed1 + seed2"
    assert "The mean of the weights of 2 seeds." in exported.card.training.split
    # One that began elsewhere is no part of any mean.
    assert main(list(map(str, ("export", runs[0], whole, "--out", tmp_path / "no", "--data", real24)))) == 2


def test_int8_that_draws_other_masks_on_video_is_left_out(model, real24, tmp_path, monkeypatch, caplog):
    other = Difference(max_dp=1.0, mask_dice=0.5, images=24, pooled_dice=0.5)
    monkeypatch.setattr("distill.export.folder.on_video", lambda *networks_and_cards: other)
    monkeypatch.setattr(
        "distill.export.parity.MAX_DICE_DROP", 1.0
    )  # of a network of few steps that says nothing
    out = tmp_path / "without"
    with caplog.at_level("INFO", "distill.export.folder"):
        words = ("export", model, "--out", out, "--data", real24, "--int8-images", 4)
        assert main(list(map(str, words))) == 0

    assert "int8 stays out: its masks on video agree to Dice 0.500" in caplog.text
    assert not list(out.glob("*int8*"))
    assert load_model_folder(out).int8 is None
    assert load_model_folder(out).card.parity[-1].runtime == "openvino int8"  # what it was is still told


@pytest.mark.slow  # two networks exported as one
def test_several_models_are_exported_as_a_committee(model, real24, tmp_path):
    out = tmp_path / "both"

    assert (
        main(list(map(str, ("export", model, model, "--out", out, "--data", real24, "--int8-images", 0))))
        == 0
    )

    one, both = load_model_folder(model), load_model_folder(out)
    image = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        alone = load_student(one)
        expected = (alone(image) + alone(image.flip(-1)).flip(-1)) / 2
        assert torch.allclose(load_student(both)(image), expected, atol=1e-4)
    assert both.card.student.name == "committee"
    assert both.card.student.args["channels"] == "16 16"
    assert both.card.student.args["mirrored"] is True
    assert both.card.training.run_id == "tiny-1 + tiny-1"
    assert "committee of tiny-1 + tiny-1" in both.card.training.split
    assert both.card.training.held_out == one.card.training.held_out


def test_a_committee_of_models_that_other_images_judge_is_refused(model, real24, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(model, other)
    card = json.loads((other / "model.json").read_text())
    card["training"]["held_out"]["fold"] = 2
    (other / "model.json").write_text(json.dumps(card))

    words = ("export", model, other, "--out", tmp_path / "both", "--data", real24)
    assert main(list(map(str, words))) == 2
    assert not (tmp_path / "both").exists()


def test_hard_negatives_are_what_the_start_marks_whole_or_without_panels(model, recipe, real24, tmp_path):
    words = ["--recipe", recipe, "--run", tmp_path / "run", "--data", real24, "--stop-after", 1]
    for change in (f"student.start={model}", "data.negatives_share=0.3", "data.hard_negatives_share=0.5"):
        words += ["--set", change]
    assert train(*words) == 4
    (said,) = (line for line in read_json_lines(tmp_path / "run" / "events.jsonl") if line["kind"] == "data")

    index, folder = load_index(real24), load_model_folder(model)
    chosen = split_of(index.records, load_recipe(str(recipe)).data).train
    free = Pictures(real24, [index.records[i] for i in chosen if index.records[i].mask is None])
    start, output = torch_network(load_student(folder)), OutputCard(kind="logits")
    peaks = [
        [found.max() for found in maps_of(start, pictures, folder.card.input, output)]
        for pictures in (free, fields_of(free))
    ]
    marked = np.max(peaks, axis=0) > 0.5
    assert len(free) >= 4
    assert said["hard_negatives"] == marked.sum()


def test_a_training_goes_on_only_from_what_saw_no_image_that_it_leaves_out(model, recipe, real24, tmp_path):
    words = ("--recipe", recipe, "--data", real24, "--set", f"student.start={model}", "--dry-run")

    assert train(*words, "--run", tmp_path / "a") == 0
    assert train(*words, "--run", tmp_path / "b", "--set", "data.left_out_folds=[1]") == 2


def test_a_run_is_judged_before_it_is_exported(whole, model, real24, tmp_path):
    table, by_model = tmp_path / "run.csv", tmp_path / "model.csv"

    assert main(["evaluate", str(whole), "--data", str(real24), "--csv", str(table)]) == 0
    assert (
        main(["evaluate", str(model), "--data", str(real24), "--csv", str(by_model), "--precision", "f32"])
        == 0
    )

    of_run, of_model = read_table(table), read_table(by_model)
    assert [row.case for row in of_run] == [row.case for row in of_model]
    for a, b in zip(of_run, of_model, strict=True):
        # The model's temperature moves probabilities and no mask.
        assert a.figures.get("dice") == pytest.approx(b.figures.get("dice"), abs=0.02)
    assert main(["evaluate", str(whole), "--images", "a", "--masks", "b"]) == 2


def test_a_model_exported_again_keeps_its_own_split_whatever_its_recipe_says_today(model, tmp_path):
    copy = tmp_path / "again"
    shutil.copytree(model, copy)
    card = json.loads((copy / "model.json").read_text())
    card["training"]["recipe"] = "light"
    card["training"]["held_out"]["fold"] = 2
    (copy / "model.json").write_text(json.dumps(card))

    assert load_recipe("light").data.fold == 0
    assert trained_model(copy).data.fold == 2
