"""When an engine is built, refitted, taken from the cache, or refused: torch_tensorrt itself is a small fake.

The fake runs the network as it is on the CPU, so that the numbers behind every decision are real.
"""

from __future__ import annotations

import json
import os
import shutil
import time

import numpy as np
import pytest

from engine.faults import FaultCode, FaultError
from engine.files.whole import sha256_of
from engine.model_card import CARD, WEIGHTS
from engine.model_folder import load_model_folder
from engine.runtime import open_runtime
from engine.runtime.auto.parity import compare_maps, is_same
from engine.runtime.base import RuntimeOptions
from engine.runtime.cache import META, EngineCache
from engine.types import RuntimeInfo, Size
from tests.fixtures.models import random_student
from tests.fixtures.region import far_outside, probabilities

torch = pytest.importorskip("torch", reason="pip install 'polyplive[torch]'")

SIZE_PX = 96
GPU = {"name": "NVIDIA T4", "capability": "7.5", "driver": "580.10"}
HALF = '{"Layers": [{"Name": "conv", "Outputs": [{"Name": "x", "Format/Datatype": "Half"}]}]}'
FULL = HALF.replace("Half", "Row major linear FP32")


class FakeTensorRT:
    """Compiles to the network as it is. `broken`: layouts whose engine answers nonsense."""

    def __init__(self):
        self.calls = []
        self.broken = set()
        self.layers = HALF
        self.compile_error = self.refit_error = self.load_error = None
        self.refit_forgets = False
        self.saved = []

    def versions(self):
        return {"torch": "2.13.0", "tensorrt": "11.0.0"}

    def export(self, network, pixels):
        return network

    def compile(self, program, pixels, timing_cache, logs):
        layout = layout_of(program)
        self.calls.append(f"compile {layout}")
        if self.compile_error is not None:
            raise self.compile_error
        timing_cache.write_bytes(b"timings")
        return Silent() if layout in self.broken else program

    def layer_info(self, compiled):
        return [self.layers]

    def refit(self, compiled, program, pixels):
        self.calls.append("refit")
        if self.refit_error is not None:
            raise self.refit_error
        return compiled if self.refit_forgets else program

    def save(self, compiled, path, pixels):
        path.write_text(str(len(self.saved)))
        self.saved.append(compiled)

    def load(self, path):
        if self.load_error is not None:
            raise self.load_error
        return self.saved[int(path.read_text())]


class Silent(torch.nn.Module):
    def forward(self, pixels):
        return pixels[..., :1].permute(0, 3, 1, 2).to(torch.float32) * 0.0


def layout_of(program):
    dtypes = {value.dtype for name, value in program.state_dict().items() if name.endswith("weight")}
    if dtypes == {torch.float16, torch.float32}:
        return "f16, decoder f32"
    return "f16" if dtypes == {torch.float16} else "f32"


def other_weights(model, folder):
    """The same student, trained otherwise."""
    from safetensors.torch import load_file, save_file

    path = shutil.copytree(model.path, folder / "other")
    state = {name: value.clone() for name, value in load_file(path / WEIGHTS).items()}
    for name in state:
        if name.startswith("head"):
            state[name] = -state[name]
    save_file(state, path / WEIGHTS)
    card = json.loads((path / CARD).read_text())
    size = (path / WEIGHTS).stat().st_size
    card["files"][WEIGHTS] = {"sha256": sha256_of(path / WEIGHTS), "bytes": size}
    (path / CARD).write_text(json.dumps(card))
    return load_model_folder(path)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return load_model_folder(random_student(tmp_path_factory.mktemp("models")))


@pytest.fixture(scope="module")
def frames():
    # Grey steps with a little noise: masks with an inside, not pixels at a threshold.
    rng = np.random.default_rng(1)
    steps = np.linspace(0, 255, SIZE_PX)[None, :, None] + rng.normal(0, 4, (2, SIZE_PX, SIZE_PX, 3))
    return list(np.clip(steps, 0, 255).astype(np.uint8))


@pytest.fixture
def trt():
    return FakeTensorRT()


