"""The runtime cuda on a real NVIDIA GPU: `make test-gpu`."""

from __future__ import annotations

import numpy as np
import pytest

from engine.model_folder import default_model, load_model_folder
from engine.runtime import open_runtime
from engine.runtime.auto.frames import stored_frames
from engine.runtime.auto.parity import compare_runtimes, is_same
from engine.runtime.base import RuntimeOptions
from engine.types import Size

torch = pytest.importorskip("torch", reason="pip install 'polyplive[torch]'")
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU that torch computes on"),
]


@pytest.fixture(scope="module")
def model():
    return load_model_folder(default_model())


@pytest.fixture(scope="module")
def frames(model):
    return stored_frames(Size(model.card.input.width_px, model.card.input.height_px))


@pytest.fixture
def opened(model):
    runtimes = []

    def open_one(name, precision="auto"):
        runtimes.append(open_runtime(name, model, RuntimeOptions(precision)))
        return runtimes[-1]

    yield open_one
    for runtime in runtimes:
        runtime.close()


@pytest.mark.parametrize("precision", ["f32", "bf16", "f16", "f16, compiled"])
def test_its_masks_are_those_of_the_exact_network(opened, model, frames, precision):
    threshold = model.card.presets["standard"].threshold
    difference = compare_runtimes(opened("eager", "f32"), opened("cuda", precision), frames, threshold)

    print(f"\ncuda {precision}: {difference}")
    assert is_same(difference, precision)


def test_a_replayed_graph_says_what_the_network_says_without_one(model, frames):
    from engine.runtime.nvidia.fused import Fused
    from engine.runtime.nvidia.lane import Lane
    from engine.runtime.student import load_student

    device = torch.device("cuda")
    size = Size(model.card.input.width_px, model.card.input.height_px)
    network = Fused(load_student(model), model.card, "f16").to(device)
    with_graph, without = (Lane(network, size, device, graph=graph) for graph in (True, False))

    for frame in frames:
        steps = np.abs(with_graph.run(frame).astype(int) - without.run(frame).astype(int))
        assert steps.max() <= 1  # cuDNN may have chosen another kernel


def test_every_picture_gets_its_own_answer(opened, frames):
    runtime = opened("cuda")
    alone = [runtime.infer(frame) for frame in frames]

    assert all(np.array_equal(runtime.infer(frame), said) for frame, said in zip(frames, alone, strict=True))


def test_another_runtime_may_compute_while_one_is_made_ready(opened, frames):
    first = opened("cuda")
    before = first.infer(frames[0])
    second = opened("cuda", "bf16")  # captures a graph of its own

    assert np.array_equal(first.infer(frames[0]), before)
    assert second.infer(frames[0]).shape == before.shape


def test_the_memory_comes_back_when_it_is_closed(opened, frames):
    opened("cuda").infer(frames[0])  # what CUDA itself takes
    torch.cuda.synchronize()
    before = torch.cuda.memory_allocated()
    runtime = opened("cuda")
    runtime.infer(frames[0])
    taken = torch.cuda.memory_allocated() - before
    runtime.close()
    torch.cuda.synchronize()

    print(f"\ncuda f16: {taken / 1e6:.1f} MB of GPU memory")
    assert torch.cuda.memory_allocated() - before < max(taken / 2, 1)
