"""An encoder that learns from images without their masks."""

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from distill.__main__ import main
from distill.recipe import load_recipe
from distill.train.masked import HIDDEN_SHARE, STRIDE, MaskedPictures, hidden_parts
from distill.train.setup import make_network
from engine.files.whole import read_json_lines
from tests.fixtures.recipes import TINY

ENCODER = "test_efficientnet"


class Mean(nn.Module):
    """An encoder of one map: the mean colour of each 32-px part of what it is shown."""

    def forward(self, image):
        return [nn.functional.avg_pool2d(image, STRIDE)]


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    path = tmp_path_factory.mktemp("recipe") / "tiny.toml"
    path.write_text(TINY.replace("epochs = 1", "epochs = 8") + "rate = 0.02\n")
    return path


def pretrain(*arguments):
    return main(["pretrain", *map(str, arguments)])


@pytest.fixture(scope="module")
def whole(real24, recipe, tmp_path_factory):
    """Never interrupted."""
    run = tmp_path_factory.mktemp("runs") / "whole"
    assert pretrain("--recipe", recipe, "--run", run, "--data", real24) == 0
    return run


def test_each_picture_has_its_own_hidden_parts_as_many_as_in_the_others():
    hidden = hidden_parts(3, 160, torch.Generator().manual_seed(1))

    assert hidden.shape == (3, 1, 160, 160)
    assert hidden.unique().tolist() == [0, 1]
    assert hidden.mean((1, 2, 3)).tolist() == pytest.approx([HIDDEN_SHARE] * 3)
    assert not torch.equal(hidden[0], hidden[1])
    parts = hidden[0, 0].view(5, STRIDE, 5, STRIDE)
    assert torch.equal(parts.amax((1, 3)), parts.amin((1, 3)))


def test_only_hidden_parts_count_and_the_encoder_does_not_see_them():
    torch.manual_seed(0)
    model = MaskedPictures(Mean(), 3)
    image = torch.randn(2, 3, 64, 64)
    hidden = hidden_parts(2, 64, torch.Generator().manual_seed(0))
    painted = model.paint(Mean()(image * (1 - hidden))[0])
    counts = hidden.expand_as(image) > 0

    assert model(image, hidden).item() == pytest.approx(
        float((painted - image).abs()[counts].mean()), rel=1e-5
    )


def test_a_run_that_was_stopped_and_resumed_ends_with_the_same_encoder(whole, recipe, real24, tmp_path):
    run = tmp_path / "stopped"
    assert pretrain("--recipe", recipe, "--run", run, "--data", real24, "--stop-after", 3) == 4
    assert not list(run.glob("*.safetensors"))
    assert pretrain("--resume", run, "--data", real24) == 0

    ours, theirs = (load_file(folder / f"{ENCODER}.safetensors") for folder in (run, whole))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)


def test_it_learns_to_paint_what_is_hidden(whole):
    losses = [event["loss"] for event in read_json_lines(whole / "events.jsonl") if event["kind"] == "metric"]

    assert len(losses) == 8
    assert losses[-1] < 0.9 * losses[0]


def test_a_training_begins_with_that_encoder(whole, real24, recipe):
    file = whole / f"{ENCODER}.safetensors"
    student = make_network(load_recipe(str(recipe), [f"student.pretrained={file}"]), real24)
    begun = student.get_submodule("encoder").state_dict()

    assert all(torch.equal(begun[key], tensor) for key, tensor in load_file(file).items())
    assert any(
        not torch.equal(begun[key], tensor)
        for key, tensor in load_file(real24 / "weights" / "tiny.safetensors").items()
    )


def test_there_is_nothing_to_export(whole, real24, tmp_path, capsys):
    assert main(["export", str(whole), "--out", str(tmp_path / "model"), "--data", str(real24)]) == 2
    assert "a checkpoint" in capsys.readouterr().err


def test_half_precision_is_refused(real24, recipe, tmp_path, capsys):
    changes = ("--set", "precision=fp16")
    assert pretrain("--recipe", recipe, "--run", tmp_path / "run", "--data", real24, *changes) == 2
    assert "bf16 or float32" in capsys.readouterr().err


def test_a_student_without_a_pretrained_kind_of_encoder_is_refused(real24, recipe, tmp_path, capsys):
    changes = (
        "--set",
        "student.name=unet",
        "--set",
        "student.args={width=6}",
        "--set",
        "student.pretrained=",
    )
    assert pretrain("--recipe", recipe, "--run", tmp_path / "run", "--data", real24, *changes) == 2
    assert "timm encoder" in capsys.readouterr().err