@pytest.fixture
def build(trt, tmp_path, frames):
    """Opens as the runtime does: from the cache, else made. Gives what came of it."""
    from engine.runtime.nvidia.staleness import engine_facts
    from engine.runtime.nvidia.trt_build import BLOB, Builder

    def build(model, precision="auto", gpu=GPU, report=lambda difference, layout: None):
        facts = engine_facts(model, precision, trt.versions(), gpu)
        engines = EngineCache(tmp_path / "engines", blob=BLOB)
        builder = Builder(model, facts, trt, torch.device("cpu"), engines, report=report)
        return builder.cached() or builder.make(frames, tmp_path / "engines")

    return build


def entries(tmp_path):
    return [path for path in (tmp_path / "engines").iterdir() if path.is_dir()]


def says_what_eager_says(built, model, frames):
    eager = open_runtime("eager", model, RuntimeOptions("f32", threads=1))
    with torch.inference_mode():
        said = [built.module(torch.from_numpy(f)[None])[0, 0].numpy().astype(np.uint8) for f in frames]
    return (
        compare_maps([(eager.infer(f), s) for f, s in zip(frames, said, strict=True)], 0.5).mask_dice > 0.99
    )


def test_the_first_time_it_is_compiled_in_half_and_the_second_time_loaded(build, trt, model, frames):
    first, second = build(model), build(model)

    assert trt.calls == ["compile f16"]
    assert (first.layout, first.origin) == ("f16", "compiled")
    assert (second.layout, second.origin) == ("f16", "cached")
    assert says_what_eager_says(second, model, frames)


def test_what_an_engine_sees_of_a_region_lies_where_eager_sees_it_and_nowhere_else(build, model):
    from engine.runtime.nvidia.lane import Lane
    from engine.runtime.nvidia.on_gpu import LaneRuntime

    size = Size(SIZE_PX, SIZE_PX)
    lane = Lane(build(model).module, size, torch.device("cpu"), graph=False)
    engine = LaneRuntime(lane, size, RuntimeInfo("tensorrt", "a CPU", "f16", 0, "fake"))
    eager = open_runtime("eager", model, RuntimeOptions("f32", threads=1))
    reference, other = probabilities(eager, size), probabilities(engine, size)

    assert (reference >= 128).any()
    assert is_same(compare_maps(zip(reference, other, strict=True), threshold=0.5), "f16")
    assert not other[:, far_outside()].any()


@pytest.mark.parametrize("changed", [{"driver": "590.1"}, {"name": "NVIDIA L4"}], ids=["driver", "GPU"])
def test_another_gpu_or_driver_gets_an_engine_of_its_own(build, trt, model, changed):
    build(model)
    built = build(model, gpu=GPU | changed)

    assert built.origin == "compiled"
    assert len(trt.calls) == 2


def test_another_version_of_tensorrt_gets_an_engine_of_its_own(build, trt, model):
    build(model)
    trt.versions = lambda: {"torch": "2.13.0", "tensorrt": "11.0.1"}

    assert build(model).origin == "compiled"


def test_new_weights_of_the_same_student_are_put_into_its_engine(build, trt, model, frames, tmp_path):
    build(model)
    other = other_weights(model, tmp_path)
    built = build(other)

    assert trt.calls == ["compile f16", "refit"]
    assert built.origin == "refitted"
    assert says_what_eager_says(built, other, frames)
    assert build(other).origin == "cached"


@pytest.mark.parametrize("trouble", ["it raises", "the old weights stay"])
def test_where_refitting_fails_the_engine_is_built(build, trt, model, frames, tmp_path, trouble):
    build(model)
    trt.refit_error = (
        AssertionError("layer is not found in weight mapping") if trouble == "it raises" else None
    )
    trt.refit_forgets = trouble != "it raises"
    other = other_weights(model, tmp_path)
    built = build(other)

    assert trt.calls == ["compile f16", "refit", "compile f16"]
    assert built.origin == "compiled"
    assert says_what_eager_says(built, other, frames)


@pytest.mark.parametrize(
    ("broken", "layout"), [({"f16"}, "f16, decoder f32"), ({"f16", "f16, decoder f32"}, "f32")]
)
def test_more_of_it_is_kept_in_float32_until_the_masks_are_the_same(build, trt, model, broken, layout):
    seen = []
    trt.broken = broken
    built = build(model, report=lambda difference, name: seen.append((name, difference.pooled_dice)))

    assert built.layout == layout
    assert [name for name, _ in seen][-1] == layout
    assert seen[0][1] < 0.5 < seen[-1][1]
    assert build(model).layout == layout  # the cache knows it


