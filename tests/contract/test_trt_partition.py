"""The real torch_tensorrt 2.13 takes each of our networks whole, as one engine, without a GPU to ask.

Its packages come from PyPI: torch_tensorrt and TensorRT's Python bindings, which hold no TensorRT. The nine
functions of TensorRT's libraries that the import asks for are stood in for: nothing calls them before the
builder. What a builder makes of it, `make test-gpu` tells.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="pip install 'polyplive[torch]'")

from engine.models.sizes import VARIANTS
from engine.runtime.nvidia.fused import LAYOUTS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the stand-ins are ELF libraries"),
    pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler for the stand-ins"),
]

PACKAGES = ("torch-tensorrt>=2.13,<2.14", "tensorrt-cu13-bindings>=11.0,<11.1", "dllist")
LIBRARIES = ("nvinfer", "nvinfer_plugin", "nvonnxparser")
STAND_INS = (
    "createInferBuilder_INTERNAL",
    "createInferRefitter_INTERNAL",
    "createInferRuntime_INTERNAL",
    "createNvOnnxParserRefitter_INTERNAL",
    "createNvOnnxParser_INTERNAL",
    "getBuilderPluginRegistry",
    "getNvOnnxParserVersion",
    "getPluginRegistry",
    "initLibNvInferPlugins",
)
# Every layout of the default's network, half precision of the others.
CASES = [f"{variant.label}: {LAYOUTS[0]}" for variant in VARIANTS]
CASES += [f"light, tf_efficientnet_lite0: {layout}" for layout in LAYOUTS[1:]]


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """The environment in which both packages can be imported, beside the torch that is installed."""
    folder = tmp_path_factory.mktemp("tensorrt")
    install = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--target",
        str(folder),
        *PACKAGES,
    ]
    done = subprocess.run(install, capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        pytest.skip(f"PyPI cannot be reached: {done.stderr.strip().splitlines()[-1:]}")
    # `tensorrt` itself is this import and comes only with the libraries.
    (folder / "tensorrt").mkdir()
    (folder / "tensorrt" / "__init__.py").write_text(
        "from tensorrt_bindings import *\nfrom tensorrt_bindings import __version__\n"
    )
    shutil.rmtree(folder / "torch_tensorrt" / "lib")  # its C++ runtime needs the real libraries
    source = folder / "stand_ins.c"
    source.write_text("".join(f"void *{name}(void) {{ return 0; }}\n" for name in STAND_INS))
    for name in LIBRARIES:
        file = f"lib{name}.so.11"
        build = ["cc", "-shared", "-fPIC", f"-Wl,-soname,{file}", "-o", str(folder / file), str(source)]
        subprocess.run(build, check=True)
    (folder / "tensorrt_libs").mkdir()
    (folder / "tensorrt_libs" / "__init__.py").touch()
    return os.environ | {"PYTHONPATH": str(folder), "LD_LIBRARY_PATH": str(folder)}


@pytest.fixture(scope="module")
def partitions(packages):
    done = subprocess.run(
        [sys.executable, "-m", "tests.fixtures.trt_partition", *CASES],
        env=packages,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=1800,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return {line["label"]: line for line in lines}, done.stderr[-2000:]


@pytest.mark.parametrize("case", CASES)
def test_every_operator_goes_into_one_engine(partitions, case):
    found, stderr = partitions
    assert case in found, stderr
    partition = found[case]

    assert partition["versions"]["torch_tensorrt"].startswith("2.13.")
    assert partition["operators"] > 50
    assert (partition["engines"], partition["in_torch"]) == (1, [])
