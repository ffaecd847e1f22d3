"""Unlabelled images beside labelled ones: what a step shows, what they teach, and a run that has them."""

import json

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from distill.__main__ import main
from distill.data.index import Record
from distill.data.unlabelled import Unlabelled, unlabelled_items
from distill.recipe import load_recipe, parse_recipe
from distill.teaching.targets import SoftTarget
from distill.train.batches import without_masks
from distill.train.module import TrainingModule
from engine.faults import FaultError
from engine.files.whole import read_json_lines
from engine.models import make_student
from tests.distill.test_task_teacher import make_folder
from tests.fixtures.recipes import TINY

STUDENT = {"name": "light", "args": {"encoder": "test_efficientnet", "channels": 16}}


# Which images a step shows


def recipe_of(**changes):
    """The tiny recipe with a teacher of soft masks."""
    words = ["student.pretrained=", "distil.teachers=[{name='task:x', soft_weight=1.0, flips=true}]"]
    path = changes.pop("path")
    return load_recipe(str(path), [*words, *(f"{key}={value}" for key, value in changes.items())])


@pytest.fixture
def tiny(tmp_path):
    path = tmp_path / "tiny.toml"
    path.write_text(TINY)
    return lambda **changes: recipe_of(path=path, **changes)


def test_every_unlabelled_image_is_shown_before_any_comes_again(tiny):
    recipe = tiny(**{"data.unlabelled_ratio": 0.75})  # 3 beside 4
    shown = np.concatenate([unlabelled_items(7, recipe, step) for step in range(14)])

    assert all(sorted(shown[turn * 7 : turn * 7 + 7] % 7) == list(range(7)) for turn in range(6))
    assert len(set(shown.tolist())) == len(shown)  # a copy has a number, and so a view, of its own
    assert (shown[:7] % 7).tolist() != (shown[7:14] % 7).tolist()


def test_what_a_step_shows_follows_from_its_number_alone(tiny):
    recipe = tiny(**{"data.unlabelled_ratio": 2})

    assert unlabelled_items(5, recipe, 11).tolist() == unlabelled_items(5, recipe, 11).tolist()
    assert unlabelled_items(5, recipe, 11).tolist() != unlabelled_items(5, recipe, 12).tolist()


def test_a_ratio_may_show_more_than_there_are_in_one_step(tiny):
    assert len(unlabelled_items(3, tiny(**{"data.unlabelled_ratio": 2}), 0)) == 8


def test_nothing_is_pasted_onto_an_image_that_nobody_drew_masks_for(tiny):
    augment = without_masks(
        tiny(**{"augment.paste": 0.5, "augment.small_paste": 0.5, "augment.hue": 0.2})
    ).augment

    assert (augment.paste, augment.small_paste, augment.polyp_free_crop, augment.large_crop) == (0, 0, 0, 0)
    assert augment.hue == 0.2


def test_unlabelled_pictures_are_read_when_they_are_asked_for(tmp_path):
    cv2.imwrite(str(tmp_path / "there.png"), np.full((20, 30, 3), 7, np.uint8))
    records = [Record(name, None, "made", name, label="unlabelled") for name in ("there.png", "gone.png")]
    pictures = Unlabelled(tmp_path, records)

    assert len(pictures) == 2
    assert pictures.images[0].shape == (20, 30, 3)
    assert pictures.masks[0].shape == (20, 30)
    assert not pictures.masks[0].any()
    with pytest.raises(FaultError):
        pictures.images[1]


# What they teach


def test_unlabelled_images_have_no_part_in_the_drawn_masks_loss(tiny):
    torch.manual_seed(0)
    recipe = tiny()
    module = TrainingModule(make_student(**STUDENT), None, recipe).eval()
    image, mask = torch.rand(3, 3, 64, 64), (torch.rand(1, 1, 64, 64) > 0.5).float()
    target = SoftTarget(torch.full((3, 1, 64, 64), 0.3), torch.ones(3, 1, 64, 64))

    losses = module(image, mask, None, {"task:x": target})
    alone = module(image[:1], mask)

    torch.testing.assert_close(losses.segmentation, alone.segmentation)
    assert alone.soft is None
    assert losses.soft > 0
    assert losses.parts["task:x.soft"] == losses.soft  # soft_weight 1


