"""One student in torch, onnxruntime and OpenVINO: float32 [1, 3, H, W] normalised -> logits [1, 1, H, W]."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn

from distill.data.dataset import Pictures, squash
from engine.model_card import InputCard, OutputCard
from engine.types import F32, Region, Size
from engine.view.region import box_of, placed

Network = Callable[[F32], F32]


def maps_of(
    network: Network,
    pictures: Pictures,
    card: InputCard,
    output: OutputCard,
    region: Region = "frame",
) -> Iterator[F32]:
    """Probability maps of all pictures in order, float32 [H, W]; at the picture's size where it is cut."""
    mean = np.array(card.mean, np.float32)
    std = np.array(card.std, np.float32)
    for image in pictures.images:
        box = box_of(image, region)
        part = image[box.y : box.y + box.h, box.x : box.x + box.w]
        said = probability_of(network, normalised(squash(part, card.width_px), mean, std), output)
        yield placed(said, box, Size(image.shape[1], image.shape[0]))


def normalised(image: np.ndarray, mean: F32, std: F32) -> F32:
    """uint8 [H, W, 3] RGB -> float32 [1, 3, H, W]."""
    scaled = (image.astype(np.float32) / np.float32(255) - mean) / std
    return np.ascontiguousarray(scaled.transpose(2, 0, 1)[None])


def probability_of(network: Network, image: F32, output: OutputCard) -> F32:
    """float32 [1, 3, H, W] -> float32 [H, W] in 0..1."""
    logits = network(image)[0, 0] / np.float32(output.temperature)
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -80, 80))), np.float32)


def torch_network(student: nn.Module) -> Network:
    student = student.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def run(image: F32) -> F32:
        with torch.inference_mode():
            return np.asarray(student(torch.from_numpy(image)).numpy())

    return run


def onnx_network(path: Path, threads: int = 2) -> Network:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda image: np.asarray(session.run(["logits"], {"image": image})[0])


def openvino_network(path: Path, precision: str = "f32") -> Network:
    """`precision` is the hint for float layers; an int8 network is int8 whatever it says."""
    from engine.runtime.openvino_graph import for_one_picture
    from engine.runtime.quiet import import_openvino

    core = import_openvino().Core()
    network = for_one_picture(core.read_model(str(path)))
    compiled = core.compile_model(network, "CPU", {"INFERENCE_PRECISION_HINT": precision})
    return lambda image: np.asarray(compiled([image])[0])


def openvino_has_bf16() -> bool:
    """Whether the CPU has bf16: asked for it without, OpenVINO takes float32 and says nothing."""
    from engine.runtime.quiet import import_openvino

    return "BF16" in import_openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
