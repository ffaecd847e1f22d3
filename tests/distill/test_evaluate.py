"""`evaluate`: a model folder on images, as the live path sees and draws them."""

import json
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from distill.__main__ import main
from distill.judging.live_path import folder_images, judged, validation_images
from engine.drawing.components import find_patches
from engine.model_folder import load_model_folder
from engine.types import Mask, OperatingPoint, Rect
from tests.fixtures.models import red_model

RED, GREY = (0, 0, 255), (120, 120, 120)  # BGR
SHAPE = (96, 128)


def picture(*boxes, shape=SHAPE):
    """A grey picture with a red box per (top, left, bottom, right)."""
    image = np.full((*shape, 3), GREY, np.uint8)
    for top, left, bottom, right in boxes:
        image[top:bottom, left:right] = RED
    return image


def label(*boxes, shape=SHAPE):
    mask = np.zeros(shape, np.uint8)
    for top, left, bottom, right in boxes:
        mask[top:bottom, left:right] = 255
    return mask


@pytest.fixture
def place(tmp_path):
    """Folders for images, masks and negatives, and a model that is sure of red."""
    red_model(tmp_path)
    folders = {name: tmp_path / name for name in ("images", "masks", "negatives")}
    for folder in folders.values():
        folder.mkdir()

    def put(folder, name, pixels):
        cv2.imwrite(str(folders[folder] / name), pixels)

    def run(*more):
        out = tmp_path / "figures.json"
        code = main(
            [
                *("evaluate", "--model", str(tmp_path / "red"), "--images", str(folders["images"])),
                *("--masks", str(folders["masks"]), "--json", str(out), *more),
            ]
        )
        return code, json.loads(out.read_text()) if out.exists() else None

    return SimpleNamespace(put=put, run=run, path=tmp_path, **folders)


def test_the_model_sees_what_the_live_path_sees(place):
    box, other = (24, 32, 72, 96), (0, 64, 24, 128)
    place.put("images", "a.png", picture(box))
    place.put("masks", "a.png", label(box))
    place.put("images", "b.png", picture(box))
    place.put("masks", "b.png", label(other))

    code, values = place.run()

    assert code == 0
    assert values["n"] == 2
    # Squashed to 96x96 and back, the edges are a pixel wide.
    assert values["p05_image"]["dice"] == pytest.approx(0.5, abs=0.02)
    assert values["lesions"]["iou_0.5"]["sensitivity"] == 0.5
    assert values["lesions"]["iou_0.5"]["false_detections_per_image"] == 0.5
    assert values["shown"]["dice"] == pytest.approx(0.5, abs=0.02)


def test_a_black_mask_and_the_negatives_folder_count_as_negatives(place):
    box = (24, 32, 72, 96)
    place.put("images", "a.png", picture(box))
    place.put("masks", "a.png", label(box))
    place.put("images", "black.png", picture(box))
    place.put("masks", "black.png", label())
    place.put("negatives", "clean.png", picture())
    place.put("negatives", "red.png", picture((0, 0, 40, 40), (60, 60, 90, 90)))

    code, values = place.run("--negatives", str(place.negatives))

    assert code == 0
    assert values["n"] == 1
    assert values["p05_image"]["dice"] > 0.95
    assert values["negatives"]["n"] == 3
    assert values["negatives"]["false_positive_rate"] == pytest.approx(2 / 3, abs=1e-6)
    assert values["negatives"]["false_detections_per_image"] == 1.0
    assert values["shown"]["negatives"]["false_positive_rate"] == pytest.approx(2 / 3, abs=1e-6)


def test_what_is_measured_is_the_engines_map(place):
    place.put("images", "a.png", picture((10, 10, 50, 70)))
    place.put("masks", "a.png", label((10, 10, 50, 70)))
    model = load_model_folder(place.path / "red")

    (sample,) = judged(model, folder_images(place.images, place.masks))

    assert sample.probability.shape == (96, 96)
    levels = np.rint(sample.probability * 255).astype(np.uint8)
    width_px, height_px = SHAPE[1], SHAPE[0]
    point = OperatingPoint(
        model.card.presets["standard"].threshold, model.card.presets["standard"].min_area_frac
    )
    patches = find_patches(Mask(0, levels, Rect(0, 0, width_px, height_px)), width_px, height_px, point)
    assert sample.shown.sum() == sum(c.area_px for patch in patches for c in patch.components)


def made_for_it(folder):
    """The model's card says that its network is made for the endoscope's picture."""
    card = json.loads((folder / "model.json").read_text()) | {"region": "field"}
    card.pop("numbers_sha256", None)
    (folder / "model.json").write_text(json.dumps(card))


