"""What README says of training, word by word, on a folder of somebody's own images."""

import json
import shutil

import pytest
from safetensors.torch import load_file, save_file

from distill.__main__ import main
from distill.recipe import RECIPES, load_recipe
from engine.faults import FaultCode, FaultError
from engine.files.whole import HOME_VARIABLE
from engine.model_folder import bundled_models, load_model_folder
from engine.models.encoder import make_encoder
from tests.fixtures.own_images import own_images

LITE0 = "tf_efficientnet_lite0"
SHORT = ("--set", "stages=[{epochs=1,size_px=64}]", "--set", "batch=8", "--set", "threads=1")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("own")
    own_images(root / "mine", count=20)
    assert distill("prepare", root / "mine", "--out", root / "data") == 0
    return root / "data"


@pytest.fixture(autouse=True)
def no_hub(monkeypatch, tmp_path):
    """Nothing is at hand but what a test puts there."""

    def unreachable(source):
        raise FaultError(FaultCode.MODEL_MISSING, expected=source, got="no network", remedy="go online")

    monkeypatch.setattr("engine.models.encoder._from_hub", unreachable)
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))


def distill(*words):
    return main([*map(str, words)])


def told(run):
    return json.loads((run / "run.json").read_text())


@pytest.mark.parametrize("name", sorted(path.stem for path in RECIPES.glob("*.toml")))
def test_no_recipe_knows_groups_of_anybodys_data(name):
    assert load_recipe(name).data.validation_groups == ()


def test_light_starts_from_the_bundled_students_encoder_when_no_imagenet_weights_are_at_hand_and_says_so(
    data, tmp_path, caplog
):
    run = tmp_path / "run"
    changes = ("--stop-after", 1, "--set", "optimiser.rate=1e-12", "--set", "optimiser.ema_decay=0.0")
    with caplog.at_level("INFO", "distill"):
        assert distill("train", "--recipe", "light", "--data", data, "--run", run, *SHORT, *changes) == 4

    start = told(run)["start"]
    assert start["model"] == "polyp-light-7"
    assert "ImageNet weights of tf_efficientnet_lite0 are not at hand" in start["words"]
    assert "the encoder of the bundled polyp-light-7" in caplog.text
    bundled = next(path for path in bundled_models() if path.name == "polyp-light-7")
    ours = load_file(run / "checkpoints" / "model-0000001.safetensors")
    theirs = load_file(load_model_folder(bundled).weights)
    key = next(key for key in theirs if key.startswith("encoder.") and key.endswith("conv_stem.weight"))
    assert (ours[key] - theirs[key].float()).abs().max() < 1e-3


@pytest.mark.parametrize("place", ["data", "home"])
def test_imagenet_weights_are_found_by_the_encoders_name(place, data, tmp_path):
    root = tmp_path / "data"
    shutil.copytree(data, root)
    folder = root / "weights" if place == "data" else tmp_path / "home" / "data" / "weights"
    folder.mkdir(parents=True)
    save_file(make_encoder(LITE0).state_dict(), folder / f"{LITE0}.in1k.safetensors")
    run = tmp_path / "run"

    words = ("--recipe", "light", "--data", root, "--run", run, "--stop-after", 1)
    assert distill("train", *words, *SHORT) == 4
    assert told(run)["start"]["encoder"]["source"] == f"{LITE0}.in1k.safetensors"
    shutil.rmtree(folder)  # what was begun with them goes on without
    assert distill("train", "--resume", run, "--data", root) == 0
    assert told(run)["start"]["encoder"]["source"] == f"{LITE0}.in1k.safetensors"


def test_weights_that_nobody_has_are_named_with_where_to_get_them_and_where_to_put_them(
    data, tmp_path, capsys
):
    run = tmp_path / "run"
    changes = ("--set", "student.args.encoder=tf_efficientnet_lite2")

    assert distill("train", "--recipe", "light", "--data", data, "--run", run, *SHORT, *changes) == 2
    (said,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("polyplive:")]
    assert "https://huggingface.co/timm/tf_efficientnet_lite2.in1k" in said
    assert str(tmp_path / "home" / "data" / "weights" / "tf_efficientnet_lite2.safetensors") in said
    assert not run.exists()


