"""PyTorch as trained, on CPU, CUDA or Apple's GPU (MPS): what every other runtime is compared with."""

from __future__ import annotations

import numpy as np
import torch

from engine.faults import FaultCode, FaultError
from engine.model_folder import ModelFolder
from engine.models.base import Student
from engine.runtime.base import Runtime, RuntimeOptions, check_image
from engine.runtime.host import cpu_name, default_threads
from engine.runtime.student import load_student
from engine.types import U8, RuntimeInfo, Size

PRECISIONS = {"auto": "f32", "f32": "f32", "bf16": "bf16"}


class EagerRuntime:
    """The student in channels_last, under inference mode. `infer` may be called by several threads."""

    def __init__(self, student: Student, model: ModelFolder, device: torch.device, info: RuntimeInfo) -> None:
        card = model.card
        self._info = info
        self._size = Size(card.input.width_px, card.input.height_px)
        self._device = device
        self._student: Student | None = student
        self._temperature = card.output.temperature
        self._mean = torch.tensor(card.input.mean, device=device).mul(255.0).view(1, 3, 1, 1)
        self._std = torch.tensor(card.input.std, device=device).mul(255.0).view(1, 3, 1, 1)
        self._half = info.precision == "bf16"

    @property
    def info(self) -> RuntimeInfo:
        return self._info

    def infer(self, image: U8) -> U8:
        """As `Runtime.infer`."""
        check_image(image, self._size)
        student = self._student
        if student is None:
            raise _inference_fault("one that has been closed", "open the model again")
        try:
            with (
                torch.inference_mode(),
                torch.autocast(self._device.type, torch.bfloat16, enabled=self._half),
            ):
                # A copy: torch would warn of the decoder's read-only picture.
                pixels = (
                    torch.from_numpy(image.copy()).to(self._device).permute(2, 0, 1)[None]
                )  # [1, 3, h, w]
                logits = student((pixels.float() - self._mean) / self._std).float()
                probability = torch.sigmoid(logits / self._temperature).mul(255.0).round()
                return np.array(probability[0, 0].to(torch.uint8).cpu().numpy(), np.uint8)
        except RuntimeError as error:
            raise _inference_fault(str(error).splitlines()[0], "choose another runtime") from error

    def close(self) -> None:
        """As `Runtime.close`."""
        self._student = None


def open(model: ModelFolder, options: RuntimeOptions) -> Runtime:
    """The student of `model.json` with the folder's weights, on a GPU where torch has one.

    Raises FaultError ARGUMENT (precision) or MODEL_LOAD (weights of another network).
    """
    if options.precision not in PRECISIONS:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected="a precision of the runtime eager: f32, bf16",
            got=repr(options.precision),
            remedy="choose auto, or the runtime openvino",
        )
    threads = options.threads or default_threads()
    torch.set_num_threads(threads)
    device = _device()
    student = load_student(model).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else cpu_name()
    if device.type == "mps":
        name = f"{name} GPU"  # one chip, one name
    info = RuntimeInfo("eager", name, PRECISIONS[options.precision], threads, f"torch {torch.__version__}")
    return EagerRuntime(student, model, device, info)


def _device() -> torch.device:
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def _inference_fault(got: str, remedy: str) -> FaultError:
    return FaultError(
        FaultCode.INFERENCE,
        expected="the network to run",
        got=got,
        remedy=remedy,
        said=f"The network failed ({got}). {remedy[:1].upper()}{remedy[1:]}.",
    )
