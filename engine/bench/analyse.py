"""`analyse` beside decoding alone, on the same recording, in turn."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from engine.analyse import analyse
from engine.bench.clips import demo_clip, repeat_clip
from engine.model_folder import default_model, load_model_folder
from engine.sources import open_source
from engine.sources.base import SourceOptions, SourceSpec

REPEATS = 4


def run(*, rounds: int, seconds: float) -> dict[str, Any]:
    """Frames per second of both, medians over interleaved rounds, and their ratio pair by pair."""
    model = load_model_folder(default_model())
    decode_hz: list[float] = []
    analyse_hz: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        piece = demo_clip(Path(folder) / "piece.mp4", rate_hz=30, duration_s=seconds)
        # Long enough for the loading of the model to be what it is on a real recording: little.
        clip = repeat_clip(piece, Path(folder) / "clip.mkv", times=REPEATS)
        spec = SourceSpec("file", str(clip))
        for turn in range(rounds):
            decode_hz.append(_decode_alone(spec))
            start_s = time.perf_counter()
            summary = analyse(spec, Path(folder) / f"out{turn}", model=model)
            analyse_hz.append(summary.frames / (time.perf_counter() - start_s))
    ratios = [a / d for a, d in zip(analyse_hz, decode_hz, strict=True)]
    return {
        "analyse": {
            "decode_fps": round(statistics.median(decode_hz), 1),
            "analyse_fps": round(statistics.median(analyse_hz), 1),
            "share_of_decoding": round(statistics.median(ratios), 3),
        },
        "rounds": rounds,
    }


def _decode_alone(spec: SourceSpec) -> float:
    source = open_source(spec, SourceOptions(throughput=True))
    try:
        frames = 0
        start_s = time.perf_counter()
        while source.read() is not None:
            frames += 1
        return frames / (time.perf_counter() - start_s)
    finally:
        source.close()
