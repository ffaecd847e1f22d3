"""Features of a teacher, once an image: whole or absent, found again, told when they are stale."""

import json
import shutil
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from distill.__main__ import main
from distill.data.index import Record, load_index
from distill.recipe import TeacherPart
from distill.teachers import make_teacher
from distill.teachers.base import TeacherOutput
from distill.teachers.cache import features as module
from distill.teachers.cache import fill as looking
from distill.teachers.cache.check import verify
from distill.teachers.cache.features import fill_cache, fill_shard, open_cache
from distill.teachers.geometry import area_resize
from engine.faults import FaultCode, FaultError
from engine.files.lock import held
from engine.files.whole import read_json_lines
from engine.jobs.events import RunFolder
from engine.models.encoder import make_encoder

COUNT = 7
SIZE_PX = 64  # 4 x 4 cells


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Pictures of two sizes, and a random encoder's weights."""
    root = tmp_path_factory.mktemp("data")
    generator = np.random.default_rng(0)
    lines = []
    for number in range(COUNT):
        size = (40, 60) if number % 2 else (50, 50)
        cv2.imwrite(str(root / f"{number}.png"), generator.integers(0, 255, (*size, 3), np.uint8))
        lines.append(
            json.dumps({"image": f"{number}.png", "mask": None, "set": "made", "group": f"{number}"})
        )
    (root / "index.jsonl").write_text("\n".join(lines) + "\n")
    torch.manual_seed(0)
    (root / "weights").mkdir()
    save_file(make_encoder("test_efficientnet").state_dict(), root / "weights" / "tiny.safetensors")
    return root


@pytest.fixture(scope="module")
def part():
    return TeacherPart(name="timm:test_efficientnet", weights="weights/tiny.safetensors", size_px=SIZE_PX)


@pytest.fixture(scope="module")
def records(root):
    return load_index(root).records


