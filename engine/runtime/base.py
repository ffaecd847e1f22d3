"""What every runtime promises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from engine.faults import FaultCode, FaultError
from engine.runtime.auto.difference import Difference
from engine.types import U8, RuntimeInfo, Size


class Runtime(Protocol):
    """Executes one student. Everything around the network (mean, std, temperature, sigmoid) is inside."""

    @property
    def info(self) -> RuntimeInfo: ...

    def infer(self, image: U8) -> U8:
        """Probability map of one picture.

        image: uint8 [h, w, 3] RGB at the model's input size.   Returns uint8 [h, w], 255 = probability 1,
        a buffer of its own. At most `RuntimeOptions.streams` threads may call it at once.
        Raises FaultError SHAPE for another size or dtype, INFERENCE when the network throws.
        """

    def close(self) -> None:
        """Free the network. Idempotent."""


@dataclass(frozen=True, slots=True)
class RuntimeOptions:
    """`precision`: "auto" | "f32" | "bf16" | "f16" | "int8". `threads` 0: physical cores, at most 4.
    `streams`: calls of `infer` that may run side by side (`analyse` uses more than one).
    `device`: of OpenVINO, "CPU" | "GPU" | "NPU" | "GPU.1"; the others have one place to be."""

    precision: str = "auto"
    threads: int = 0
    streams: int = 1
    device: str = "CPU"


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build came to. `precision`: as the window shows it; `origin`: cached, refitted or compiled."""

    runtime: str
    precision: str
    origin: str
    parity: Difference


def check_image(image: U8, size: Size) -> None:
    """Raise FaultError SHAPE unless the picture is uint8 [h, w, 3] of the network's size."""
    expected = (size.height_px, size.width_px, 3)
    if image.shape != expected or image.dtype != np.uint8:
        raise FaultError(
            FaultCode.SHAPE,
            expected=f"a uint8 picture of shape {expected}",
            got=f"{image.dtype} of shape {image.shape}",
            remedy="make the picture at the size that model.json asks for",
        )
