"""A model folder is used only when it is whole, known and unchanged."""

import json
import subprocess
import sys

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from engine.faults import FaultCode, FaultError
from engine.files.whole import HOME_VARIABLE, sha256_of
from engine.model_card import CARD, SCHEMA, numbers_hash, with_hash
from engine.model_folder import (
    bundled_models,
    default_model,
    find_model,
    load_model_folder,
    read_card,
    user_models,
)


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "tiny-1"
    path.mkdir()
    (path / "weights.safetensors").write_bytes(b"weights")
    (path / "student.onnx").write_bytes(b"network")
    write_card(path, card_of(path))
    return path


def card_of(path):
    names = ("weights.safetensors", "student.onnx")
    return {
        "schema": 1,
        "id": "tiny-1",
        "student": {"name": "light", "args": {}},
        "input": {
            "width_px": 64,
            "height_px": 64,
            "colour": "RGB",
            "mean": [0.5, 0.5, 0.5],
            "std": [0.5, 0.5, 0.5],
            "resize": "squash-area",
        },
        "output": {"kind": "logits", "temperature": 1.0},
        "files": {n: {"sha256": sha256_of(path / n), "bytes": (path / n).stat().st_size} for n in names},
        "presets": {
            "standard": {
                "threshold": 0.5,
                "keep": 0.3,
                "min_area_frac": 0.001,
                "hit_ms": 165,
                "window_ms": 265,
            }
        },
        "training": {"recipe": "light", "seed": 1, "data": "none", "split": "none", "run_id": "none"},
        "licence": "none",
        "use": "research use only",
    }


def write_card(path, values):
    (path / CARD).write_text(json.dumps(values))


def code_of(path):
    with pytest.raises(FaultError) as caught:
        load_model_folder(path)
    return caught.value.code


def test_a_whole_folder_loads(folder):
    model = load_model_folder(folder)

    assert model.id == "tiny-1"
    assert model.onnx == folder / "student.onnx"
    assert model.card.presets["standard"].threshold == 0.5


def test_a_folder_without_an_int8_network_says_so(folder):
    assert load_model_folder(folder).int8 is None


def test_a_changed_file_is_refused(folder):
    (folder / "student.onnx").write_bytes(b"other..")

    assert code_of(folder) is FaultCode.MODEL_HASH


def test_a_missing_file_is_refused(folder):
    (folder / "weights.safetensors").unlink()

    assert code_of(folder) is FaultCode.MODEL_MISSING


def test_a_folder_that_is_not_there_is_told(tmp_path):
    assert code_of(tmp_path / "nothing") is FaultCode.MODEL_MISSING


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("schema", 3),
        ("schema", "1"),
        ("presets", {}),
        ("files", {}),
        ("use", "clinical use"),
        ("something_new", 1),
    ],
)
def test_a_card_that_says_what_this_program_does_not_know_is_refused(folder, key, value):
    write_card(folder, card_of(folder) | {key: value})

    assert code_of(folder) is FaultCode.MODEL_SCHEMA


def test_a_newer_schema_says_to_update(folder):
    write_card(folder, card_of(folder) | {"schema": 3, "something_new": 1})

    with pytest.raises(FaultError) as caught:
        read_card(folder)

    assert caught.value.remedy == "update the program"


def test_a_card_from_before_presets_were_measured_over_time_is_still_read_with_its_hash(folder):
    old = card_of(folder)
    write_card(folder, old | {"numbers_sha256": numbers_hash(read_card(folder))})

    card = load_model_folder(folder).card

    assert old["schema"] == 1 < SCHEMA
    assert (card.presets["standard"].by_set, card.recordings) == ({}, ())


def test_what_was_measured_over_time_is_under_the_hash_of_the_numbers(folder):
    new = card_of(folder) | {"schema": SCHEMA}
    new["presets"]["standard"] |= {"by_set": {"a": {"images": 3.0}}, "worst_set": "a"}
    write_card(folder, new)
    write_card(folder, new | {"numbers_sha256": numbers_hash(read_card(folder))})
    assert load_model_folder(folder).card.presets["standard"].worst_set == "a"

    new["presets"]["standard"]["worst_set"] = "b"
    write_card(folder, new | {"numbers_sha256": json.loads((folder / CARD).read_text())["numbers_sha256"]})

    assert code_of(folder) is FaultCode.MODEL_HASH


def test_a_card_cannot_name_files_outside_its_folder(folder):
    card = card_of(folder)
    card["files"]["../other"] = card["files"]["student.onnx"]
    write_card(folder, card)

    assert code_of(folder) is FaultCode.MODEL_SCHEMA


def test_a_card_that_is_not_json_is_refused(folder):
    (folder / CARD).write_text("{")

    assert code_of(folder) is FaultCode.MODEL_SCHEMA


def test_a_model_is_found_by_path_and_by_name_among_the_users_own(folder, tmp_path, monkeypatch):
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    own = tmp_path / "home" / "data" / "models" / "mine"
    own.mkdir(parents=True)
    write_card(own, card_of(folder))

    assert find_model(folder) == folder
    assert find_model("mine") == own


