"""What the GPU runtimes compute, as far as a CPU can tell: the numbers, not the speed."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from engine.faults import FaultCode, FaultError
from engine.model_folder import load_model_folder
from engine.runtime import open_runtime
from engine.runtime.auto.parity import compare_maps, compare_runtimes, is_same
from engine.runtime.base import RuntimeOptions
from engine.types import Size
from tests.fixtures.models import IMAGENET, random_student
from tests.fixtures.region import far_outside, probabilities

torch = pytest.importorskip("torch", reason="pip install 'polyplive[torch]'")

SIZE_PX = 96
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return load_model_folder(random_student(tmp_path_factory.mktemp("models")))


@pytest.fixture(scope="module")
def eager(model):
    runtime = open_runtime("eager", model, RuntimeOptions("f32", threads=1))
    yield runtime
    runtime.close()


@pytest.fixture
def pictures():
    rng = np.random.default_rng(1)
    return [rng.integers(0, 256, (SIZE_PX, SIZE_PX, 3), np.uint8) for _ in range(3)]


def on_cpu(model, precision):
    from engine.runtime.nvidia.cuda import on_device

    return on_device(model, RuntimeOptions(precision), CPU)


def test_in_float32_it_says_what_eager_says_within_one_step(model, eager, pictures):
    difference = compare_runtimes(eager, on_cpu(model, "f32"), pictures, threshold=0.5)

    assert difference.max_dp <= 1 / 255
    assert difference.images == 3


@pytest.mark.parametrize("precision", ["f32", "f16"])
def test_what_it_sees_of_a_region_lies_where_eager_sees_it_and_nowhere_else(model, eager, precision):
    size = Size(SIZE_PX, SIZE_PX)
    reference, other = probabilities(eager, size), probabilities(on_cpu(model, precision), size)

    difference = compare_maps(zip(reference, other, strict=True), threshold=0.5)

    assert (reference >= 128).any()
    assert is_same(difference, precision)
    assert not other[:, far_outside()].any()


@pytest.mark.parametrize(("precision", "max_dp"), [("f16", 0.02), ("bf16", 0.15)])
def test_in_half_precision_it_stays_near(model, eager, pictures, precision, max_dp):
    difference = compare_runtimes(eager, on_cpu(model, precision), pictures, threshold=0.5)

    assert 0 < difference.max_dp <= max_dp
    assert difference.mask_dice > 0.97


def test_what_tensorrt_needs_of_a_pranet_changes_no_number():
    from engine.models import make_student
    from engine.runtime.nvidia.fused import Fused

    student = make_student("pranet", {}).eval()
    card = SimpleNamespace(
        input=SimpleNamespace(mean=IMAGENET[0], std=IMAGENET[1]), output=SimpleNamespace(temperature=1.0)
    )
    pixels = torch.randint(0, 256, (1, SIZE_PX, SIZE_PX, 3), dtype=torch.uint8)
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in IMAGENET)
    with torch.inference_mode():
        exact = torch.sigmoid(student((pixels.permute(0, 3, 1, 2) / 255 - mean) / std)) * 255
        said = Fused(student, card, "f32")(pixels)

    pools = [module for module in student.modules() if isinstance(module, torch.nn.AvgPool2d)]
    assert pools
    assert not any(pool.ceil_mode for pool in pools)
    assert (said - exact).abs().max() < 0.51  # rounded


@pytest.mark.slow  # torch.compile takes half a minute
def test_compiled_it_says_the_same(model, eager, pictures):
    runtime = on_cpu(model, "f16, compiled")
    difference = compare_runtimes(eager, runtime, pictures, threshold=0.5)

    assert runtime.info.precision == "f16, compiled"
    assert 0 < difference.max_dp <= 0.02
    assert difference.mask_dice > 0.97


def test_every_layout_computes_in_the_precision_it_names(model):
    from engine.runtime.nvidia.fused import LAYOUTS, Fused
    from engine.runtime.student import load_student

    dtypes = {}
    for layout in LAYOUTS:
        student = Fused(load_student(model), model.card, layout).student
        dtypes[layout] = student.encoder.conv_stem.weight.dtype, student.head.weight.dtype

    half, full = torch.float16, torch.float32
    assert dtypes == {"f16": (half, half), "f16, decoder f32": (half, full), "f32": (full, full)}


def test_a_decoder_in_float32_is_nearer_than_all_in_half(model, eager, pictures):
    from engine.runtime.nvidia.fused import Fused
    from engine.runtime.student import load_student

    def error(layout):
        fused = Fused(load_student(model), model.card, layout)
        with torch.inference_mode():
            said = [fused(torch.from_numpy(picture)[None])[0, 0].numpy() for picture in pictures]
        exact = [eager.infer(picture) for picture in pictures]
        return float(np.mean([np.abs(a - b).mean() for a, b in zip(said, exact, strict=True)]))

    assert error("f32") < error("f16, decoder f32") < error("f16")


def test_the_decoder_of_every_kind_of_student_is_found():
    from engine.models import make_student
    from engine.runtime.nvidia.fused import decoder_parts

    names = {}
    for name, args in {
        "light": {"encoder": "test_efficientnet", "channels": 16},
        "committee": {"encoders": "test_efficientnet test_efficientnet", "channels": "16 8"},
        "unet": {"width": 4},
    }.items():
        student = make_student(name, args)
        paths = {id(module): path for path, module in student.named_modules()}
        names[name] = {paths[id(part)].partition(".")[0] for part in decoder_parts(student)}
        inside = {id(p) for part in decoder_parts(student) for p in part.parameters()}
        assert inside | {id(p) for p in student.encoder_parameters()} == {id(p) for p in student.parameters()}

    assert names["light"] == {"laterals", "smooth", "head"}
    assert names["committee"] == {"members"}


def test_without_a_gpu_the_cuda_runtime_says_why(model):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(FaultError) as caught:
        open_runtime("cuda", model)

    assert caught.value.code is FaultCode.RUNTIME_MISSING
    assert "GPU" in caught.value.expected


def test_a_gpu_without_memory_is_a_fault_from_which_the_window_goes_on(model, monkeypatch):
    from engine.runtime.nvidia import cuda

    def full(*arguments, **named):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 MiB")

    monkeypatch.setattr(cuda, "Lane", full)
    with pytest.raises(FaultError, match="out of memory") as caught:
        on_cpu(model, "f16")

    assert caught.value.code is FaultCode.MODEL_LOAD