@pytest.fixture(scope="module")
def filled(root, part, records, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cache")
    fill_cache(folder, part, root, records, run=None)
    return folder


@pytest.fixture
def folder(filled, tmp_path):
    """A copy that a test may damage."""
    shutil.copytree(filled, tmp_path / "cache")
    return tmp_path / "cache"


def seen_by(root, part, record):
    """What the teacher says of the image, without any cache."""
    full = part.model_copy(update={"weights": str(root / part.weights)})
    image = cv2.imread(str(root / record.image), cv2.IMREAD_COLOR_RGB)
    return make_teacher(full).embed(torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255)


def shard_of(folder):
    (index,) = folder.glob("*/shard-000.jsonl")
    return index


def test_it_holds_what_the_teacher_says(root, part, records, filled):
    cache = open_cache(filled, part, root, records)
    found = cache.features([4, 1])

    assert (cache.channels, cache.grid) == (48, (4, 4))
    assert found.dtype == torch.float32
    assert torch.allclose(found[0], seen_by(root, part, records[4])[0], rtol=2e-3, atol=1e-4)
    assert torch.allclose(found[1], seen_by(root, part, records[1])[0], rtol=2e-3, atol=1e-4)
    assert cache.masks([0]) is None


def test_another_list_of_the_same_images_uses_it_again(root, part, records, filled, tmp_path):
    whole = open_cache(filled, part, root, records)
    shutil.copyfile(root / records[5].image, tmp_path / "elsewhere.png")
    moved = (Record(image="elsewhere.png", mask=None, set="other", group="x"),)
    shutil.copytree(root / "weights", tmp_path / "weights")

    assert torch.equal(open_cache(filled, part, tmp_path, moved).features([0]), whole.features([5]))


def test_an_image_that_the_teacher_has_not_seen_is_told(root, part, records, filled, tmp_path):
    shutil.copytree(root, tmp_path / "data")
    cv2.imwrite(str(tmp_path / "data" / "3.png"), np.zeros((50, 50, 3), np.uint8))
    with pytest.raises(FaultError) as caught:
        open_cache(filled, part, tmp_path / "data", records)

    assert caught.value.code is FaultCode.DATA_SET
    assert "6 of them" in str(caught.value)
    assert "python -m distill cache" in str(caught.value)


def test_filling_again_only_looks_at_what_is_not_there(root, part, records, tmp_path, monkeypatch):
    fill_cache(tmp_path, part, root, records[:4], run=None)
    before = open_cache(tmp_path, part, root, records[:4]).features(range(4))
    looked = []
    prepared = module.prepared
    monkeypatch.setattr(
        module,
        "prepared",
        lambda teacher, at, record: looked.append(record.image) or prepared(teacher, at, record),
    )
    cache = fill_cache(tmp_path, part, root, records, run=None)

    assert sorted(looked) == [record.image for record in records[4:]]
    assert torch.equal(cache.features(range(4)), before)


def test_a_machine_that_stopped_leaves_no_half_entry(root, part, records, folder):
    """Data without its line, and half a line: both go, and filling makes the same cache again."""
    whole = open_cache(folder, part, root, records).features(range(COUNT))
    index = shard_of(folder)
    lines = index.read_bytes().splitlines(keepends=True)
    index.write_bytes(b"".join(lines[:5]) + lines[5][:20])
    with index.with_suffix(".features").open("r+b") as stream:
        stream.truncate(48 * 16 * 2 * 6 - 100)

    assert verify(folder) == []
    cache = fill_cache(folder, part, root, records, run=None)
    assert torch.equal(cache.features(range(COUNT)), whole)
    assert verify(folder) == []
    assert len(index.read_bytes().splitlines()) == COUNT


def test_a_truncated_and_an_altered_entry_are_found_and_made_again(root, part, records, folder):
    whole = open_cache(folder, part, root, records).features(range(COUNT))
    data = shard_of(folder).with_suffix(".features")
    with data.open("r+b") as stream:
        stream.write(b"\x01\x02\x03")
        stream.truncate(data.stat().st_size - 1)

    assert sorted(problem.what for problem in verify(folder)) == ["altered", "truncated"]
    assert main(["cache", "verify", "--folder", str(folder), "--data", str(root)]) == 3
    verify(folder, repair=True)
    assert verify(folder) == []
    cache = fill_cache(folder, part, root, records, run=None)
    assert torch.equal(cache.features(range(COUNT)), whole)
    assert verify(folder) == []


def test_a_teacher_with_other_weights_is_another_cache_and_the_old_one_is_stale(
    root, part, records, filled, tmp_path
):
    shutil.copytree(root, tmp_path / "data")
    fill_cache(tmp_path / "cache", part, tmp_path / "data", records, run=None)
    torch.manual_seed(1)
    save_file(
        make_encoder("test_efficientnet").state_dict(), tmp_path / "data" / "weights" / "tiny.safetensors"
    )

    with pytest.raises(FaultError):
        open_cache(tmp_path / "cache", part, tmp_path / "data", records)
    assert [problem.what for problem in verify(tmp_path / "cache")] == ["its weights are others now"]


def test_another_size_of_the_input_is_another_cache(root, part, records, filled):
    with pytest.raises(FaultError):
        open_cache(filled, part.model_copy(update={"size_px": 2 * SIZE_PX}), root, records)


def test_a_coarser_grid_holds_area_means(root, part, records, tmp_path):
    fill_cache(tmp_path, part, root, records, run=None, grid_px=3)
    cache = open_cache(tmp_path, part, root, records)  # the only grid there is
    expected = area_resize(seen_by(root, part, records[2]), 3, 3)

    assert cache.grid == (3, 3)
    assert torch.allclose(cache.features([2]), expected, rtol=2e-3, atol=1e-4)


def test_statistics_are_those_of_every_cell(root, part, records, filled):
    cache = open_cache(filled, part, root, records[1:6])
    vectors = cache.features(range(5)).permute(0, 2, 3, 1).reshape(-1, cache.channels).double()
    mean, covariance = cache.statistics()

    assert cache.cells == len(vectors) == 5 * 16
    assert torch.allclose(mean, vectors.mean(0), atol=1e-5)
    assert torch.allclose(covariance, torch.cov(vectors.T), atol=1e-5)
    again = open_cache(filled, part, root, records[1:6]).statistics()
    assert all(torch.equal(kept, made) for kept, made in zip(again, (mean, covariance), strict=True))


def test_two_processes_fill_one_cache(root, part, records, filled, tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    for rank in ("0", "1"):
        monkeypatch.setenv("RANK", rank)
        assert fill_shard(tmp_path, part, root, records, run=None)
    rows = [len(list(read_json_lines(path))) for path in sorted(tmp_path.glob("*/shard-*.jsonl"))]
    cache, alone = (open_cache(folder, part, root, records) for folder in (tmp_path, filled))

    assert rows == [4, 3]
    assert torch.allclose(cache.features(range(COUNT)), alone.features(range(COUNT)), atol=1e-3)


def test_a_shard_that_is_being_filled_is_left_alone(root, part, records, folder):
    with held(shard_of(folder).with_suffix(".lock")), pytest.raises(FaultError) as caught:
        fill_shard(folder, part, root, records, run=None)

    assert caught.value.code is FaultCode.OUTPUT


def test_a_full_disk_is_told_before_the_work(root, part, records, tmp_path, monkeypatch):
    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: SimpleNamespace(free=1000))
    monkeypatch.setattr(module, "make_teacher", lambda *given: pytest.fail("the work was begun"))
    with pytest.raises(FaultError) as caught:
        fill_cache(tmp_path, part, root, records, run=None)

    assert caught.value.code is FaultCode.OUTPUT
    assert "0 MB in" in str(caught.value)


def test_cancelled_it_keeps_what_it_has_and_goes_on_later(root, part, records, tmp_path, monkeypatch):
    monkeypatch.setattr(looking, "PIXELS_A_BATCH", SIZE_PX**2)  # a picture a batch
    run = RunFolder(tmp_path / "run")
    (tmp_path / "run" / "cancel").touch()

    assert not fill_shard(tmp_path / "cache", part, root, records, run)
    assert len(list(read_json_lines(shard_of(tmp_path / "cache")))) == 1
    run.clear_cancel()
    assert fill_shard(tmp_path / "cache", part, root, records, run)
    assert any(event["kind"] == "progress" for event in read_json_lines(tmp_path / "run" / "events.jsonl"))


def test_features_that_float16_cannot_hold_are_refused(root, part, records, tmp_path, monkeypatch):
    teacher = make_teacher(part, tiny=True)
    for value in (1e5, float("nan")):
        monkeypatch.setattr(
            type(teacher),
            "answer",
            lambda self, x, v=value: TeacherOutput(torch.full((1, 48, 4, 4), v), None),
        )
        with pytest.raises(FaultError) as caught:
            fill_cache(tmp_path, part, root, records[:1], run=None)
        assert caught.value.code is FaultCode.INFERENCE


def test_soft_masks_are_kept_to_a_255th(real24, tmp_path):
    records = load_index(real24).records[:2]
    part = TeacherPart(name="task:polyp-accurate-5")
    cache = fill_cache(tmp_path, part, real24, records, run=None)
    masks = cache.masks([0, 1])
    image = cv2.imread(str(real24 / records[1].image), cv2.IMREAD_COLOR_RGB)
    said = make_teacher(part).masks(torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255)

    assert masks.shape == (2, 1, 320, 320)
    assert float((masks[1] - said[0]).abs().max()) <= 0.51 / 255
    assert verify(tmp_path) == []


def recipe_of(path, part, more=""):
    """The verb's way in: a recipe with one teacher."""
    path.write_text(f"""
name = "tiny"
[student]
name = "light"
pretrained = "weights/tiny.safetensors"
mean = [0.5, 0.5, 0.5]
std = [0.5, 0.5, 0.5]
[data]
[[stages]]
epochs = 1
size_px = 64
[[distil.teachers]]
name = "{part.name}"
weights = "{part.weights}"
size_px = {part.size_px}
{more}""")
    return path


def test_the_command_fills_the_folder_that_training_reads(root, part, records, tmp_path):
    shutil.copytree(root, tmp_path / "data")
    recipe = recipe_of(tmp_path / "tiny.toml", part)
    events = tmp_path / "events.jsonl"
    given = ["--recipe", str(recipe), "--data", str(tmp_path / "data"), "--events", str(events)]

    assert main(["cache", *given]) == 0
    assert len(open_cache(tmp_path / "data" / "cache", part, tmp_path / "data", records)) == COUNT
    assert [event["kind"] for event in read_json_lines(events)][-1] == "done"
    assert main(["cache", "verify", "--data", str(tmp_path / "data")]) == 0


def test_it_is_filled_with_the_teachers_of_a_changed_recipe(root, part, records, tmp_path):
    recipe = recipe_of(tmp_path / "tiny.toml", part)
    given = ["--recipe", str(recipe), "--data", str(root), "--folder", str(tmp_path / "cache")]
    larger = part.model_copy(update={"size_px": 2 * SIZE_PX})

    assert main(["cache", *given, "--set", f"distil.teachers.0.size_px={larger.size_px}"]) == 0
    assert len(open_cache(tmp_path / "cache", larger, root, records)) == COUNT
    with pytest.raises(FaultError):
        open_cache(tmp_path / "cache", part, root, records)


@pytest.fixture
def lite1():
    """EfficientNet-Lite1 as pretrained, at its own scale."""
    from distill.data.index import data_folder

    weights = data_folder() / "weights" / "tf_efficientnet_lite1_in1k_fp16.safetensors"
    if not weights.is_file():
        pytest.skip(f"no {weights}")
    return TeacherPart(name="timm:tf_efficientnet_lite1", weights=str(weights), size_px=160)


def test_a_real_teacher_tells_real_images_apart(real24, lite1, tmp_path):
    """Two frames of a sequence are nearer than others."""
    index = load_index(real24)
    cache = fill_cache(tmp_path, lite1, real24, index.records, run=None)
    maps = cache.features(range(len(index.records))).mean((2, 3))
    ways = torch.nn.functional.normalize(maps - maps.mean(0), dim=1)
    near = ways @ ways.T
    groups = [record.group for record in index.records]
    same = torch.tensor([[a == b for b in groups] for a in groups]) & ~torch.eye(
        len(groups), dtype=torch.bool
    )
    other = torch.tensor([[a != b for b in groups] for a in groups])

    assert (cache.channels, cache.grid) == (112, (10, 10))
    assert float(near[same].mean()) > float(near[other].mean()) + 0.3


def test_a_real_teachers_map_turns_with_the_picture(real24, lite1):
    """Left to right; a map that is a few cells off is far from that (docs/teachers.md)."""
    teacher = make_teacher(lite1)
    image = cv2.imread(str(real24 / load_index(real24).records[0].image), cv2.IMREAD_COLOR_RGB)
    picture = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255
    plain, turned = teacher.embed(picture), teacher.embed(picture.flip(-1)).flip(-1)

    assert float(torch.cosine_similarity(plain, turned).mean()) > 0.8
    assert float(torch.cosine_similarity(plain, turned.roll(2, -1)).mean()) < 0.5