def test_a_teacher_without_weights_is_never_left_out_but_refused_with_what_to_get(data, capsys):
    teacher = 'distil.teachers=[{name="timm:tf_efficientnet_lite1"}]'

    assert distill("cache", "--recipe", "best", "--set", teacher, "--data", data) == 2
    said = capsys.readouterr().err
    assert "https://huggingface.co/timm/tf_efficientnet_lite1" in said
    assert "--set 'distil.teachers=[]'" in said


def test_a_teachers_weights_are_found_by_its_name(data, tmp_path):
    folder = tmp_path / "home" / "data" / "weights"
    folder.mkdir(parents=True)
    save_file(make_encoder("test_efficientnet").state_dict(), folder / "test_efficientnet.safetensors")
    teacher = 'distil.teachers=[{name="timm:test_efficientnet", size_px=64}]'

    words = ("--data", data, "--folder", tmp_path / "cache")
    assert distill("cache", "--recipe", "best", "--set", teacher, *words) == 0


@pytest.mark.parametrize("name", ["sam_base.pth", "sam_base.safetensors", "sam_base"])
@pytest.mark.parametrize("place", ["data", "user"])
def test_a_foundation_models_file_or_folder_is_found_by_the_teachers_name(name, place, tmp_path):
    from distill.recipe import TeacherPart
    from distill.weights_at_hand import WEIGHTS, located, weights_folder

    data = tmp_path / "data"
    path = (data / WEIGHTS if place == "data" else weights_folder()) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()

    assert located(TeacherPart(name="sam_base"), data).weights == str(path)
    assert located(TeacherPart(name="sam_large"), data).weights == ""


def test_best_needs_nothing_but_what_is_bundled(data, tmp_path):
    words = ("--recipe", "best", "--data", data)

    assert distill("cache", *words) == 0
    assert distill("train", *words, "--run", tmp_path / "run", *SHORT, "--stop-after", 1) == 4
    assert told(tmp_path / "run")["recipe"]["distil"]["teachers"][0]["name"] == "task:polyp-accurate-5"


@pytest.fixture(scope="module")
def tuned(data, tmp_path_factory):
    """The bundled model, a few steps on."""
    folder = tmp_path_factory.mktemp("tuned")
    run, model = folder / "run", folder / "mine-1"
    small = ("--set", "export_size_px=96")
    assert distill("train", "--recipe", "tune", "--data", data, "--run", run, *SHORT, *small) == 0
    assert distill("export", run, "--out", model, "--int8-images", 0) == 0
    return run, model


def test_fine_tuning_the_bundled_model_is_one_command_and_becomes_a_model(tuned, data):
    run, model = tuned
    card = load_model_folder(model).card

    assert told(run)["start"]["model"] == "polyp-light-7"
    assert "went on from polyp-light-7" in card.training.split
    assert card.training.encoder is not None
    assert card.training.held_out.validation_groups == ()
    assert "20 images" in card.training.data


def test_a_size_other_than_the_trained_one_is_said(tuned):
    _, model = tuned

    assert "Exported at 96x96 px, trained at 64x64 px." in load_model_folder(model).card.training.split


def test_a_model_of_ones_own_is_compared_with_the_bundled_one_on_ones_own_validation_images(
    tuned, data, tmp_path
):
    _, model = tuned
    out = tmp_path / "differences.json"

    assert distill("compare", "polyp-light-7", model, "--data", data, "--json", out) == 0
    assert {"mine", "pooled"} & set(json.loads(out.read_text())["differences"])


def test_a_model_that_saw_what_a_run_validates_on_is_no_start_for_it(tuned, data, tmp_path, capsys):
    _, model = tuned
    words = ("--recipe", "tune", "--data", data, "--run", tmp_path / "run", *SHORT)

    assert distill("train", *words, "--set", f"student.start={model}", "--set", "data.fold=1") == 2
    assert "it has learned what this run keeps out" in capsys.readouterr().err


def test_a_warm_up_is_never_longer_than_a_quarter_of_a_short_training(data, tmp_path):
    from distill.train.schedule import rate_factor

    part = load_recipe("light").optimiser
    assert max(rate_factor(step, 39, part) for step in range(39)) == pytest.approx(1.0, abs=0.01)
    assert rate_factor(50, 2000, part) == 0.51  # a long one warms up as the recipe says
