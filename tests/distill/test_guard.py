"""A training that cannot succeed says so at once, and one that breaks leaves what was good."""

import json
import os
import signal

import numpy as np
import pytest
import torch

from distill.__main__ import main
from distill.data.dataset import Pictures, plain_batch
from distill.data.index import Record, load_index
from distill.data.splits import split_of
from distill.recipe import DistilPart, load_recipe, parse_recipe
from distill.train.guard import judge_epoch, refuse_early
from distill.train.memory import dry_step
from distill.train.module import TrainingModule
from distill.train.start import begin_network
from distill.train.validate import maps_of
from engine.faults import FaultCode, FaultError
from engine.files.lock import holder
from engine.jobs.ended import How
from engine.jobs.events import Epoch
from engine.jobs.folder import EVENTS, LOCK, LOG
from engine.jobs.interrupt import interrupt
from engine.jobs.process import Life, Process, python
from engine.jobs.tail import Tail
from engine.models import make_student

STEADY = {"t.target_std": 1.0, "t.target_std_ratio": 0.9, "t.unexplained": 0.4}


@pytest.fixture(scope="module")
def recipe():
    values = load_recipe("light").model_dump(mode="json")
    values |= {"batch": 4, "precision": "float32", "stages": [{"epochs": 1, "size_px": 64}]}
    values["student"] |= {
        "args": {"encoder": "test_efficientnet", "channels": 8},
        "pretrained": "weights/tiny.safetensors",
    }
    values["data"] = {"folds": 3}
    return parse_recipe(values)


@pytest.fixture
def module(recipe):
    torch.manual_seed(0)
    return TrainingModule(make_student("light", recipe.student.args), None, recipe)


@pytest.fixture
def pictures():
    """Two images of 64x64, one with a polyp."""
    made = Pictures(root=None, records=[])
    rng = np.random.default_rng(0)
    for name, has in (("a", True), ("b", False)):
        mask = np.zeros((64, 64), np.uint8)
        mask[10:30, 10:30] = has
        image = rng.integers(0, 255, (64, 64, 3), dtype=np.uint8)
        made.add(Record(image=name, mask=name if has else None, set="s", group=name), image, mask)
    return made


def train_at_once(recipe, real24, run, *more):
    flags = flags_of(recipe_changes(recipe))
    return main(["train", "--recipe", "light", "--run", str(run), "--data", str(real24), *flags, *more])


def flags_of(changes):
    return ["--recipe=light", *(f"--set={key}={json.dumps(value)}" for key, value in changes.items())]


def recipe_changes(recipe):
    """`light` becomes the tiny recipe by flags."""
    return {
        "batch": recipe.batch,
        "precision": recipe.precision,
        "student.pretrained": recipe.student.pretrained,
        "student.args.encoder": recipe.student.args["encoder"],
        "student.args.channels": recipe.student.args["channels"],
        "data.folds": 3,
        "data.validation_groups": [],
        "stages.0.epochs": 1,
        "stages.0.size_px": 64,
        "stages.1.size_px": 64,
        "stages.2.size_px": 64,
        "optimiser.warm_up_steps": 1,
    }


def test_images_without_any_polyp_are_refused_before_the_first_step(module, pictures):
    for mask in pictures.masks:
        mask[:] = 0

    with pytest.raises(FaultError, match="at least one training image with a polyp") as caught:
        refuse_early(module, None, pictures, pictures, 64)

    assert caught.value.code is FaultCode.DATA_SET


def test_a_network_that_says_no_number_is_refused_before_the_first_step(module, pictures):
    module.student.head.bias.data.fill_(torch.nan)

    with pytest.raises(FaultError, match="a finite loss"):
        refuse_early(module, None, pictures, pictures, 64)


def test_the_look_before_the_first_step_changes_nothing(module, pictures):
    before = {name: value.clone() for name, value in module.state_dict().items()}
    refuse_early(module, None, pictures, pictures, 64)

    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def test_collapsed_targets_end_the_training():
    with pytest.raises(FaultError, match="gate G2"):
        judge_epoch(STEADY | {"t.target_std_ratio": 0.4}, {}, DistilPart())


def test_the_notebooks_collapse_is_a_warning_for_that_is_what_it_is_for():
    part = DistilPart(projector="teacher_trainable")

    (sentence,) = judge_epoch(STEADY | {"t.target_std_ratio": 0.01}, {}, part)

    assert "Gate G2" in sentence


