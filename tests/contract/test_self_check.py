"""A model whose network does not give the mask that it was exported with is not used, and says so."""

import json
import shutil
import time

import pytest

from engine.analysis.one import analyse
from engine.faults import FaultCode, FaultError
from engine.live.pipeline import Pipeline
from engine.model_card import CARD, numbers_hash
from engine.model_folder import bundled_models, default_model, load_model_folder, read_card
from engine.runtime import open_runtime
from engine.runtime.base import RuntimeOptions
from engine.runtime.live import only
from engine.runtime.self_check import check_runtime, main
from engine.sources.base import SourceSpec
from engine.types import AiState
from tests.fixtures.fakes import FakeSource
from tests.fixtures.models import red_model
from tests.fixtures.red_clips import red_clip


@pytest.fixture
def other_weights(tmp_path):
    """The default model with a mean and std that are possible, and not its own, as if they were exported."""
    folder = tmp_path / "models" / default_model().name
    shutil.copytree(default_model(), folder)
    card = json.loads((folder / CARD).read_text())
    card["input"] |= {"mean": [0.9, 0.9, 0.9], "std": [0.1, 0.1, 0.1]}
    (folder / CARD).write_text(json.dumps(card | {"numbers_sha256": None}))
    card["numbers_sha256"] = numbers_hash(read_card(folder))
    (folder / CARD).write_text(json.dumps(card))
    return folder


@pytest.mark.parametrize("path", bundled_models(), ids=lambda path: path.name)
def test_every_bundled_model_has_its_numbers_under_a_hash_and_a_stored_mask(path):
    card = load_model_folder(path).card

    assert card.numbers_sha256 is not None
    assert card.check is not None


@pytest.mark.parametrize("precision", ["f32", "int8"])
def test_the_default_model_gives_its_stored_mask(precision):
    model = load_model_folder(default_model())
    runtime = open_runtime("openvino", model, RuntimeOptions(precision=precision))
    try:
        check_runtime(model.card, runtime)
    finally:
        runtime.close()


def test_a_recording_is_not_analysed_with_another_network(other_weights, tmp_path):
    red_clip(tmp_path / "a.mp4", frames=3)

    with pytest.raises(FaultError, match="does not give the mask that it was exported with") as caught:
        analyse(
            SourceSpec("file", str(tmp_path / "a.mp4")),
            tmp_path / "out",
            model=load_model_folder(other_weights),
            precision="f32",
        )

    assert caught.value.code is FaultCode.MODEL_LOAD
    assert not (tmp_path / "out").exists()


def test_live_masks_end_with_the_reason(other_weights):
    pipeline = Pipeline(
        open_source=lambda spec, options: FakeSource(live=True, rate_hz=20), open_live=only(open_runtime)
    )
    try:
        pipeline.open(SourceSpec("file", "fake"))
        pipeline.set_model(other_weights)
        ends_s = time.monotonic() + 30.0
        while (seen := pipeline.snapshot()).ai_state is not AiState.FAULT:
            assert time.monotonic() < ends_s
            time.sleep(0.02)
        assert any("does not give the mask" in fault.sentence for fault in seen.faults)
    finally:
        pipeline.close()


def test_the_command_tells_of_each_model_and_writes_what_is_missing(other_weights, tmp_path, capsys):
    old = red_model(tmp_path)

    assert main([str(old)]) == 0
    assert "red: not checked" in capsys.readouterr().out
    assert main([str(other_weights)]) == 1
    assert "does not give the mask" in capsys.readouterr().err
    assert main([str(other_weights), "--write"]) == 0
    assert main([str(tmp_path / "none")]) == 2
