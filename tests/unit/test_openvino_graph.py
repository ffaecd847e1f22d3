"""What is put around a network in OpenVINO, whatever batch its file was exported with."""

from __future__ import annotations

import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from engine.model_card import CARD
from engine.model_folder import read_card
from engine.runtime.openvino_graph import with_pixels
from engine.runtime.quiet import import_openvino
from tests.fixtures.models import red_model

SIDE_PX = 32


@pytest.fixture
def card(tmp_path):
    folder = red_model(tmp_path, size=(SIDE_PX, SIDE_PX))
    assert json.loads((folder / CARD).read_text())["input"]["width_px"] == SIDE_PX
    return read_card(folder)


def network(path, batch):
    """A 1x1 convolution at a quarter of the size, and the enlargement that students end in."""
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [batch, 3, SIDE_PX, SIDE_PX])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, [batch, 1, SIDE_PX, SIDE_PX])
    weights = [
        helper.make_tensor("weight", TensorProto.FLOAT, [1, 3, 1, 1], [4.0, -3.0, 2.0]),
        helper.make_tensor("scales", TensorProto.FLOAT, [4], [1.0, 1.0, 4.0, 4.0]),
    ]
    nodes = [
        helper.make_node("Conv", ["image", "weight"], ["small"], kernel_shape=[1, 1], strides=[4, 4]),
        helper.make_node(
            "Resize",
            ["small", "", "scales"],
            ["logits"],
            mode="linear",
            coordinate_transformation_mode="half_pixel",
        ),
    ]
    graph = helper.make_graph(nodes, "quarter", [image], [logits], weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), path)
    return import_openvino().Core().read_model(path)


@pytest.mark.parametrize("batch", [1, "batch"], ids=["batch 1", "any batch"])
def test_the_compiled_network_takes_one_picture_and_enlarges_by_matrices(tmp_path, card, batch):
    made = with_pixels(network(tmp_path / "student.onnx", batch), card)

    kinds = [node.get_type_name() for node in made.get_ops()]
    assert list(made.input(0).shape) == [1, SIDE_PX, SIDE_PX, 3]
    assert list(made.output(0).shape) == [1, 1, SIDE_PX, SIDE_PX]
    assert kinds.count("MatMul") == 2
    assert "Interpolate" not in kinds


def test_a_free_batch_changes_no_probability(tmp_path, card):
    core = import_openvino().Core()
    picture = np.random.default_rng(2).integers(0, 256, (1, SIDE_PX, SIDE_PX, 3), np.uint8)

    fixed, free = (
        core.compile_model(
            with_pixels(network(tmp_path / "student.onnx", batch), card),
            "CPU",
            {"INFERENCE_PRECISION_HINT": "f32"},
        )([picture])[0]
        for batch in (1, "batch")
    )

    assert fixed.std() > 10
    assert np.array_equal(fixed, free)
