"""Which runtime auto stands for: what is measured, what wins, when it is measured again."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from engine.faults import FaultCode, FaultError
from engine.model_folder import load_model_folder
from engine.runtime.auto import choice as module
from engine.runtime.auto.choice import (
    Candidate,
    Choice,
    Row,
    choice_facts,
    fastest,
    store_choice,
    stored_choice,
)
from engine.runtime.auto.difference import Difference
from engine.runtime.auto.measure import candidates, measure, table
from engine.runtime.nvidia.gpu import Gpu
from tests.fixtures.fakes import FakeRuntime, HalfSure
from tests.fixtures.models import red_model

SAME, OTHER = Difference(0.0, 1.0, 4, 1.0), Difference(0.9, 0.2, 4, 0.2)
F32, BF16, INT8 = (Candidate("openvino", name, 2) for name in ("f32", "bf16", "int8"))
FRAMES = [np.full((4, 4, 3), value, np.uint8) for value in (0, 255)]


@pytest.fixture
def model(tmp_path, monkeypatch):
    monkeypatch.setenv("POLYPLIVE_HOME", str(tmp_path / "home"))
    return load_model_folder(red_model(tmp_path))


def row(candidate, p50_ms, parity=SAME):
    return Row(candidate, candidate.precision, p50_ms, p50_ms, parity)


# What wins


def test_the_fastest_with_the_same_masks_wins():
    assert fastest([row(F32, 9.0), row(BF16, 6.0), row(INT8, 4.0)], usual=BF16) == INT8


def test_the_fastest_with_other_masks_does_not():
    assert fastest([row(F32, 9.0), row(BF16, 6.0), row(INT8, 4.0, OTHER)], usual=BF16) == BF16


def test_a_hair_faster_than_the_usual_one_is_not_faster():
    assert fastest([row(F32, 9.0), row(BF16, 6.0), row(INT8, 5.9)], usual=BF16) == BF16


def test_what_is_slower_than_f32_is_never_chosen():
    assert fastest([row(F32, 6.0), row(BF16, 6.1)], usual=BF16) == F32


def test_where_nothing_passes_there_is_no_choice():
    failed = Row(F32, failed="Found none instead of a network: export it.")

    assert fastest([failed, row(BF16, 1.0, OTHER)], usual=BF16) is None


# What is measured


def known(there, **facts):
    facts = {"has_int8": False, "threads": 2, "cores": 2, "has_gpu": False, "has_mps": False} | facts
    return candidates(there, **facts)


def test_a_cpu_is_measured_in_each_of_its_precisions_and_thread_counts():
    found = known({"CPU": ("FP32", "BF16", "INT8")}, has_int8=True)

    assert {(one.precision, one.threads) for one in found} == {
        (precision, threads) for precision in ("f32", "bf16", "int8") for threads in (1, 2)
    }
    assert {one.threads for one in known({"CPU": ("FP32",)}, threads=4, cores=16)} == {2, 4, 8}


def test_int8_is_measured_only_where_its_export_accepted_it():
    assert not [one for one in known({"CPU": ("FP32", "INT8")}) if one.precision == "int8"]


def test_a_gpu_or_npu_of_openvino_an_nvidia_gpu_and_a_mac_bring_their_own():
    found = known({"CPU": ("FP32",), "GPU": ("FP32", "FP16"), "NPU": ("FP16",)}, has_gpu=True, has_mps=True)

    assert Candidate("openvino", "f16", 0, "GPU") in found
    assert [one.precision for one in found if one.device == "NPU"] == ["f16"]
    assert {one.runtime for one in found} == {"openvino", "tensorrt", "cuda", "eager"}
    assert {one.runtime for one in known({"CPU": ("FP32",)})} == {"openvino"}


def test_masks_and_times_of_all_that_open_are_measured_and_the_others_say_why():
    slow, fast, absent = F32, BF16, Candidate("cuda", "f16")
    opened = []

    def open_one(candidate):
        if candidate == absent:
            raise FaultError(FaultCode.RUNTIME_MISSING, "a GPU", "none", "choose auto")
        opened.append(FakeRuntime(0.004 if candidate == slow else 0.0))
        return opened[-1]

    rows = measure(open_one, [slow, fast, absent], FRAMES, threshold=0.5)

    assert [one.candidate for one in rows] == [slow, fast, absent]
    assert rows[0].p50_ms > 4.0 > rows[1].p50_ms > 0.0
    assert rows[2].failed == "There should be a GPU, but there is none: choose auto."
    assert all(runtime.closed for runtime in opened)
    assert "there is none" in table(Choice(fast, tuple(rows)))


def test_a_runtime_that_sees_something_else_does_not_pass():
    runtimes = {Candidate("openvino", "f32"): FakeRuntime(), BF16: HalfSure()}
    (other,) = measure(runtimes.get, [BF16], FRAMES, threshold=0.6)

    assert other.parity.pooled_dice < 0.5
    assert not other.passes


# When


def test_a_choice_is_found_again_with_its_measurement(model):
    choice = Choice(INT8, (row(INT8, 4.0), Row(F32, failed="no")))
    store_choice(choice_facts(model), choice)

    assert stored_choice(choice_facts(model)) == choice


@pytest.mark.parametrize("what", ["driver", "GPU", "weights", "version", "kernel"])
def test_it_is_measured_again_when_something_that_matters_changes(model, monkeypatch, what):
    gpu = Gpu("NVIDIA T4", "7.5", "580.10")
    store_choice(choice_facts(model, (gpu,)), Choice(INT8, (row(INT8, 4.0),)))
    assert stored_choice(choice_facts(model, (gpu,))) is not None
    gpus = {"driver": (replace(gpu, driver="590.1"),), "GPU": ()}.get(what, (gpu,))
    if what == "version":
        monkeypatch.setattr(module, "version", lambda package: "9.9")
    if what == "kernel":
        monkeypatch.setattr(module.platform, "release", lambda: "9.9")
    if what == "weights":
        files = {**model.card.files}
        files["student.onnx"] = files["student.onnx"].model_copy(update={"sha256": "0" * 64})
        model = replace(model, card=model.card.model_copy(update={"files": files}))

    assert stored_choice(choice_facts(model, gpus)) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"facts": 3}'])
def test_an_unreadable_choice_is_none(model, text):
    path = store_choice(choice_facts(model), Choice(INT8, ()))
    path.write_text(text)

    assert stored_choice(choice_facts(model)) is None


def test_threads_are_taken_only_as_they_were_measured():
    from engine.runtime.base import RuntimeOptions

    assert INT8.options(RuntimeOptions()).threads == 2
    assert INT8.options(RuntimeOptions(streams=2)).threads == 0
    assert INT8.options(RuntimeOptions(threads=1)).threads == 1


def test_the_stored_file_can_be_read_by_a_person(model):
    path = store_choice(choice_facts(model), Choice(INT8, (row(INT8, 4.0),)))
    values = json.loads(path.read_text())

    assert values["chosen"] == {"runtime": "openvino", "precision": "int8", "threads": 2, "device": "CPU"}
    assert values["rows"][0]["p50_ms"] == 4.0
