"""What every line of RUNTIMES promises."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from engine.faults import FaultCode, FaultError
from engine.files.whole import HOME_VARIABLE
from engine.model_card import CARD
from engine.model_folder import load_model_folder
from engine.runtime import GPU_RUNTIMES, RUNTIMES, open_runtime
from engine.runtime.auto.parity import compare_maps, compare_runtimes
from engine.runtime.base import RuntimeOptions
from engine.runtime.nvidia.gpu import nvidia_gpus
from engine.table import load
from engine.types import Size
from tests.fixtures.models import random_student, red_model
from tests.fixtures.region import far_outside, probabilities

SIZE_PX = 96
EXACT = RuntimeOptions(precision="f32", threads=1)


@pytest.fixture(scope="session")
def student_folder(tmp_path_factory):
    pytest.importorskip("torch", reason="pip install 'polyplive[torch]'")
    return load_model_folder(random_student(tmp_path_factory.mktemp("models")))


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))


@pytest.fixture(params=RUNTIMES)
def name(request):
    try:
        load(RUNTIMES[request.param])
    except FaultError as error:
        pytest.skip(str(error))
    if request.param in GPU_RUNTIMES and not nvidia_gpus():
        pytest.skip("there is no NVIDIA GPU")
    return request.param


@pytest.fixture
def opened():
    """Opens a runtime; closes what it opened."""
    runtimes = []

    def open_one(name, model, options=EXACT):
        runtimes.append(open_runtime(name, model, options))
        return runtimes[-1]

    yield open_one
    for runtime in runtimes:
        runtime.close()


def pictures(count):
    rng = np.random.default_rng(1)
    return [rng.integers(0, 256, (SIZE_PX, SIZE_PX, 3), np.uint8) for _ in range(count)]


def test_a_picture_becomes_a_map_of_its_size(name, opened, student_folder):
    probability = opened(name, student_folder).infer(pictures(1)[0])

    assert probability.shape == (SIZE_PX, SIZE_PX)
    assert probability.dtype == np.uint8


def test_it_sees_what_eager_sees(name, opened, student_folder):
    reference, other = opened("eager", student_folder), opened(name, student_folder)

    difference = compare_runtimes(reference, other, pictures(4), threshold=0.5)

    assert difference.max_dp <= 2 / 255
    assert difference.mask_dice >= 0.99


def test_what_it_sees_of_a_region_lies_where_eager_sees_it_and_nowhere_else(name, opened, student_folder):
    size = Size(SIZE_PX, SIZE_PX)
    reference, other = (probabilities(opened(key, student_folder), size) for key in ("eager", name))

    difference = compare_maps(zip(reference, other, strict=True), threshold=0.5)

    assert (reference >= 128).any()
    assert difference.max_dp <= 2 / 255
    assert difference.mask_dice >= 0.99
    assert not other[:, far_outside()].any()


def test_the_picture_may_be_read_only_and_a_part_of_another(name, opened, student_folder):
    runtime = opened(name, student_folder)
    picture = pictures(1)[0]
    around = np.zeros((SIZE_PX, SIZE_PX + 8, 3), np.uint8)
    around[:, 4:-4] = picture
    around.flags.writeable = False

    assert np.array_equal(runtime.infer(around[:, 4:-4]), runtime.infer(picture))


def test_every_answer_is_a_buffer_of_its_own(name, opened, student_folder):
    runtime = opened(name, student_folder)
    first_picture, second_picture = pictures(2)
    first = runtime.infer(first_picture)
    kept = first.copy()
    runtime.infer(second_picture)

    assert np.array_equal(first, kept)


@pytest.mark.parametrize("streams", [1, 2])
def test_callers_side_by_side_get_the_answers_to_their_own_pictures(name, opened, student_folder, streams):
    runtime = opened(name, student_folder, RuntimeOptions("f32", threads=2, streams=streams))
    asked = pictures(6)
    alone = [runtime.infer(picture) for picture in asked]

    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(runtime.infer, asked * 3))

    assert all(np.array_equal(a, b) for a, b in zip(alone * 3, together, strict=True))


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((SIZE_PX, SIZE_PX - 1, 3), np.uint8),
        np.zeros((SIZE_PX, SIZE_PX, 4), np.uint8),
        np.zeros((SIZE_PX, SIZE_PX, 3), np.float32),
    ],
    ids=["size", "channels", "dtype"],
)
def test_another_size_or_type_is_a_fault(name, opened, student_folder, picture):
    with pytest.raises(FaultError) as caught:
        opened(name, student_folder).infer(picture)

    assert caught.value.code is FaultCode.SHAPE


def test_a_closed_runtime_says_so(name, opened, student_folder):
    runtime = opened(name, student_folder)
    runtime.close()
    runtime.close()

    with pytest.raises(FaultError) as caught:
        runtime.infer(pictures(1)[0])

    assert caught.value.code is FaultCode.INFERENCE


def test_it_says_what_executes(name, opened, student_folder):
    info = opened(name, student_folder).info

    assert info.name == name
    assert info.precision == "f32"
    assert info.threads == (0 if name in GPU_RUNTIMES else 1)
    assert info.device
    assert info.version


def test_an_unknown_precision_is_a_fault(name, student_folder):
    with pytest.raises(FaultError) as caught:
        open_runtime(name, student_folder, RuntimeOptions(precision="f12"))

    assert caught.value.code is FaultCode.ARGUMENT


def test_a_temperature_makes_probabilities_milder(name, opened, tmp_path):
    pytest.importorskip("torch", reason="pip install 'polyplive[torch]'")
    sharp = load_model_folder(random_student(tmp_path, model_id="sharp"))
    card = json.loads((sharp.path / CARD).read_text())
    card["output"]["temperature"] = 4.0
    (sharp.path / CARD).write_text(json.dumps(card))
    mild = load_model_folder(sharp.path)
    picture = pictures(1)[0]

    def from_one_half(model):
        return np.abs(opened(name, model).infer(picture).astype(int) - 127.5).mean()

    assert from_one_half(mild) < from_one_half(sharp)


def test_a_broken_network_is_a_fault_not_a_crash(tmp_path):
    folder = red_model(tmp_path)
    model = load_model_folder(folder)
    model.onnx.write_bytes(b"not a network")

    with pytest.raises(FaultError) as caught:
        open_runtime("openvino", model)

    assert caught.value.code is FaultCode.MODEL_LOAD


def test_an_unknown_runtime_is_a_fault_that_names_a_known_one(tmp_path):
    with pytest.raises(FaultError, match="openvino"):
        open_runtime("openvyno", load_model_folder(red_model(tmp_path)))


def test_the_red_model_is_sure_of_red_and_of_nothing_else(tmp_path, opened):
    runtime = opened("auto", load_model_folder(red_model(tmp_path)), RuntimeOptions())
    picture = np.zeros((SIZE_PX, SIZE_PX, 3), np.uint8)
    picture[:24] = (255, 0, 0)
    picture[24:48] = 255
    picture[48:72] = 128

    probability = runtime.infer(picture)

    assert (probability[:24] == 255).all()
    assert (probability[24:] == 0).all()


def test_a_compiled_model_that_openvino_refuses_is_compiled_again(tmp_path, opened, caplog):
    from engine.runtime.cache import BLOB, META, cache_folder
    from engine.runtime.openvino import EngineCache

    model = load_model_folder(red_model(tmp_path))
    opened("openvino", model)
    (entry,) = cache_folder("openvino").iterdir()
    facts = json.loads((entry / META).read_text())["facts"]
    EngineCache(cache_folder("openvino")).store(facts, b"whole, and of another library")

    with caplog.at_level("INFO"):
        runtime = opened("openvino", model)

    assert runtime.infer(np.zeros((SIZE_PX, SIZE_PX, 3), np.uint8)).max() == 0
    assert (entry / BLOB).stat().st_size > 1000
    assert "compiled again" in caplog.text


def test_a_device_that_openvino_does_not_have_is_a_fault_that_names_those_it_has(tmp_path):
    with pytest.raises(FaultError, match="CPU") as caught:
        open_runtime("openvino:ABACUS", load_model_folder(red_model(tmp_path)))

    assert caught.value.code is FaultCode.ARGUMENT


def test_a_device_may_be_named(tmp_path, opened):
    runtime = opened("openvino:CPU", load_model_folder(red_model(tmp_path)))

    assert (runtime.info.name, runtime.info.threads) == ("openvino", 1)


@pytest.mark.parametrize(
    ("target", "precision", "hint"),
    [("GPU", "f16", "f16"), ("GPU.1", "int8", "f16"), ("GPU", "f32", "f32"), ("NPU", "f16", None)],
)
def test_a_graphics_card_gets_no_property_of_a_cpu(target, precision, hint):
    from engine.runtime.openvino import settings_for

    settings = settings_for(target, precision, ("FP32", "FP16"), 0, 1)

    assert not {"INFERENCE_NUM_THREADS", "ENABLE_CPU_PINNING"} & set(settings)
    assert settings.get("INFERENCE_PRECISION_HINT") == hint