def test_a_fit_no_better_than_a_constant_is_a_warning():
    (sentence,) = judge_epoch(STEADY, STEADY | {"t.unexplained": 1.2}, DistilPart())

    assert "Gate G3" in sentence
    assert judge_epoch(STEADY, STEADY, DistilPart()) == []


def test_a_loss_that_is_not_finite_stops_and_leaves_the_state_before_it(
    recipe, real24, tmp_path, monkeypatch, capsys
):
    seen = []
    forward = TrainingModule.forward

    def breaks_at_the_third(self, *batch):
        said = forward(self, *batch)
        if torch.is_grad_enabled():
            seen.append({name: value.clone() for name, value in self.student.state_dict().items()})
            if len(seen) == 3:
                return said._replace(segmentation=said.segmentation * torch.nan)
        return said

    monkeypatch.setattr(TrainingModule, "forward", breaks_at_the_third)
    run = tmp_path / "run"

    assert train_at_once(recipe, real24, run) == 2
    assert "a finite loss" in capsys.readouterr().err
    state = json.loads((run / "checkpoints" / "state.json").read_text())
    assert state["progress"]["step"] == 2
    monkeypatch.setattr(TrainingModule, "forward", forward)
    assert main(["train", "--resume", str(run), "--data", str(real24), "--stop-after", "1"]) == 4


def test_ctrl_c_finishes_the_step_saves_and_says_how_to_go_on(recipe, real24, tmp_path):
    """As a window has it: a process of its own that prints into its folder, and a tail on its events."""
    run = tmp_path / "run"
    flags = flags_of(recipe_changes(recipe) | {"stages.0.epochs": 40})
    command = python("-m", "distill", "train", "--recipe", "light", "--run", str(run), "--data", str(real24))
    training = Process([*command, *flags], Life.DETACHED, folder=run)
    tail = Tail(run / EVENTS)
    while not any(isinstance(event, Epoch) for event in tail.look().events):
        assert training.wait(0.05) is None, (run / LOG).read_text()
    assert holder(run / LOCK) == training.pid

    os.kill(training.pid, signal.SIGINT)
    ended = training.end()

    assert ended.how is How.CANCELLED
    assert f"--resume {run}" in ended.last
    assert holder(run / LOCK) is None
    step = json.loads((run / "checkpoints" / "state.json").read_text())["progress"]["step"]
    *_, stop, checkpoint, done = tail.look().events
    assert (stop.step, checkpoint.step, done.outcome) == (step, step, "cancelled")
    assert step > 0


def test_the_first_ctrl_c_asks_and_the_second_ends_at_once():
    before = signal.getsignal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt), interrupt() as asked:  # noqa: PT012
        said = [asked()]
        signal.getsignal(signal.SIGINT)(signal.SIGINT, None)
        said.append(asked())
        assert said == [False, True]
        signal.getsignal(signal.SIGINT)(signal.SIGINT, None)

    assert signal.getsignal(signal.SIGINT) is before


def test_the_dry_step_proposes_a_batch_and_leaves_the_network_as_it_was(module):
    before = {name: value.clone() for name, value in module.state_dict().items()}
    small, large = dry_step(module, 64), dry_step(module, 128)

    assert 3.5 < large.image_mib / small.image_mib < 4.5
    assert large.largest_batch is None or 0 < large.largest_batch < small.largest_batch
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert all(parameter.grad is None for parameter in module.parameters())


def test_a_tiny_student_learns_four_images_by_heart(real24, recipe):
    index = load_index(real24)
    polyps = [i for i in split_of(index.records, recipe.data).train if index.records[i].mask][:4]
    pictures = Pictures(real24, [index.records[i] for i in polyps])
    torch.manual_seed(0)
    module = TrainingModule(begin_network(recipe, real24)[0], None, recipe)
    optimiser = torch.optim.Adam(module.parameters(), lr=0.02)
    batch = plain_batch(pictures, range(4), 64)
    module.train()
    torch.set_num_threads(1)
    for _ in range(40):
        optimiser.zero_grad()
        module(batch.image, batch.mask).segmentation.backward()
        optimiser.step()
    maps = np.stack(list(maps_of(module, module.student.train(False), pictures, 64, lambda: None)))
    found, truth = maps > 0.5, batch.mask[:, 0].numpy() > 0

    dice = 2 * (found & truth).sum() / (found.sum() + truth.sum())
    assert dice > 0.9
