"""Our own models as teachers: what they say, and who may look at which image."""

import json
import shutil

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from distill.data.dataset import squash
from distill.data.index import Record, load_index
from distill.data.more import is_held_out
from distill.data.splits import split_of
from distill.recipe import DataPart, TeacherPart
from distill.teachers import card_of, make_teacher
from distill.teachers.agreement import disagreement
from engine.faults import FaultCode, FaultError
from engine.files.whole import sha256_of
from engine.models import make_student

FOLDS = 3
STUDENT = {"name": "light", "args": {"encoder": "test_efficientnet", "channels": 16}}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Twelve pictures in six groups."""
    root = tmp_path_factory.mktemp("data")
    generator = np.random.default_rng(0)
    lines = []
    for number in range(12):
        cv2.imwrite(str(root / f"{number}.png"), generator.integers(0, 255, (50, 70, 3), np.uint8))
        record = {"image": f"{number}.png", "mask": None, "set": "made", "group": f"g{number // 2}"}
        lines.append(json.dumps(record) + "\n")
    (root / "index.jsonl").write_text("".join(lines))
    return root


@pytest.fixture(scope="module")
def models(data, tmp_path_factory):
    """A model folder a fold, as `export` writes them."""
    parent = tmp_path_factory.mktemp("models")
    return [make_folder(parent / f"fold-{fold}", data, fold) for fold in range(FOLDS)]


def make_folder(path, data, fold):
    torch.manual_seed(fold)
    path.mkdir()
    save_file(make_student(**STUDENT).state_dict(), path / "weights.safetensors")
    (path / "student.onnx").write_bytes(b"")
    index = load_index(data)
    split = split_of(index.records, DataPart(folds=FOLDS, fold=fold, split_seed=0))
    files = {
        name: {"sha256": sha256_of(path / name), "bytes": (path / name).stat().st_size}
        for name in ("weights.safetensors", "student.onnx")
    }
    card = {
        "schema": 1,
        "id": path.name,
        "student": STUDENT,
        "input": {
            "width_px": 64,
            "height_px": 64,
            "colour": "RGB",
            "mean": [0.5] * 3,
            "std": [0.5] * 3,
            "resize": "squash-area",
        },
        "output": {"kind": "logits", "temperature": 2.0},
        "files": files,
        "presets": {
            "standard": {"threshold": 0.5, "keep": 0.4, "min_area_frac": 0.0, "hit_ms": 0.0, "window_ms": 1.0}
        },
        "training": {
            "recipe": "made",
            "seed": 0,
            "data": f"12 images of made (index sha256 {index.sha256[:16]})",
            "split": "made",
            "held_out": {
                "split": "grouped",
                "folds": FOLDS,
                "fold": fold,
                "split_seed": 0,
                "validation_groups": [],
                "training_images": len(split.train),
                "validation_images": len(split.validation),
            },
            "run_id": "made",
        },
        "licence": "ours",
        "use": "research use only",
    }
    (path / "model.json").write_text(json.dumps(card))
    return path


def picture():
    return torch.rand(1, 3, 50, 70, generator=torch.Generator().manual_seed(0))


def test_it_gives_the_students_own_map_and_probabilities(models):
    teacher = make_teacher(TeacherPart(name=f"task:{models[0]}"))
    torch.manual_seed(0)
    student = make_student(**STUDENT).eval()
    prepared = teacher.prepare(picture())
    with torch.no_grad():
        said = student.predict((prepared - 0.5) / 0.5)

    assert teacher.card.has_mask
    assert (teacher.card.stride, teacher.card.channels, teacher.card.grid) == (16, 16, (4, 4))
    assert torch.allclose(teacher.embed(picture()), said.features["s16"], atol=1e-5)
    # Exported with temperature 2.
    assert torch.allclose(teacher.masks(picture()), torch.sigmoid(said.logits / 2), atol=1e-5)


def test_it_sees_what_the_live_path_shows(models):
    image = np.random.default_rng(1).integers(0, 255, (90, 130, 3), np.uint8)
    teacher = make_teacher(TeacherPart(name=f"task:{models[0]}"))
    ours = teacher.prepare(torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255)
    live = torch.from_numpy(squash(image, 64)).permute(2, 0, 1)[None].float() / 255

    assert float((ours - live).abs().max()) <= 1.01 / 255  # both round to eight bits


def test_an_ensemble_is_the_mean_of_its_members(models):
    single = [make_teacher(TeacherPart(name=f"task:{model}"))(picture()) for model in models]
    both = make_teacher(TeacherPart(name="ensemble", members=tuple(map(str, models))))(picture())

    assert torch.allclose(both.masks, torch.stack([one.masks for one in single]).mean(0), atol=1e-6)
    assert torch.allclose(both.features, torch.stack([one.features for one in single]).mean(0), atol=1e-5)


def test_with_flips_the_soft_masks_are_the_mean_over_four(models):
    part = TeacherPart(name=f"task:{models[0]}")
    with_flips = part.model_copy(update={"flips": True})
    plain, flipping = make_teacher(part), make_teacher(with_flips)
    image = plain.prepare(picture())
    four = [plain.masks(image.flip(axes)).flip(axes) for axes in ((), (-1,), (-2,), (-2, -1))]

    assert torch.allclose(flipping.masks(image), torch.stack(four).mean(0), atol=1e-5)
    assert torch.equal(flipping.embed(picture()), plain.embed(picture()))
    assert card_of(with_flips) != card_of(part)  # the cache keeps them apart


def test_with_soft_weight_it_says_how_far_its_flips_or_members_differ(models):
    part = TeacherPart(name=f"task:{models[0]}", flips=True)
    soft = part.model_copy(update={"soft_weight": 1.0})
    image = make_teacher(part).prepare(picture())
    plain = make_teacher(part.model_copy(update={"flips": False}))
    four = torch.stack([plain.masks(image.flip(axes)).flip(axes) for axes in ((), (-1,), (-2,), (-2, -1))])

    assert torch.allclose(make_teacher(soft)(image).disagreement, disagreement(four), atol=1e-5)
    assert make_teacher(part)(image).disagreement is None
    assert card_of(soft) != card_of(part)  # another entry of the cache
    members = TeacherPart(name="ensemble", members=tuple(map(str, models)), soft_weight=1.0)
    each = torch.stack([make_teacher(TeacherPart(name=f"task:{model}")).masks(image) for model in models])
    assert torch.allclose(make_teacher(members)(image).disagreement, disagreement(each), atol=1e-5)


def test_a_view_may_be_looked_at_in_four_flips(models):
    part = TeacherPart(name=f"task:{models[0]}", flips=True, sees_view=True, features=False, soft_weight=1.0)
    view = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))

    mask, apart = make_teacher(part).masks_of_view(view)
    turned, _ = make_teacher(part).masks_of_view(view.flip(-1))

    assert torch.allclose(mask, turned.flip(-1), atol=0.01)  # bf16
    assert apart.shape == mask.shape
    assert apart.max() > 0


def test_no_model_of_several_looks_at_an_image_it_was_trained_on(data, models):
    teacher = make_teacher(TeacherPart(name="task", members=tuple(map(str, models))))
    choose = teacher.chosen_for(data)
    index = load_index(data)
    single = [make_teacher(TeacherPart(name=f"task:{model}")) for model in models]

    for position, record in enumerate(index.records):
        held = [
            fold
            for fold in range(FOLDS)
            if position in split_of(index.records, DataPart(folds=FOLDS, fold=fold, split_seed=0)).validation
        ]
        assert len(held) == 1
        expected = single[held[0]].masks(picture())
        assert torch.allclose(choose(record).masks(picture()), expected, atol=1e-6)


def test_of_a_further_folder_those_speak_that_did_not_learn_from_it(data, models, tmp_path):
    members = []
    for model in models:
        shutil.copytree(model, tmp_path / model.name)
        members.append(str(tmp_path / model.name))
    card = (tmp_path / "fold-0" / "model.json").read_text()
    told = json.loads(card)
    told["training"]["data"] += "; of a further folder (index sha256 0123456789abcdef)"
    (tmp_path / "fold-0" / "model.json").write_text(json.dumps(told))
    choose = make_teacher(TeacherPart(name="task", members=tuple(members))).chosen_for(data)
    part = DataPart(folds=FOLDS, fold=0, split_seed=0)
    learned, held = (
        next(f"m{n}" for n in range(99) if is_held_out(f"m{n}", part) is out) for out in (False, True)
    )

    def speak(group, label):
        record = Record("/more/0.png", None, "more", group, label=label)
        return len(choose(record).members)

    assert speak(learned, "no-polyp") == FOLDS - 1
    assert speak(held, "no-polyp") == FOLDS
    assert speak(learned, "unlabelled") == FOLDS  # nobody told it what is there


def test_an_image_that_every_member_was_trained_on_is_told(data, models):
    teacher = make_teacher(TeacherPart(name="task", members=tuple(map(str, models[:2]))))
    choose = teacher.chosen_for(data)
    index = load_index(data)
    (unseen,) = (set(split_of(index.records, DataPart(folds=FOLDS, fold=2, split_seed=0)).validation[:1]),)
    with pytest.raises(FaultError) as caught:
        choose(index.records[unseen.pop()])

    assert caught.value.code is FaultCode.DATA_SET
    assert "add the models of the other folds" in str(caught.value)


def test_other_data_than_it_was_trained_beside_is_refused_out_of_fold(data, models, tmp_path):
    lines = (data / "index.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "index.jsonl").write_text("".join(lines[:-1]))
    teacher = make_teacher(TeacherPart(name="task", members=tuple(map(str, models))))

    with pytest.raises(FaultError) as caught:
        teacher.chosen_for(tmp_path)
    assert caught.value.code is FaultCode.DATA_SET


def test_a_fold_that_the_card_counts_differently_is_refused(data, models, tmp_path):
    altered = tmp_path / "fold-0"
    shutil.copytree(models[0], altered)
    card = (altered / "model.json").read_text()
    (altered / "model.json").write_text(card.replace('"training_images": 8', '"training_images": 9'))
    teacher = make_teacher(TeacherPart(name="task", members=(str(altered), str(models[1]))))

    with pytest.raises(FaultError, match="9 training and 4 validation images"):
        teacher.chosen_for(data)


def test_one_member_is_no_ensemble(models):
    for name in ("ensemble", "task"):
        with pytest.raises(FaultError) as caught:
            card_of(TeacherPart(name=name, members=(str(models[0]),)))
        assert caught.value.code is FaultCode.ARGUMENT


def test_the_bundled_model_can_teach():
    card = card_of(TeacherPart(name="task:polyp-accurate-5"))

    assert (card.stride, card.channels, card.has_mask) == (16, 128, True)
