"""The whole way by commands: prepare, cache, train, export, and evaluate in the engine's own runtime."""

import json
import shutil

import pytest

from distill.__main__ import main
from distill.data.index import data_folder, load_index
from engine.model_folder import load_model_folder

RECIPE = """
name = "whole-way"
batch = 4
precision = "float32"
selection = "validation"
export_size_px = 64
[student]
name = "light"
mean = [0.5, 0.5, 0.5]
std = [0.5, 0.5, 0.5]
args = {{ encoder = "test_efficientnet", channels = 16 }}
[data]
folds = 3
[[stages]]
epochs = 1
size_px = 64
[[distil.teachers]]
name = "timm:tf_efficientnet_lite1"
weights = "{weights}"
size_px = 64
"""


def test_twenty_four_real_images_and_a_real_teacher_become_a_model_that_runs(real24, tmp_path):
    weights = data_folder() / "weights" / "tf_efficientnet_lite1_in1k_fp16.safetensors"
    if not weights.is_file():
        pytest.skip(f"no pretrained teacher at {weights}")
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RECIPE.format(weights=weights))
    data, run, model = (str(tmp_path / name) for name in ("data", "run", "whole-way-1"))

    def distill(*words):
        assert main([*map(str, words)]) == 0

    distill("prepare", real24, "--out", data)
    distill("cache", "--recipe", recipe, "--data", data)
    distill("train", "--recipe", recipe, "--data", data, "--run", run, "--events", tmp_path / "events")
    distill("export", run, "--out", model, "--data", data, "--int8-images", 0)
    polyps = [record for record in load_index(tmp_path / "data").records if record.mask][:4]
    for record in polyps:
        for kind, name in (("images", record.image), ("masks", record.mask)):
            place = tmp_path / "set" / kind
            place.mkdir(parents=True, exist_ok=True)
            source = tmp_path / "data" / name
            shutil.copyfile(
                source, place / f"{record.image.rpartition('/')[2].partition('.')[0]}{source.suffix}"
            )
    judged = ("--images", tmp_path / "set" / "images", "--masks", tmp_path / "set" / "masks")
    distill("evaluate", "--model", model, *judged, "--json", tmp_path / "figures.json")

    kinds = [json.loads(line)["kind"] for line in (tmp_path / "events").read_text().splitlines()]
    assert (kinds[0], kinds[-1]) == ("start", "done")
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert 0 <= figures["p05_image"]["dice"] <= 1
    assert figures["n"] == 4
    card = load_model_folder(tmp_path / "whole-way-1").card
    assert "timm:tf_efficientnet_lite1" in card.training.teachers
