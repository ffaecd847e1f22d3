"""TensorRT on a real NVIDIA GPU, a real build included: `make test-gpu`. Takes minutes."""

from __future__ import annotations

import shutil
import time

import numpy as np
import pytest

from engine.files.whole import HOME_VARIABLE
from engine.model_folder import default_model, load_model_folder
from engine.runtime import open_runtime
from engine.runtime.auto.frames import stored_frames
from engine.runtime.auto.parity import compare_runtimes, is_same
from engine.runtime.base import RuntimeOptions
from engine.runtime.cache import cache_folder
from engine.types import Size
from tests.contract.test_trt_build import other_weights

torch = pytest.importorskip("torch", reason="pip install 'polyplive[torch]'")
pytest.importorskip("torch_tensorrt", reason="pip install 'polyplive[tensorrt]'", exc_type=ImportError)
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU that torch computes on"),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """One cache for all of these: a build takes a minute."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def own_cache(home, monkeypatch):
    monkeypatch.setenv(HOME_VARIABLE, str(home))


@pytest.fixture(scope="module")
def model():
    return load_model_folder(default_model())


@pytest.fixture(scope="module")
def frames(model):
    return stored_frames(Size(model.card.input.width_px, model.card.input.height_px))


@pytest.fixture
def build():
    """Has the engine, and says how it came about and how long that took."""
    from engine.runtime.nvidia.tensorrt import build as build_engine

    def build(model, precision="auto"):
        began_s = time.perf_counter()
        report = build_engine(model, RuntimeOptions(precision), None, print)
        print(f"{report.origin} {report.precision} in {time.perf_counter() - began_s:.1f} s: {report.parity}")
        return report

    return build


@pytest.fixture
def opened(model):
    runtimes = []

    def open_one(name, precision="auto", model=model):
        runtimes.append(open_runtime(name, model, RuntimeOptions(precision)))
        return runtimes[-1]

    yield open_one
    for runtime in runtimes:
        runtime.close()


def test_an_engine_is_built_whose_masks_are_those_of_the_exact_network(build, model, opened, frames):
    report = build(model)
    threshold = model.card.presets["standard"].threshold
    difference = compare_runtimes(opened("eager", "f32"), opened("tensorrt"), frames, threshold)

    assert report.origin in ("compiled", "cached")
    assert is_same(difference, report.precision)


def test_the_second_time_it_comes_from_the_cache(build, model):
    build(model)

    assert build(model).origin == "cached"
    assert not list(cache_folder("tensorrt").glob(".building-*"))


def test_the_default_student_is_half_from_end_to_end(build, model):
    assert build(model).precision == "f16"


def test_new_weights_are_put_into_the_engine_without_a_build(build, model, opened, frames, tmp_path):
    build(model)
    other = other_weights(model, tmp_path)
    report = build(other)
    threshold = other.card.presets["standard"].threshold
    difference = compare_runtimes(
        opened("eager", "f32", other), opened("tensorrt", model=other), frames, threshold
    )

    assert report.origin == "refitted"
    assert is_same(difference, report.precision)


def test_replayed_as_a_graph_it_says_the_same(build, model, frames, opened):
    from engine.runtime.nvidia.lane import Lane
    from engine.runtime.nvidia.tensorrt import builder_for

    build(model)
    module = builder_for(model, RuntimeOptions()).cached().module
    size = Size(model.card.input.width_px, model.card.input.height_px)
    without = Lane(module, size, torch.device("cuda"), graph=False)
    plain = [without.run(frame) for frame in frames]
    with_graph = opened("tensorrt")

    assert all(np.array_equal(with_graph.infer(f), said) for f, said in zip(frames, plain, strict=True))


def test_closing_one_leaves_the_graphs_of_its_successor(build, model, opened, frames):
    import torch_tensorrt

    build(model)
    first, second = opened("tensorrt"), opened("tensorrt")
    said = second.infer(frames[0])
    first.close()

    assert torch_tensorrt.runtime.get_cudagraphs_mode() or torch_tensorrt.runtime.get_whole_cudagraphs_mode()
    assert np.array_equal(second.infer(frames[0]), said)


def test_a_damaged_engine_is_built_again(build, model):
    build(model)
    for entry in cache_folder("tensorrt").glob("[!.]*/engine.pt2"):
        entry.write_bytes(entry.read_bytes()[:1000])

    assert build(model).origin == "compiled"
    shutil.rmtree(cache_folder("tensorrt"))