def test_an_engine_whose_masks_are_never_the_same_is_refused_and_not_kept(build, trt, model, tmp_path):
    trt.broken = {"f16", "f16, decoder f32", "f32"}
    with pytest.raises(FaultError, match="Dice 0") as caught:
        build(model)

    assert caught.value.code is FaultCode.MODEL_LOAD
    assert entries(tmp_path) == []


def test_an_engine_that_is_float32_without_a_word_is_noticed(build, trt, model):
    trt.layers = FULL

    assert build(model).layout == "f16, decoder f32"  # of which nobody expects half from end to end
    assert trt.calls == ["compile f16", "compile f16, decoder f32"]


def test_half_asked_for_by_name_is_never_float32(build, trt, model):
    trt.broken = {"f16", "f16, decoder f32"}
    with pytest.raises(FaultError):
        build(model, "f16")

    assert build(model, "f32").layout == "f32"


@pytest.mark.parametrize("call", ["export", "compile", "layer_info", "save"])
def test_a_compiler_that_fails_is_told_in_its_own_words(build, trt, model, tmp_path, call):
    def fail(*arguments):
        raise AssertionError("no converter for aten::odd\nand a long trace")

    setattr(trt, call, fail)
    with pytest.raises(FaultError, match="no converter for aten::odd") as caught:
        build(model)

    assert caught.value.remedy == "choose the runtime cuda"
    assert entries(tmp_path) == []


def test_an_interrupted_build_leaves_nothing(build, trt, model, tmp_path):
    trt.compile_error = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        build(model)

    assert entries(tmp_path) == []


def test_what_a_killed_build_has_left_is_swept_away_and_a_running_one_is_not(build, model, tmp_path):
    killed, running = (tmp_path / "engines" / f".building-{pid}-x" for pid in (1, 2))
    killed.mkdir(parents=True)
    running.mkdir()
    two_days_ago = time.time() - 2 * 24 * 3600
    os.utime(killed, (two_days_ago, two_days_ago))
    build(model)

    assert not killed.exists()
    assert running.exists()


def test_a_stored_engine_that_does_not_load_is_built_again(build, trt, model):
    build(model)
    load = trt.load
    failing = iter([True])
    trt.load = lambda path: 1 / 0 if next(failing, False) else load(path)

    assert build(model).origin == "compiled"


@pytest.mark.parametrize("layout", ["f16", "f16, decoder f32"])
def test_what_torch_tensorrt_gets_is_one_graph_that_converts_its_pixels_first(model, layout):
    from engine.runtime.nvidia.fused import Fused
    from engine.runtime.student import load_student

    pixels = torch.zeros(1, SIZE_PX, SIZE_PX, 3, dtype=torch.uint8)
    program = torch.export.export(Fused(load_student(model), model.card, layout).eval(), (pixels,))
    computed = [str(node.target) for node in program.graph.nodes if node.op == "call_function"]
    computed = [name for name in computed if "assert" not in name]

    assert computed[0] == "aten.to.dtype"  # uint8 may go nowhere else in TensorRT
    assert computed[-1] == "aten.round.default"  # and nothing in it may give uint8


def test_an_unknown_precision_is_a_fault(build, model):
    with pytest.raises(FaultError, match="f12"):
        build(model, "f12")


def test_timings_of_one_build_are_there_for_the_next(build, model, tmp_path):
    build(model)

    assert (tmp_path / "engines" / "timing.cache").read_bytes() == b"timings"


def test_the_stored_engine_tells_how_near_its_masks_are(build, model, tmp_path):
    build(model)
    (entry,) = entries(tmp_path)
    notes = json.loads((entry / META).read_text())["notes"]

    assert notes["origin"] == "compiled"
    assert notes["parity"]["pooled_dice"] > 0.99


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("Half", "f16"),
        ("Channel major FP16 format where channel % 8 == 0", "f16"),
        ("Row major linear FP32", "f32"),
        ("Float", "f32"),
        ("BF16", "bf16"),
    ],
)
def test_the_types_of_an_engines_tensors_are_read_in_every_spelling(words, kind):
    from engine.runtime.nvidia.trt_types import tensor_types

    layer = {"Name": "conv", "Outputs": [{"Name": "x", "Format/Datatype": words}]}

    assert tensor_types([json.dumps({"Layers": [layer, layer]})]) == {kind: 2}
    assert tensor_types([json.dumps({"Layers": ["only a name"]})]) == {}