def test_the_endoscopes_picture_alone_can_be_judged(place):
    """A panel beside it is not looked at: red there is found without `--field`, and with it is not. A
    model that is made for it is judged so unless `--whole-frame` is said."""
    frame = np.full((96, 200, 3), 8, np.uint8)
    rough = np.random.default_rng(0).integers(100, 140, (96, 128, 1), np.uint8)
    frame[:, 72:] = rough
    frame[24:72, 100:164] = RED
    frame[40:44, 8:40] = RED  # a line of text
    truth = label((24, 100, 72, 164), shape=(96, 200))
    place.put("images", "a.png", frame)
    place.put("masks", "a.png", truth)

    _, whole = place.run()
    code, field = place.run("--field")

    assert code == 0
    assert whole["lesions"]["iou_0.5"]["false_detections_per_image"] == 1
    assert field["lesions"]["iou_0.5"]["false_detections_per_image"] == 0
    assert field["p05_image"]["dice"] > 0.96
    assert field["shown"]["dice"] > 0.96
    assert "field" in field
    assert "field" not in whole

    made_for_it(place.path / "red")
    _, own = place.run()
    code, off = place.run("--whole-frame")

    assert code == 0
    assert own == field
    assert off == whole


def test_the_runtime_can_be_named(place, capsys):
    place.put("images", "a.png", picture())
    place.put("masks", "a.png", label((0, 0, 20, 20)))

    code, _ = place.run("--runtime", "openvina")

    assert code == 2
    assert "Choose openvino" in capsys.readouterr().err


@pytest.mark.parametrize("folder", ["images", "masks"])
def test_a_file_without_a_partner_is_named(place, folder, capsys):
    place.put("images", "a.png", picture())
    place.put("masks", "a.png", label())
    place.put(folder, "alone.png", label())

    code, values = place.run()

    assert code == 3
    assert values is None
    assert "alone.png" in capsys.readouterr().err


def test_a_mask_of_another_size_is_named(place, capsys):
    place.put("images", "a.png", picture())
    place.put("masks", "a.png", label(shape=(48, 64)))

    assert place.run()[0] == 3
    assert "64x48 for a.png of 128x96" in capsys.readouterr().err


def test_an_image_that_is_none_is_named(place, capsys):
    place.put("masks", "a.png", label())
    (place.images / "a.png").write_bytes(b"nothing")

    assert place.run()[0] == 3
    assert "a.png" in capsys.readouterr().err


@pytest.mark.parametrize("more", [["--masks", "m"], ["--negatives", "n"]])
def test_half_of_the_folders_is_an_error(place, more, capsys):
    assert main(["evaluate", str(place.path / "red"), *more]) == 2
    assert "--images and --masks together" in capsys.readouterr().err


RECIPE = """
name = "tiny"
stages = [{ epochs = 1, size_px = 32 }]
student = { name = "light", pretrained = "none", mean = [0.5, 0.5, 0.5], std = [0.5, 0.5, 0.5] }
data = { folds = 5 }
"""


def test_without_folders_it_is_the_validation_split_of_the_recipe(place):
    lines = []
    for n in range(10):
        mask = None if n % 5 == 0 else f"masks/{n}.png"
        place.put("images", f"{n}.png", picture((24, 32, 72, 96)))
        place.put("masks", f"{n}.png", label((24, 32, 72, 96)))
        lines.append({"image": f"images/{n}.png", "mask": mask, "set": "s", "group": f"g{n // 2}"})
    (place.path / "index.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (place.path / "tiny.toml").write_text(RECIPE)
    card = json.loads((place.path / "red" / "model.json").read_text())
    card["training"]["recipe"] = str(place.path / "tiny.toml")
    (place.path / "red" / "model.json").write_text(json.dumps(card))
    out, rows = place.path / "figures.json", place.path / "rows.json"

    arguments = ["evaluate", str(place.path / "red"), "--data", str(place.path)]
    assert main([*arguments, "--json", str(out), "--out", str(rows)]) == 0

    values = json.loads(out.read_text())
    images = validation_images(load_model_folder(place.path / "red"), place.path)
    assert 0 < len(images) < 10
    assert values["n"] == sum(image.mask is not None for image in images)
    assert {image.case.group for image in images} <= {line["group"] for line in lines}
    by_name = {(row["set"], row["name"]): row["value"] for row in json.loads(rows.read_text())}
    assert by_name["pooled", "dice_polyp_images"] == pytest.approx(values["p05_image"]["dice"], abs=1e-4)