def test_a_teachers_soft_weight_is_its_factor(tiny):
    torch.manual_seed(0)
    student = make_student(**STUDENT)
    image, mask = torch.rand(1, 3, 64, 64), torch.ones(1, 1, 64, 64)
    soft = {"task:x": SoftTarget(torch.full((1, 1, 64, 64), 0.3), torch.ones(1, 1, 64, 64))}
    once, thrice = (
        TrainingModule(student, None, tiny(**{"distil.teachers.0.soft_weight": weight})).eval()
        for weight in (1.0, 3.0)
    )

    torch.testing.assert_close(thrice(image, mask, None, soft).soft, 3 * once(image, mask, None, soft).soft)


def test_function_matching_learns_nothing_of_the_drawn_mask(tiny):
    from distill.train.phases import phase_at

    recipe = tiny(**{"distil.weights": "[0.0, 1.0, 1.0]", "distil.ramp": 0.0})

    phase = phase_at(0, 10, recipe.distil)

    assert (phase.segmentation, phase.distil) == (0, 1)


# What a recipe may ask for


@pytest.mark.parametrize(
    ("teacher", "changes", "words"),
    [
        ({"name": "dinov2_base"}, {}, "needs a teacher with soft_weight"),
        ({"name": "task:x", "soft_weight": 1.0}, {}, "several members or with flips"),
        ({"name": "task:x", "soft_weight": 1.0}, {"least_agreement": 0.0}, None),
        ({"name": "task:x", "soft_weight": 1.0, "flips": True}, {}, None),
        ({"name": "ensemble", "soft_weight": 1.0, "members": ["a", "b"]}, {}, None),
    ],
)
def test_unlabelled_images_need_a_teacher_whose_voices_can_disagree(tiny, teacher, changes, words):
    values = tiny().model_dump(mode="json")
    values["data"]["unlabelled_ratio"] = 1.0
    values["distil"] |= {"teachers": [teacher], **changes}

    if words is None:
        assert parse_recipe(values).data.unlabelled_ratio == 1
        return
    with pytest.raises(FaultError, match=words):
        parse_recipe(values)


# A run


