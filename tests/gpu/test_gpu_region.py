"""A region of a frame on a real NVIDIA GPU, and the table of docs/benchmarks.md: `make test-gpu`.

The same on a CPU: tests/contract/test_runtimes.py, test_fused.py and test_trt_build.py.
"""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from engine.bench.__main__ import table
from engine.bench.machine import machine
from engine.bench.suites import runtimes
from engine.files.whole import HOME_VARIABLE
from engine.model_folder import bundled_models, load_model_folder
from engine.runtime import open_runtime
from engine.runtime.auto.difference import Difference
from engine.runtime.auto.parity import compare_maps, is_same
from engine.runtime.base import RuntimeOptions
from engine.types import Size
from tests.fixtures.models import random_student
from tests.fixtures.region import far_outside, probabilities

torch = pytest.importorskip("torch", reason="pip install 'polyplive[torch]'")
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU that torch computes on"),
]

ON_GPU = ["cuda", *(["tensorrt"] if find_spec("torch_tensorrt") else [])]
ROUNDS = 40
SIDE_PX = 96


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """One cache for all of these: a TensorRT engine is built for minutes."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def own_cache(home, monkeypatch):
    monkeypatch.setenv(HOME_VARIABLE, str(home))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return load_model_folder(random_student(tmp_path_factory.mktemp("models")))


@pytest.mark.parametrize("precision", ["f32", "f16"])
@pytest.mark.parametrize("name", ON_GPU)
def test_what_it_sees_of_a_region_lies_where_eager_sees_it_and_nowhere_else(name, precision, model):
    found = []
    for key, asked in (("eager", "f32"), (name, precision)):
        runtime = open_runtime(key, model, RuntimeOptions(asked))
        found.append(probabilities(runtime, Size(SIDE_PX, SIDE_PX)))
        runtime.close()

    assert (found[0] >= 128).any()
    assert is_same(compare_maps(zip(*found, strict=True), threshold=0.5), precision)
    assert not found[1][:, far_outside()].any()


def test_every_bundled_student_marks_a_region_on_the_gpu_as_the_exact_network_does(capsys):
    figures = runtimes.run(rounds=ROUNDS, model=None, runtimes=["openvino", *ON_GPU])
    figures["machine"] = machine()
    with capsys.disabled():
        print(f"\n{table(figures)}")

    rows = [row for row in figures["runtimes"] if row["runtime"] in ON_GPU]
    students = [load_model_folder(path).id for path in bundled_models()]
    assert {(row["student"], row["runtime"]) for row in rows} == {(s, n) for s in students for n in ON_GPU}
    for row in rows:
        near = Difference(row["max_dp"], row["pooled_dice"], runtimes.PICTURES, row["pooled_dice"])
        assert is_same(near, row["precision"].removesuffix(" (auto)")), row
