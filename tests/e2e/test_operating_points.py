"""What is shown: by the model's preset, however far its threshold is moved."""

import json

from engine.analysis.one import analyse
from engine.files.whole import read_json_lines
from engine.model_folder import load_model_folder
from engine.sources.base import SourceSpec
from tests.fixtures.models import red_model
from tests.fixtures.red_clips import red_clip


def test_a_peak_that_is_never_reached_shows_nothing_also_at_a_threshold_of_ones_own(tmp_path):
    red_model(tmp_path)
    card = tmp_path / "red" / "model.json"
    said = json.loads(card.read_text())
    said["output"]["temperature"] = 15  # the red model is too sure to have a peak below 1
    red_clip(tmp_path / "a.mp4", frames=5)
    spec = SourceSpec("file", str(tmp_path / "a.mp4"))

    def found(min_peak, threshold=None):
        said["presets"]["standard"]["min_peak"] = min_peak
        card.write_text(json.dumps(said))
        model = load_model_folder(card.parent)
        analyse(spec, tmp_path / "out", model=model, threshold=threshold)
        lines = list(read_json_lines(tmp_path / "out" / "results.jsonl"))
        return [one for line in lines for one in line["components"]]

    everything = found(0.0)
    peak = max(one["peak"] for one in everything)

    assert 0.5 < peak < 0.99
    assert found(peak + 0.01) == []
    assert found(peak + 0.01, threshold=0.5) == []
    assert found(peak - 0.01, threshold=0.5) == everything