def write_index(root, lines):
    (root / "index.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def picture(root, name, seed):
    image = np.random.default_rng(seed).integers(0, 255, (60, 80, 3), np.uint8)
    cv2.imwrite(str(root / name), image)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Labelled images, and in a further folder polyp-free and unlabelled ones."""
    root, more = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("more")
    lines = []
    for number in range(12):
        picture(root, f"{number}.jpg", number)
        mask = cv2.circle(np.zeros((60, 80), np.uint8), (20 + 4 * number, 30), 12, 255, -1)
        cv2.imwrite(str(root / f"{number}.png"), mask)
        line = {"image": f"{number}.jpg", "mask": f"{number}.png", "set": "made", "group": f"g{number // 2}"}
        lines.append(line | {"label": "polyp"})
    write_index(root, lines)
    labels = ["no-polyp"] * 5 + ["unlabelled"] * 3
    for number in range(len(labels)):
        picture(more, f"{number}.jpg", 100 + number)
    write_index(
        more,
        [
            {"image": f"{n}.jpg", "mask": None, "set": "more", "group": f"m{n}", "label": label}
            for n, label in enumerate(labels)
        ],
    )
    return root, more


RUN = """
checkpoint_every_steps = 1
[distil]
ramp = 0.0
stop = 1.0
"""


@pytest.fixture(scope="module")
def asked(folders, tmp_path_factory):
    """What `cache` and `train` are called with."""
    root, more = folders
    place = tmp_path_factory.mktemp("asked")
    model = make_folder(place / "fold-0", root, 0)
    teacher = f'[[distil.teachers]]\nname = "task:{model}"\nsoft_weight = 1.0\nflips = true\n'
    head, rest = RUN.split("[distil]", 1)
    tiny = TINY.replace('pretrained = "weights/tiny.safetensors"', "").replace(
        "folds = 3", "folds = 3\nunlabelled_ratio = 0.5\nnegatives_share = 0.25"
    )
    (place / "soft.toml").write_text(f"{head}{tiny}[distil]{rest}{teacher}")
    words = ("--recipe", place / "soft.toml", "--data", root, "--more-data", more)
    assert verb("cache", *words, "--folder", place / "cache") == 0
    return *words, "--cache", place / "cache"


def verb(*words):
    return main([*map(str, words)])


def weights_of(run, name):
    tag = json.loads((run / "checkpoints" / "state.json").read_text())["files"]
    return load_file(run / "checkpoints" / f"{name}-{tag}.safetensors")


def test_a_run_with_unlabelled_images_and_a_further_folder_resumes_bit_for_bit(asked, folders, tmp_path):
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    assert verb("train", *asked, "--run", whole) == 0
    assert verb("train", *asked, "--run", stopped, "--stop-after", 1) == 4
    assert (
        verb("train", "--resume", stopped, "--data", folders[0], *asked[-2:]) == 0
    )  # it knows its own folders

    for name in ("model", "average", "optimiser", "distiller"):
        ours, theirs = weights_of(stopped, name), weights_of(whole, name)
        assert all(torch.equal(ours[key], theirs[key]) for key in theirs), name
    (told,) = [line for line in read_json_lines(whole / "events.jsonl") if line["kind"] == "data"]
    assert told["unlabelled"] == 3
    assert told["train"] > 8  # with polyp-free images of the further folder
    (row,) = json.loads((whole / "metrics.json").read_text())
    assert any(name.endswith(".soft") for name in row["losses"])


def test_unlabelled_images_change_what_is_learned(asked, folders, tmp_path):
    with_them, without = tmp_path / "with", tmp_path / "without"
    assert verb("train", *asked, "--run", with_them, "--stop-after", 1) == 4
    assert verb("train", *asked, "--run", without, "--stop-after", 1, "--set", "data.unlabelled_ratio=0") == 4

    ours, theirs = weights_of(with_them, "model"), weights_of(without, "model")
    assert any(not torch.equal(ours[key], theirs[key]) for key in ours)


def test_run_json_names_the_further_folders_and_their_fingerprints(asked, folders, tmp_path):
    run = tmp_path / "run"
    assert verb("train", *asked, "--run", run, "--stop-after", 1) == 4

    (told,) = json.loads((run / "run.json").read_text())["data"]["more"]

    assert told["folder"] == str(folders[1].resolve())
    assert told["images"] == 8
    assert len(told["index_sha256"]) == 64


def test_a_run_does_not_go_on_with_other_further_images(asked, folders, tmp_path, capsys):
    run, other = tmp_path / "run", tmp_path / "other"
    assert verb("train", *asked, "--run", run, "--stop-after", 1) == 4
    other.mkdir()
    write_index(other, [{"image": "a.jpg", "mask": None, "set": "o", "group": "o", "label": "unlabelled"}])

    again = ("train", "--resume", run, "--data", folders[0], *asked[-2:])
    assert verb(*again, "--more-data", other) == 3
    assert "further data folders" in capsys.readouterr().err


def test_without_any_unlabelled_image_a_ratio_is_refused(asked, folders, tmp_path, capsys):
    words = [word for word in asked if word not in ("--more-data", folders[1])]

    assert verb("train", *words, "--run", tmp_path / "run") == 3
    assert "--more-data" in capsys.readouterr().err
