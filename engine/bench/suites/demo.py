"""How often the bundled student finds the polyps of the bundled demonstration, to which it was not tuned."""

from __future__ import annotations

from contextlib import closing
from importlib import resources
from typing import Any

from engine.analysis.judged import open_judge, open_recording
from engine.analysis.tracked import watched
from engine.drawing import rle
from engine.drawing.components import pixels_of
from engine.files.whole import read_json_lines
from engine.model_folder import default_model, load_model_folder
from engine.sources.base import SourceSpec

LARGE_FRAC = 0.01  # of the picture: a polyp that is in view, not one that comes round a fold
HIT_IOU = 0.4


def run() -> dict[str, Any]:
    """Share of the frames with a large polyp that are hit, and of those without any that are marked."""
    model = load_model_folder(default_model())
    with resources.as_file(resources.files("assets").joinpath("demo", "demo.masks.jsonl")) as path:
        truth = [line["mask"] for line in read_json_lines(path)]
    large = hits = empty = alarms = 0
    with (
        closing(open_recording(spec := SourceSpec("demo", ""))) as source,
        closing(open_judge(model, model.card.points["standard"])) as judge,
        closing(watched(source, judge, spec, model.card.region)) as frames,
    ):
        for frame, theirs in zip(frames, truth, strict=True):
            if theirs is None:
                empty += 1
                alarms += bool(frame.patches)
                continue
            there = rle.decode(theirs) > 0
            if there.mean() <= LARGE_FRAC:
                continue
            large += 1
            if frame.patches:
                marked = pixels_of(frame.patches, there.shape[1], there.shape[0])
                hits += (there & marked).sum() / (there | marked).sum() > HIT_IOU
    return {
        "demo": {
            "model": model.id,
            "frames": len(truth),
            "with_a_large_polyp": large,
            "hit_share": round(hits / large, 4),
            "without_a_polyp": empty,
            "false_alarm_share": round(alarms / empty, 4),
        }
    }
