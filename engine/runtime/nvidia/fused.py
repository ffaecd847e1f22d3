"""A student with everything around it, as one torch module: pixels in, steps of probability out."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map

from engine.model_card import ModelCard
from engine.models.base import Student

DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16}

# How a network is laid out in half precision, the fastest first: the next one is for students whose masks
# change in the one before.
LAYOUTS = ("f16", "f16, decoder f32", "f32")
# What a person may ask for, and the layouts that are tried for it in turn.
PRECISIONS = {"auto": LAYOUTS, "f16": LAYOUTS[:2], "f32": LAYOUTS[2:]}


class Fused(nn.Module):
    """uint8 [1, h, w, 3] RGB -> float32 [1, 1, h, w], whole numbers 0..255 (255 = probability 1).

    Mean, std, temperature and sigmoid are inside and in float32, the student is in the layout's precision.
    The last step, whole numbers to uint8, is the caller's: TensorRT converts to no uint8 inside a network.
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, student: Student, card: ModelCard, layout: str) -> None:
        """`layout`: a name of DTYPES or LAYOUTS. The student is converted in place."""
        super().__init__()
        precision, _, exact = layout.partition(", ")
        self.dtype = DTYPES[precision]
        self.student = student.to(dtype=self.dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]
        if exact:
            for module in decoder_parts(student):
                _in_f32(module)
        for module in student.modules():
            if (
                isinstance(module, nn.AvgPool2d)
                and module.kernel_size == module.stride
                and not module.padding
            ):
                # Rounding up changes nothing, as sides are multiples of 32, but TensorRT would leave the
                # operator to torch and make four engines of a PraNet.
                module.ceil_mode = False
        std = torch.tensor(card.input.std, dtype=torch.float32).view(1, 3, 1, 1)
        mean = torch.tensor(card.input.mean, dtype=torch.float32).view(1, 3, 1, 1)
        self.register_buffer("scale", 1.0 / (255.0 * std))
        self.register_buffer("shift", -mean / std)
        self.sharpness = 1.0 / card.output.temperature

    def forward(self, pixels: Tensor) -> Tensor:
        # Converted before anything else: TensorRT takes uint8 nowhere but in a cast (its issue 3985).
        picture = pixels.to(torch.float32).permute(0, 3, 1, 2)
        logits = self.student((picture * self.scale + self.shift).to(self.dtype))
        probability = torch.sigmoid(logits.to(torch.float32) * self.sharpness)
        return torch.round(probability * 255.0)


def decoder_parts(student: Student) -> list[nn.Module]:
    """The largest modules that hold weights and none of the encoder's, each called as a whole."""
    encoder = {id(parameter) for parameter in student.encoder_parameters()}

    def parts(module: nn.Module) -> list[nn.Module]:
        found: list[nn.Module] = []
        for child in module.children():
            ids = {id(parameter) for parameter in child.parameters()}
            if not ids or ids <= encoder:
                continue
            # A list of modules is never called itself.
            if ids & encoder or isinstance(child, nn.ModuleList | nn.ModuleDict):
                found += parts(child)
            else:
                found.append(child)
        return found

    return parts(student)


def _in_f32(module: nn.Module) -> None:
    """Compute in float32 whatever comes in; what comes out stays float32, for the next one of these."""
    module.float()
    module.register_forward_pre_hook(lambda _, arguments: tree_map(_wide, arguments))


def _wide(value: Any) -> Any:
    return value.float() if isinstance(value, Tensor) and value.is_floating_point() else value
