"""`card`: the figures of a model, measured from its weights, become a document."""

import json
import re

import cv2
import numpy as np
import pytest

from distill.__main__ import main
from distill.card.figures import measure_model
from distill.data.index import load_index
from distill.data.splits import held_out_by, split_of
from distill.recipe import DataPart
from engine.model_folder import load_model_folder
from tests.fixtures.models import red_model, write_card
from tests.fixtures.red_clips import centre, red_clip, red_picture


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Twelve pictures in six groups of two sets, every other one with a red disc; one clip."""
    root = tmp_path_factory.mktemp("data")
    lines = []
    for number in range(12):
        red = number % 2 == 0
        cv2.imwrite(str(root / f"{number}.png"), red_picture(number if red else 4, always=red)[..., ::-1])
        mask = np.zeros(red_picture(0).shape[:2], np.uint8)
        cv2.circle(mask, centre(number), 40, 255, cv2.FILLED)
        cv2.imwrite(str(root / f"{number}-mask.png"), mask)
        line = {"image": f"{number}.png", "mask": f"{number}-mask.png" if red else None}
        lines.append(json.dumps(line | {"set": "ab"[number // 6], "group": f"g{number // 2}"}) + "\n")
    (root / "index.jsonl").write_text("".join(lines))
    (root / "clips").mkdir()
    red_clip(root / "clips" / "polyp_free_x.mp4", frames=10)
    return root


@pytest.fixture(scope="module")
def model(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    path = red_model(folder)
    card = json.loads((path / "model.json").read_text())
    part = {"split": "grouped", "folds": 3, "fold": 1, "split_seed": 0, "validation_groups": []}
    split = split_of(load_index(data).records, DataPart.model_validate(part, strict=False))
    held_out = part | {"training_images": len(split.train), "validation_images": len(split.validation)}
    kept = {key: card[key] for key in ("student", "input", "output", "presets")}
    training = card["training"] | {"held_out": held_out}
    norm = ((0,) * 3, (1,) * 3)
    write_card(path, size=(32, 32), threshold=0.5, norm=norm, **(kept | {"training": training}))
    return path


@pytest.fixture(scope="module")
def card(data, model, tmp_path_factory):
    """Made once: no test changes it."""
    folder = tmp_path_factory.mktemp("docs")
    (folder / "model-notes").mkdir()
    (folder / "model-notes" / "red.md").write_text("It is fond of red.")
    out = folder / "model-card.md"
    code = main(
        ["card", str(model), "--out", str(out), "--data", str(data), "--gallery", str(folder / "gallery")]
    )
    assert code == 0
    return out


def test_it_measures_the_images_that_the_model_was_not_trained_on(card, data, model):
    index = load_index(data)
    split = split_of(index.records, held_out_by(load_model_folder(model).card.training))

    lines = [line for line in card.read_text().splitlines() if line.startswith("| **pooled**")]

    assert len(lines) == 1
    cells = [cell.strip() for cell in lines[0].split("|")[1:-1]]
    assert cells[1] == str(len(split.validation))
    assert float(cells[2].split()[0]) > 0.95  # the disc is found, and nothing where there is none
    assert cells[5].startswith("0.000")


def test_it_says_what_each_preset_finds_and_how_it_behaves_over_time(card):
    text = card.read_text()

    (preset,) = [line for line in text.splitlines() if line.startswith("| standard |")]
    assert (
        "| 0.50 | 0.10% | 0.000 | 1.000 [1.000, 1.000] | 0.000 [0.000, 0.000] | 0.000 [0.000, 0.000] | 0.000"
        in preset
    )
    (clip,) = [line for line in text.splitlines() if line.startswith("| polyp_free_x |")]
    assert clip.split("|")[4].strip() == "80%"


def test_it_says_what_is_found_in_the_endoscopes_picture_alone(card, model, data):
    def cells(start):
        (line,) = [line for line in card.read_text().splitlines() if line.startswith(start)]
        return [cell.strip() for cell in line.split("|")[2:-1]]

    assert cells("| whole frames |") == cells("| **pooled** |")[1:]
    field = measure_model(load_model_folder(model), data, lambda done, of: None).field_rows
    dice = next(row.value for row in field if (row.set, row.name) == ("pooled", "dice"))
    assert cells("| the endoscope's picture alone |")[0].startswith(f"{dice:.3f} ")


def test_it_says_what_becomes_of_each_size_of_polyps(card):
    lines = card.read_text().splitlines()
    start = lines.index("| share of the picture | images | Dice | missed whole |") + 2

    sizes = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[start : start + 1]]
    assert [(size[0], size[3]) for size in sizes] == [("2 to 20 %", "0.000 [0.000, 0.000]")]
    assert float(sizes[0][2].split()[0]) > 0.9


def test_it_says_what_the_network_costs(card):
    assert re.search(
        r"^- Network: `.+\d\.\d\d M parameters, \d\.\d\d GMAC a picture$", card.read_text(), re.M
    )


def test_notes_and_pictures_are_part_of_it(card):
    text = card.read_text()

    assert "It is fond of red." in text
    assert (card.parent / "images" / "reliability-red.png").read_bytes().startswith(b"\x89PNG")
    assert "images/reliability-red.png" in text
    assert (card.parent / "gallery" / "red-worst.png").is_file()


def test_the_same_weights_make_the_same_document(card, data, model):
    before = card.read_bytes()

    assert main(["card", str(model), "--out", str(card), "--data", str(data)]) == 0

    assert card.read_bytes() == before
