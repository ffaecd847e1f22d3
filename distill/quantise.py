"""int8 by post-training quantisation on real training images."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from engine.runtime.openvino_graph import for_one_picture
from engine.types import F32


def quantise(onnx: Path, xml: Path, images: Iterable[F32]) -> None:
    """Write the int8 network as OpenVINO IR, `xml` and the .bin beside it.

    images: float32 [1, 3, H, W], normalised. ReLU everywhere, so activations are quantised asymmetrically
    only where they go below zero (the mixed preset).
    """
    import nncf
    import openvino

    nncf.set_log_level(logging.WARNING)
    samples = list(images)
    network = for_one_picture(openvino.Core().read_model(str(onnx)))
    quantised = nncf.quantize(
        network,
        nncf.Dataset(samples),
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(samples),
        fast_bias_correction=True,
    )
    openvino.save_model(quantised, str(xml), compress_to_fp16=False)
