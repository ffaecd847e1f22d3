"""How often the bundled student finds the polyps of the bundled demonstration, to which it was not tuned."""

from __future__ import annotations

import tempfile
from importlib import resources
from pathlib import Path
from typing import Any

from engine.analysis.one import analyse
from engine.analysis.results import RESULTS
from engine.drawing import rle
from engine.files.whole import read_json_lines
from engine.model_folder import default_model, load_model_folder
from engine.sources.base import SourceSpec

LARGE_FRAC = 0.01  # of the picture: a polyp that is in view, not one that comes round a fold
HIT_IOU = 0.4


def run() -> dict[str, Any]:
    """Share of the frames with a large polyp that are hit, and of those without any that are marked."""
    model = load_model_folder(default_model())
    with tempfile.TemporaryDirectory() as folder:
        analyse(SourceSpec("demo", ""), Path(folder), model=model)
        found = [line["mask"] for line in read_json_lines(Path(folder) / RESULTS)]
    with resources.as_file(resources.files("assets").joinpath("demo", "demo.masks.jsonl")) as path:
        truth = [line["mask"] for line in read_json_lines(path)]
    large = hits = empty = alarms = 0
    for ours, theirs in zip(found, truth, strict=True):
        if theirs is None:
            empty += 1
            alarms += ours is not None
            continue
        there = rle.decode(theirs) > 0
        if there.mean() <= LARGE_FRAC:
            continue
        large += 1
        if ours is not None:
            marked = rle.decode(ours) > 0
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
