"""A model folder around any student, with random weights: speed and memory hold, accuracy does not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save

from engine.files.whole import sha256_of, write_bytes, write_json
from engine.model_card import (
    CARD,
    INT8_BIN,
    INT8_XML,
    ONNX,
    SCHEMA,
    WEIGHTS,
    FileCard,
    InputCard,
    ModelCard,
    OutputCard,
    StudentCard,
    TrainingCard,
)
from engine.model_folder import ModelFolder, load_model_folder
from engine.models import make_student
from engine.models.onnx_file import write_onnx
from engine.preset import Preset
from engine.runtime.quantise import quantise

INT8_SAMPLES = 6
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def random_model(
    path: Path, name: str, args: Mapping[str, Any], size_px: int, *, int8: bool = False
) -> ModelFolder:
    """Write the folder `path`, named by the model's id: the student of that name and arguments, seed 0.

    `int8`: with an int8 network, made with noise, that nobody has checked.

    Raises FaultError EXTRA_MISSING, ARGUMENT or OUTPUT (a student that no ONNX file says).
    """
    torch.manual_seed(0)
    student = make_student(name, args).eval()
    for module in student.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            # Random layers fade out into numbers so small that a CPU takes a hundred times as long for them.
            module.weight.data.uniform_(0.8, 1.4)
            module.bias.data.uniform_(-0.2, 0.2)
    weights = {key: value.contiguous() for key, value in student.state_dict().items()}
    write_bytes(path / WEIGHTS, save(weights))
    write_onnx(student, size_px, path / ONNX)
    files = [ONNX, WEIGHTS]
    if int8:
        noise = np.random.default_rng(0).normal(size=(INT8_SAMPLES, 1, 3, size_px, size_px))
        quantise(path / ONNX, path / INT8_XML, noise.astype(np.float32))
        files += [INT8_XML, INT8_BIN]
    card = ModelCard(
        schema=SCHEMA,  # type: ignore[call-arg]
        id=path.name,
        student=StudentCard(name=name, args=dict(args)),
        input=InputCard(
            width_px=size_px,
            height_px=size_px,
            colour="RGB",
            mean=IMAGENET_MEAN,
            std=IMAGENET_STD,
            resize="squash-area",
        ),
        output=OutputCard(kind="logits"),
        files={
            file: FileCard(sha256=sha256_of(path / file), bytes=(path / file).stat().st_size)
            for file in files
        },
        presets={"standard": Preset(threshold=0.5, keep=0.4, min_area_frac=0.001, hit_ms=165, window_ms=265)},
        training=TrainingCard(recipe="none", seed=0, data="none", split="none", run_id="random weights"),
        licence="random weights",
        use="research use only",
    )
    write_json(path / CARD, card.model_dump(mode="json", by_alias=True))
    return load_model_folder(path)
