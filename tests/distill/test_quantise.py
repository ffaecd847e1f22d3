"""int8: which weights it may have, and when it stays out of a model folder."""

from __future__ import annotations

import numpy as np
import pytest

from distill.export.parity import on_video, refusal
from distill.judging.networks import openvino_network
from engine.model_card import INT8_XML, ONNX, Parity
from engine.model_folder import bundled_models, load_model_folder
from engine.runtime.auto.difference import Difference
from engine.runtime.quantise import quantise
from tests.fixtures.models import random_student

WITH_INT8 = [folder for folder in bundled_models() if (folder / INT8_XML).is_file()]


def weights_of(xml):
    """The int8 constants of a network."""
    import openvino

    constants = [
        op for op in openvino.Core().read_model(str(xml)).get_ops() if op.get_type_name() == "Constant"
    ]
    return [op.get_data() for op in constants if op.get_element_type() == openvino.Type.i8]


def row(dice_drop):
    return Parity(file="", runtime="", images=1, max_dp=0.5, mask_dice=0.98, dice_drop=dice_drop)


def agreement(pooled_dice):
    return Difference(max_dp=0.5, mask_dice=0.9, images=24, pooled_dice=pooled_dice)


def test_weights_take_half_of_the_range_so_that_sums_of_16_bits_hold_them(tmp_path):
    model = random_student(tmp_path)
    noise = np.random.default_rng(0).normal(size=(4, 1, 3, 96, 96)).astype(np.float32)
    quantise(model / ONNX, tmp_path / "int8.xml", noise)

    largest = [int(np.abs(weights.astype(int)).max()) for weights in weights_of(tmp_path / "int8.xml")]
    assert len(largest) > 10
    assert max(largest) in (63, 64)


@pytest.mark.parametrize("folder", WITH_INT8, ids=lambda folder: folder.name)
def test_a_bundled_int8_network_draws_the_masks_of_the_exact_one_on_video(folder):
    model = load_model_folder(folder)
    card = model.card
    exact, int8 = openvino_network(model.onnx), openvino_network(model.int8)

    assert on_video(exact, int8, card.input, card.output).pooled_dice > 0.98
    assert max(int(np.abs(weights.astype(int)).max()) for weights in weights_of(model.int8)) <= 64


def test_int8_stays_in_when_it_is_as_good_and_draws_the_same_on_video():
    assert refusal(row(0.0029), agreement(0.95)) is None


def test_int8_stays_out_when_it_is_worse_or_draws_other_masks_on_video():
    assert "worse by 0.30 points" in refusal(row(0.003), agreement(1.0))
    assert "on video agree to Dice 0.949 only" in refusal(row(0.0), agreement(0.949))
