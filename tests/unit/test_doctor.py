"""What the doctor says of machines that lack something, and that it never hangs and never raises."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections import namedtuple
from pathlib import Path

import pytest

from engine.doctor import __main__ as doctor
from engine.doctor import computing, desktop, packages, probes, storage, video
from engine.doctor.bounded import ask, ask_python, guarded
from engine.doctor.check_result import CheckResult, Level
from engine.doctor.checks import checks
from engine.files.whole import HOME_VARIABLE
from engine.runtime import RUNTIMES
from engine.table import Entry
from tests.fixtures.models import red_model

TREE = Path(__file__).parents[2]
posix = pytest.mark.skipif(os.name != "posix", reason="a shell script stands in for a program")


def test_the_real_machine_gets_a_line_a_check_and_a_broken_model_is_exit_code_1(tmp_path):
    broken = red_model(tmp_path / "home" / "data" / "models")
    (broken / "weights.safetensors").write_bytes(b"something else")

    done = subprocess.run(
        [sys.executable, str(TREE / "main.py"), "doctor", "--json", str(tmp_path / "doctor.json")],
        env=os.environ | {HOME_VARIABLE: str(tmp_path / "home")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    told = {one["name"]: one for one in json.loads((tmp_path / "doctor.json").read_text())["findings"]}
    assert done.returncode == 1, done.stderr
    assert list(told) == list(checks())
    assert len(done.stdout.splitlines()) == len(told) + 1
    assert [name for name, one in told.items() if one["level"] == "FAIL"] == ["models"]
    assert "sha256" in told["models"]["text"]
    assert all(one["remedy"] for one in told.values() if one["level"] != "OK")
    assert told["runtime openvino"]["level"] == "OK"
    assert {f"runtime {name}" for name in RUNTIMES} <= set(told)
    assert "h264" in told["decoders"]["text"]


@pytest.mark.parametrize(("level", "code"), [(Level.OK, 0), (Level.WARN, 0), (Level.FAIL, 1)])
def test_only_a_failure_is_exit_code_1(monkeypatch, capsys, level, code):
    monkeypatch.setattr(
        doctor, "check_results", lambda: iter([CheckResult("disk", level, "small", "buy one")])
    )

    assert doctor.main([]) == code
    assert capsys.readouterr().out.startswith(f"{level:<4}  disk: small -> buy one\n")


def test_a_check_that_hangs_is_left_behind():
    let_go = threading.Event()

    def hangs():
        let_go.wait()
        return CheckResult("slow", Level.OK, "at last")

    found = guarded("slow", hangs, 0.05)
    let_go.set()

    assert found.level is Level.WARN
    assert "0.05 s" in found.text


def test_a_check_that_breaks_is_a_failure_with_its_reason():
    def breaks():
        raise SystemExit("libfancy.so.7: no such file")

    found = guarded("broken", breaks, 5.0)

    assert found.level is Level.FAIL
    assert "libfancy.so.7" in found.text


@posix
def test_a_program_that_hangs_is_ended_with_its_children():
    start_s = time.monotonic()

    answer = ask(["sh", "-c", "sleep 60 & sleep 60"], 0.2)

    assert answer.code is None
    assert answer.reason == "no answer in time"
    assert time.monotonic() - start_s < 30


NEEDED = packages.Needs(">=3.11", (("numpy>=2.0,<2.6", None), ("torch>=2.13,<2.14", "torch")))


@pytest.mark.parametrize(
    ("have", "level", "words"),
    [
        ({"numpy": "2.3.4"}, Level.OK, "1 inside"),
        ({"numpy": "2.3.4", "torch": "2.13.0+cpu"}, Level.OK, "2 inside"),
        ({"numpy": "1.26.4"}, Level.FAIL, "numpy 1.26.4"),
        ({}, Level.FAIL, "numpy is missing"),
        ({"numpy": "2.3.4", "torch": "2.15.0"}, Level.WARN, "torch 2.15.0 ([torch] needs"),
    ],
)
def test_packages_are_held_against_the_bounds_and_extras_only_where_installed(have, level, words):
    found = packages.package_versions(NEEDED, have)

    assert found.level is level
    assert words in found.text


def test_the_bounds_are_those_of_pyproject():
    asked = packages.needs()

    assert asked.python == ">=3.11"
    assert ("numpy>=2.0,<2.6", None) in asked.packages
    assert any(extra == "train" and text.startswith("onnxruntime") for text, extra in asked.packages)


def test_without_a_source_tree_the_bounds_are_those_of_the_installation(tmp_path):
    pytest.importorskip("packaging")

    asked = packages.needs(tmp_path)

    assert any(text.startswith("openvino") and extra is None for text, extra in asked.packages)
    assert any(text.startswith("timm") and extra == "torch" for text, extra in asked.packages)


@pytest.mark.parametrize(
    ("have", "python", "trap"),
    [
        ({"pyside6-essentials": "6.12.0"}, "3.11.7", "loses references to None"),
        ({"pyside6-essentials": "6.12.0"}, "3.12.1", None),
        ({"pyside6-essentials": "6.11.3"}, "3.11.7", None),
        ({"opencv-python": "4.14.0", "opencv-python-headless": "4.14.0"}, "3.12.1", "a Qt of its own"),
        ({"opencv-python-headless": "4.14.0"}, "3.11.7", None),
    ],
)
def test_known_traps_are_named(have, python, trap):
    found = packages.known_traps(have, python)

    assert found.level is (Level.FAIL if trap else Level.OK)
    assert trap is None or trap in found.text


def test_an_old_python_fails():
    assert packages.python_version(">=3.11", "3.10.4").level is Level.FAIL
    assert packages.python_version(">=3.11", "3.13.0").level is Level.OK


@pytest.mark.parametrize(
    ("body", "step", "words"),
    [
        ("raise OSError('libfancy.so.7: cannot open shared object file')", "import", "libfancy.so.7"),
        ("import a_package_that_nobody_has", "import", "a_package_that_nobody_has"),
        ("def open(model, options):\n    raise RuntimeError('no such device')", "run", "no such device"),
        ("def is_built(*_): return False\ndef open(*_): 1 / 0", "run", "has not been compiled"),
    ],
)
def test_a_runtime_that_does_not_load_or_run_says_why(monkeypatch, tmp_path, body, step, words):
    (tmp_path / "broken_runtime.py").write_text(body)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "broken_runtime", raising=False)
    monkeypatch.setitem(RUNTIMES, "broken", Entry("broken_runtime:open", extra="fancy"))

    *_, last = probes.runtime("broken")
    optional = computing.runtime("broken", "fancy", lambda name: ([last], ask_python(["-c", ""], 30)))
    needed = computing.runtime("broken", None, lambda name: ([last], ask_python(["-c", ""], 30)))

    assert last["step"] == step
    assert words in optional.text
    assert optional.level is Level.WARN
    assert needed.level is Level.FAIL


@posix
def test_a_runtime_that_crashes_costs_a_line_not_the_doctor():
    crash = ask_python(["-c", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"], 30)

    found = computing.runtime("native", "fancy", lambda name: ([{"step": "import"}], crash))

    assert found.level is Level.WARN
    assert "SIGSEGV" in found.text


@posix
@pytest.mark.parametrize(("has_driver", "level"), [(True, Level.WARN), (False, Level.OK)])
def test_a_gpu_runtime_is_missed_only_where_there_is_a_gpu(tmp_path, has_driver, level):
    driver = script(tmp_path, "exit 0") if has_driver else str(tmp_path / "nvidia-smi")
    missing = [{"step": "import", "error": "tensorrt is not installed"}]

    found = computing.gpu_runtime("tensorrt", "tensorrt", lambda name: (missing, ask(["true"], 30)), driver)

    assert found.level is level
    assert "tensorrt is not installed" in found.text


def script(folder: Path, body: str) -> str:
    path = folder / "nvidia-smi"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


@posix
@pytest.mark.parametrize(
    ("body", "level", "words"),
    [
        ("echo 'NVIDIA X1, 570.1, 81559 MiB, 9.0'", Level.OK, "NVIDIA X1, 81559 MiB, compute capability 9.0"),
        (
            "echo 'Failed to initialize NVML: Driver/library version mismatch'; exit 18",
            Level.WARN,
            "mismatch",
        ),
        ("sleep 60", Level.WARN, "no answer in time"),
    ],
    ids=["works", "broken driver", "hangs"],
)
def test_a_gpu_is_named_and_a_broken_driver_is_told(tmp_path, body, level, words):
    found = computing.gpu([script(tmp_path, body)], limit_s=1.0)

    assert found.level is level
    assert words in found.text


def test_no_gpu_is_no_failure():
    assert computing.gpu(["nvidia-smi-of-another-machine"]).level is Level.OK


def test_a_cpu_without_quick_precisions_is_a_warning():
    facts = {"name": "An old one", "cores": 2, "capabilities": ["FP32"], "others": []}
    fine = ask_python(["-c", ""], 30)

    assert computing.processor(lambda: ([facts], fine)).level is Level.WARN
    assert computing.processor(lambda: ([facts | {"capabilities": ["FP32", "INT8"]}], fine)).level is Level.OK


def test_qt_without_its_plugin_fails_with_what_it_says():
    found = desktop.window(
        {"QT_QPA_PLATFORM": "nonsense"},
        "linux",
        lambda more: desktop.start_qt({"QT_QPA_PLATFORM": "nonsense"}),
    )

    assert found.level is Level.FAIL
    assert "nonsense" in found.text


def test_qt_without_a_display_is_a_warning():
    found = desktop.window({}, "linux")

    assert found.level is Level.WARN
    assert "offscreen" in found.text


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or not shutil.which("ldd"), reason="asks Linux's loader"
)
def test_a_library_that_qt_lacks_is_named(tmp_path, monkeypatch):
    library = tmp_path / "Qt" / "lib" / "libQt6Gui.so.6"
    library.parent.mkdir(parents=True)
    library.write_bytes(b"")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    (tmp_path / "ldd").write_text("#!/bin/sh\nprintf '\\tlibfancy.so.7 => not found\\n'\n")
    (tmp_path / "ldd").chmod(0o755)

    found = desktop.libraries(tmp_path)

    assert found.level is Level.FAIL
    assert "libfancy.so.7" in found.text


def test_a_pyav_without_h264_fails():
    facts = {"version": "1", "ffmpeg": "8", "codecs": ["hevc", "mjpeg"]}

    found = video.decoders(lambda: ([facts], ask_python(["-c", ""], 30)))

    assert found.level is Level.FAIL
    assert "without h264" in found.text


def test_each_hardware_decoder_is_told_and_a_crash_in_a_driver_is_a_warning():
    fine, crashed = ask_python(["-c", ""], 30), ask_python(["-c", "import os; os.abort()"], 30)
    works, absent = {"hardware": "vaapi", "refusal": ""}, {"hardware": "cuda", "refusal": "no such device"}

    found = video.hardware_decoders(lambda: ([works, absent], fine))
    broken = video.hardware_decoders(lambda: ([works], crashed))

    assert found.level is Level.OK
    assert "vaapi: works" in found.text
    assert "cuda: no such device" in found.text
    assert broken.level is Level.WARN


def test_a_device_that_this_user_may_not_use_is_a_warning():
    absent = "v4l2:/dev/video-that-is-not-there"

    assert video.capture(list).level is Level.OK
    assert video.capture(lambda: [("dshow:Grabber", "Grabber")]).level is Level.OK
    if sys.platform.startswith("linux"):
        assert "no permission" in video.capture(lambda: [(absent, "Grabber")]).text


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("in the way")

    assert storage.folder("cache", tmp_path / "to" / "come", Level.WARN).level is Level.OK
    assert not (tmp_path / "to").exists()
    assert storage.folder("cache", tmp_path / "file" / "cache", Level.WARN).level is Level.WARN


@pytest.mark.parametrize(("free_gib", "level"), [(50, Level.OK), (1, Level.WARN), (0.1, Level.FAIL)])
def test_a_full_disk_is_told(tmp_path, monkeypatch, free_gib, level):
    usage = namedtuple("usage", "total used free")(0, 0, free_gib * 2**30)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)

    assert storage.folder("data", tmp_path, Level.WARN).level is level
