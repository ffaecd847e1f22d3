"""What a network is made for, whole frames or the endoscope's picture alone, is what it is judged on."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from distill.data.dataset import Pictures, plain_batch
from distill.data.index import Record
from distill.data.views.warp import warp_maps
from distill.judging.networks import maps_of
from distill.recipe import load_recipe
from distill.train import validate
from engine.faults import FaultError
from engine.model_card import InputCard, OutputCard
from engine.types import Rect, Size
from engine.view.region import box_of, placed

SIZE_PX = 32
RED = (250, 20, 20)


def frame():
    """Mucosa in the right half of a frame, a red polyp on it and a red line of text on the dark left."""
    image = np.full((96, 200, 3), 8, np.uint8)
    image[:, 100:] = np.random.default_rng(0).integers(100, 140, (96, 100, 1), np.uint8)
    image[30:70, 130:170] = RED
    image[40:44, 8:80] = RED
    mask = np.zeros((96, 200), np.uint8)
    mask[30:70, 130:170] = 1
    return image, mask


def pictures():
    made = Pictures(root=None, records=[])
    made.add(Record(image="a", mask="a", set="s", group="a"), *frame())
    return made


def logit_of_red(image):
    """[B, 3, H, W] in 0..1 -> [B, 1, H, W]."""
    return (image[:, :1] - image[:, 1:2] - 0.5) * 40


def test_the_box_is_the_frame_or_the_picture_in_it():
    image, _ = frame()

    assert box_of(image, "frame") == Rect(0, 0, 200, 96)
    assert box_of(image, "field").x == pytest.approx(100, abs=4)


def test_an_answer_is_put_back_where_the_box_was():
    half = np.full((8, 8), 0.5, np.float32)
    back = placed(half, Rect(20, 10, 40, 30), Size(100, 50))

    assert back.shape == (50, 100)
    assert (back[10:40, 20:60] == 0.5).all()
    assert back.sum() == 0.5 * 40 * 30
    assert placed(half, Rect(0, 0, 100, 50), Size(100, 50)) is half


def test_plain_pictures_of_the_field_know_where_they_were_cut():
    batch = plain_batch(pictures(), [0], 64, "field")
    whole = torch.from_numpy(frame()[1].astype(np.float32))[None, None]
    warped = warp_maps(whole, batch.matrix, (64, 64))

    assert batch.mask.mean() == pytest.approx(1600 / 9600, rel=0.1)
    assert ((warped > 0.5) == (batch.mask > 0)).float().mean() > 0.97
    assert torch.equal(plain_batch(pictures(), [0], 64).matrix[0], torch.eye(3))


def network_maps(region):
    card = InputCard(
        width_px=SIZE_PX, height_px=SIZE_PX, colour="RGB", mean=(0,) * 3, std=(1,) * 3, resize="squash-area"
    )

    def network(image):
        return logit_of_red(torch.from_numpy(image)).numpy()

    return list(maps_of(network, pictures(), card, OutputCard(kind="logits"), region))


def training_maps(region):
    lesson = SimpleNamespace(logits=lambda image, network: logit_of_red(image))
    return list(validate.maps_of(lesson, torch.nn.Conv2d(1, 1, 1), pictures(), SIZE_PX, lambda: None, region))


@pytest.mark.parametrize("maps", [network_maps, training_maps])
def test_red_text_beside_the_field_is_found_in_whole_frames_alone(maps):
    (of_frame,), (of_field,) = maps("frame"), maps("field")

    assert (of_frame[:, : SIZE_PX // 2] > 0.5).any()
    assert of_field.shape == (96, 200)  # back in its frame, to be judged by the whole mask
    assert not (of_field[:, :100] > 0.5).any()
    found = of_field > 0.5
    assert 2 * (found & (frame()[1] > 0)).sum() / (found.sum() + 1600) > 0.9


@pytest.mark.parametrize("change", ["augment.field=0.4", "augment.views=four_flips"])
def test_a_recipe_for_the_field_trains_mostly_on_it(change):
    assert load_recipe("light", ["region=field", "augment.field=0.8"]).region == "field"
    with pytest.raises(FaultError, match=r"region 'field' needs augment\.views 'online' and augment\.field"):
        load_recipe("light", ["region=field", "augment.field=0.8", change])
