"""What is put around a student's network in OpenVINO: pixels before it, probabilities after it."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.drawing.geometry import Axis
from engine.model_card import ModelCard
from engine.runtime.quiet import import_openvino
from engine.types import F32

ov = import_openvino()
ops = ov.opset15

GRAPH = 3  # grows with every change here, so that older compiled models are not taken


def with_pixels(network: Any, card: ModelCard) -> Any:
    """uint8 [1, h, w, 3] RGB in, uint8 probabilities out; mean, std, temperature and sigmoid are inside.

    `network` takes float [1, 3, h, w], normalised, and gives logits [1, 1, h, w], or any number of them; it
    is changed in place.
    """
    for_one_picture(network)
    _enlarge_by_matrices(network)
    steps = ov.preprocess.PrePostProcessor(network)
    pixels = steps.input(0)
    pixels.tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    pixels.model().set_layout(ov.Layout("NCHW"))
    pixels.preprocess().convert_element_type(ov.Type.f32)
    pixels.preprocess().mean([255.0 * mean for mean in card.input.mean])
    pixels.preprocess().scale([255.0 * std for std in card.input.std])
    steps.output(0).postprocess().custom(lambda logits: _probability(logits, card.output.temperature))
    steps.output(0).tensor().set_element_type(ov.Type.u8)
    return steps.build()


def for_one_picture(network: Any) -> Any:
    """The network with its batch fixed to 1, in place: model folders have it free, older ones are at 1."""
    shape = network.input(0).partial_shape
    if shape.is_dynamic:
        network.reshape([1, *list(shape)[1:]])
    return network


def _probability(logits: Any, temperature: float) -> Any:
    warm = ops.divide(logits, np.float32(temperature))
    return ops.round(ops.multiply(ops.sigmoid(warm), np.float32(255.0))).output(0)


def _enlarge_by_matrices(network: Any) -> None:
    """Replace the bilinear enlargement of the logits, where the network ends in one, by two products.

    OpenVINO enlarges a single channel value by value: a quarter of the default student's time. The same sums
    as matrix products cost next to nothing, and their weights (eighths at x4) are exact in bf16.
    """
    last = network.outputs[0].get_node().input_value(0).get_node()
    if last.get_type_name() != "Interpolate" or not _is_plain(last.get_attributes()):
        return
    small, large = list(last.input(0).get_shape()), list(last.output(0).get_shape())
    if small[:2] != [1, 1] or large[:2] != [1, 1]:
        return
    taller = ops.matmul(ops.constant(_matrix(small[2], large[2])), last.input_value(0), False, False)
    wider = ops.matmul(taller, ops.constant(_matrix(small[3], large[3])), False, True)
    last.output(0).replace(wider.output(0))


def _is_plain(attributes: dict[str, Any]) -> bool:
    """Whether it is the rule of `Axis`: half-pixel aligned, not antialiased, nothing padded."""
    return (
        attributes["mode"] in ("linear", "linear_onnx")
        and attributes["coordinate_transformation_mode"] == "half_pixel"
        and not attributes["antialias"]
        and not any(attributes["pads_begin"] + attributes["pads_end"])
    )


def _matrix(small: int, large: int) -> F32:
    """float32 [large, small] that enlarges a column of values."""
    lower, upper, weight = Axis(small, large).taps(0, large)
    matrix = np.zeros((large, small), np.float32)
    rows = np.arange(large)
    matrix[rows, lower] += 1.0 - weight
    matrix[rows, upper] += weight
    return matrix