def test_an_export_that_is_not_finished_is_not_offered(folder, tmp_path, monkeypatch):
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    aside = tmp_path / "home" / "data" / "models" / ".mine.part"
    aside.mkdir(parents=True)
    write_card(aside, card_of(folder))

    assert user_models() == ()


def test_an_unknown_name_is_told_with_the_known_ones():
    with pytest.raises(FaultError, match="polyp-light"):
        find_model("no-such-model")


def test_every_bundled_model_is_whole_and_named_as_its_folder():
    for path in bundled_models():
        assert load_model_folder(path).id == path.name


def test_exactly_one_bundled_model_is_the_default():
    assert read_card(default_model()).default


def test_the_bundled_default_was_trained_on_real_images_and_is_good_enough():
    card = read_card(default_model())

    (dice,) = (m for m in card.metrics if (m.set, m.protocol, m.name) == ("pooled", "p05_image", "dice"))

    assert dice.value >= 0.80


def test_looking_at_a_model_does_not_import_torch():
    script = (
        "import sys, engine.model_folder as m; m.load_model_folder(m.default_model());"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"


def test_a_byte_order_mark_before_the_card_is_no_fault(folder):
    whole = load_model_folder(folder).card
    card = folder / CARD
    card.write_bytes(b"\xef\xbb\xbf" + card.read_bytes())

    assert load_model_folder(folder).card == whole


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("input", "std"), [0, 1, 1]),
        (("input", "std"), [1e-300, 1, 1]),
        (("input", "std"), [58.4, 57.1, 57.4]),
        (("input", "mean"), [123.7, 116.3, 103.5]),
        (("input", "mean"), [-0.1, 0.5, 0.5]),
        (("input", "mean"), [float("nan"), 0.5, 0.5]),
        (("input", "width_px"), 65),
        (("input", "height_px"), 2**20),
        (("output", "temperature"), 1e300),
        (("output", "temperature"), 1e-9),
        (("output", "temperature"), float("inf")),
        (("presets", "standard", "threshold"), 1.0),
        (("presets", "standard", "threshold"), 0.0),
        (("presets", "standard", "keep"), 0.9),
        (("presets", "standard", "min_area_frac"), 1),
        (("presets", "standard", "min_peak"), 1.5),
        (("presets", "standard", "min_peak"), 1.0),
        (("presets", "standard", "hit_ms"), 1e9),
        (("presets", "standard", "window_ms"), 10),
        (("presets", "standard", "measured"), {"sensitivity": float("inf")}),
    ],
)
def test_a_number_that_would_silently_find_nothing_is_refused_by_its_name(folder, where, value):
    card = card_of(folder)
    part = card
    for key in where[:-1]:
        part = part[key]
    part[where[-1]] = value
    write_card(folder, card)

    with pytest.raises(FaultError) as caught:
        load_model_folder(folder)

    assert caught.value.code is FaultCode.MODEL_SCHEMA
    assert "model.json of the model tiny-1 cannot be used" in str(caught.value)


def test_a_number_that_was_changed_after_the_export_is_refused(folder):
    exported = with_hash(read_card(folder)).model_dump(mode="json", by_alias=True)
    write_card(folder, exported)
    assert load_model_folder(folder).id == "tiny-1"

    exported["presets"]["standard"]["threshold"] = 0.6
    write_card(folder, exported)

    assert code_of(folder) is FaultCode.MODEL_HASH


def test_a_network_whose_weights_lie_in_a_file_that_no_hash_covers_is_refused(folder):
    weights = numpy_helper.from_array(np.ones((64, 64), np.float32), "weights")
    graph = helper.make_graph([], "g", [], [], [weights])
    onnx.save(
        helper.make_model(graph),
        folder / "student.onnx",
        save_as_external_data=True,
        location="weights.bin",
        size_threshold=0,
    )
    write_card(folder, card_of(folder))

    assert code_of(folder) is FaultCode.MODEL_SCHEMA


def test_a_name_is_never_a_folder_that_happens_to_lie_here(folder, monkeypatch):
    bundled = default_model()
    monkeypatch.chdir(folder.parent)
    folder.rename(folder.with_name(bundled.name))
    folder.with_name(bundled.name).joinpath("mine").mkdir()

    assert find_model(bundled.name) == bundled
    assert find_model(f"./{bundled.name}") == folder.with_name(bundled.name)


def test_a_folder_in_the_current_directory_is_named_with_a_separator(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)

    with pytest.raises(FaultError, match=r"\./tiny-1"):
        find_model("tiny-1")


def test_the_bundled_model_wins_over_a_users_one_of_its_name(folder, monkeypatch, tmp_path):
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    bundled = default_model()
    (tmp_path / "home" / "data" / "models").mkdir(parents=True)
    folder.rename(tmp_path / "home" / "data" / "models" / bundled.name)

    assert find_model(bundled.name) == bundled
