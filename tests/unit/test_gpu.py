"""GPUs as NVIDIA's management library tells of them."""

from __future__ import annotations

import pytest

from engine.runtime.nvidia.gpu import Gpu, gpus_of


class Nvml:
    """NVML with two GPUs. `fails`: the call that does not work (a driver that was updated while it ran)."""

    NAMES = (b"NVIDIA T4", b"NVIDIA H100")

    def __init__(self, fails=""):
        self.fails = fails
        self.open = 0

    def __getattribute__(self, name):
        if name.startswith("nvml") and name == self.fails:
            return lambda *arguments: 999
        return super().__getattribute__(name)

    def nvmlInit_v2(self):
        self.open += 1
        return 0

    def nvmlShutdown(self):
        self.open -= 1
        return 0

    def nvmlSystemGetDriverVersion(self, text, size):
        text.value = b"580.10"
        return 0

    def nvmlDeviceGetCount_v2(self, count):
        count._obj.value = 2
        return 0

    def nvmlDeviceGetHandleByIndex_v2(self, number, handle):
        handle._obj.value = number + 1
        return 0

    def nvmlDeviceGetName(self, handle, text, size):
        text.value = self.NAMES[handle.value - 1]
        return 0

    def nvmlDeviceGetCudaComputeCapability(self, handle, major, minor):
        major._obj.value, minor._obj.value = (7, 5) if handle.value == 1 else (9, 0)
        return 0


def test_every_gpu_is_told_with_its_capability_and_driver():
    nvml = Nvml()

    assert gpus_of(nvml, {}) == (Gpu("NVIDIA T4", "7.5", "580.10"), Gpu("NVIDIA H100", "9.0", "580.10"))
    assert nvml.open == 0


@pytest.mark.parametrize("call", ["nvmlInit_v2", "nvmlSystemGetDriverVersion", "nvmlDeviceGetCount_v2"])
def test_a_driver_that_does_not_answer_has_no_gpus(call):
    nvml = Nvml(call)

    assert gpus_of(nvml, {}) == ()
    assert nvml.open == 0


def test_gpus_that_are_hidden_from_programs_are_not_there():
    assert gpus_of(Nvml(), {"CUDA_VISIBLE_DEVICES": ""}) == ()
    assert gpus_of(Nvml(), {"CUDA_VISIBLE_DEVICES": "-1"}) == ()
    assert len(gpus_of(Nvml(), {"CUDA_VISIBLE_DEVICES": "0,1"})) == 2
