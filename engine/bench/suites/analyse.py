"""`analyse` beside decoding alone, on the same recording, in turn; and several workers beside one."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine.analysis.judged import open_recording
from engine.analysis.many.crew import ProcessCrew, default_workers
from engine.analysis.many.manifest import Row
from engine.analysis.many.recordings import find_recordings
from engine.analysis.many.run import analyse_many
from engine.analysis.many.task import Options, digest_of
from engine.analysis.one import analyse
from engine.bench.clips import demo_clip, repeat_clip
from engine.model_folder import ModelFolder, default_model, load_model_folder
from engine.runtime import AUTO
from engine.sources.base import SourceSpec

REPEATS = 4
RECORDINGS_A_WORKER = 2


def run(*, rounds: int, seconds: float) -> dict[str, Any]:
    """Frames per second, medians over interleaved rounds, and their ratios pair by pair."""
    model = load_model_folder(default_model())
    workers = max(2, default_workers())
    decode_hz: list[float] = []
    analyse_hz: list[float] = []
    one_hz: list[float] = []
    several_hz: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        piece = demo_clip(folder / "piece.mp4", rate_hz=30, duration_s=seconds)
        # Long enough for the loading of the model to be what it is on a real recording: little.
        clip = repeat_clip(piece, folder / "clip.mkv", times=REPEATS)
        spec = SourceSpec("file", str(clip))
        videos = folder / "videos"
        videos.mkdir()
        for number in range(RECORDINGS_A_WORKER * workers):
            (videos / f"{number}.mkv").hardlink_to(clip)
        for turn in range(rounds):
            decode_hz.append(_decode_alone(spec))
            start_s = time.perf_counter()
            summary = analyse(spec, folder / f"out{turn}", model=model)
            analyse_hz.append(summary.frames / (time.perf_counter() - start_s))
            one_hz.append(_many(videos, folder / f"one{turn}", model, 1))
            several_hz.append(_many(videos, folder / f"several{turn}", model, workers))
    ratios = [a / d for a, d in zip(analyse_hz, decode_hz, strict=True)]
    gains = [s / o for s, o in zip(several_hz, one_hz, strict=True)]
    return {
        "analyse": {
            "decode_fps": round(statistics.median(decode_hz), 1),
            "analyse_fps": round(statistics.median(analyse_hz), 1),
            "share_of_decoding": round(statistics.median(ratios), 3),
        },
        "many": {
            "recordings": RECORDINGS_A_WORKER * workers,
            "one_worker_fps": round(statistics.median(one_hz), 1),
            "workers": workers,
            "workers_fps": round(statistics.median(several_hz), 1),
            "gain": round(statistics.median(gains), 3),
        },
        "rounds": rounds,
    }


def _many(videos: Path, out: Path, model: ModelFolder, workers: int) -> float:
    """Frames per second of all recordings together, without the start of the processes."""
    options = Options(str(model.path), digest_of(model), None, None, AUTO, AUTO)
    watch = _Watch()
    report = analyse_many(
        find_recordings([str(videos)], out), out, options, lambda: ProcessCrew(workers), watch
    )
    return sum(row.frames for row in report.done) / (time.perf_counter() - watch.began_s)


class _Watch:
    """As `engine.analysis.many.run.Watcher`: only looks at the clock."""

    began_s = 0.0

    def begin(self, rows: Sequence[Row], todo: int) -> None:
        self.began_s = time.perf_counter()

    def changed(self, row: Row) -> None:
        pass

    def frames(self, done: int) -> None:
        pass


def _decode_alone(spec: SourceSpec) -> float:
    source = open_recording(spec)
    try:
        frames = 0
        start_s = time.perf_counter()
        while source.read() is not None:
            frames += 1
        return frames / (time.perf_counter() - start_s)
    finally:
        source.close()
