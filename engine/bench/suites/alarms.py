"""What is marked over time, by preset, with and without tracks: false activations, first hit, flicker."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from engine.analysis.judged import judged_frames, open_judge, open_recording
from engine.drawing.components import find_patches, patch_of, pixels_of
from engine.faults import FaultCode, FaultError
from engine.model_folder import ModelFolder, default_model, find_model, load_model_folder
from engine.sources import parse_source
from engine.sources.field_finder import finder_of
from engine.tracking.follow import Following, follow
from engine.types import U8, Field, Mask, OperatingPoint, Size

LONG_S = (0.0, 0.5, 1.0, 2.0)
HIT_IOU = 0.1
VIDEOS = (".mp4", ".mkv", ".avi", ".ts", ".mov", ".webm")
SHORT_S = 300.0  # under it there are counts and seconds, no rates
PRECISION = "f32"

Bits = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Seen:
    """One frame as the network has seen it."""

    pts_s: float
    mask: Mask
    shown: U8
    size: Size
    field: Field | None = None


@dataclass(frozen=True, slots=True)
class Drawn:
    """What is drawn of a frame, uint8 [h, w] of 0 and 1 as bool; None: nothing.

    `waited_s`: of each finding that this frame confirms, since its first hit.
    """

    pts_s: float
    marks: Bits | None
    waited_s: tuple[float, ...] = ()


def run(paths: Sequence[str], masks: Path | None = None, model: str | None = None) -> dict[str, Any]:
    """A row a clip, a preset, and with and without tracks. Raises FaultError."""
    folder = load_model_folder(find_model(model) if model else default_model())
    rows = []
    for path in clips_of(paths):
        frames, period_s = look_at(path, folder)
        truth = _truth(masks, len(frames))
        for name, preset in folder.card.presets.items():
            for tracks in (False, True):
                drawn = drawn_of(frames, preset.over_time if tracks else preset.still, period_s)
                row = {"clip": Path(path).name, "preset": name, "tracks": tracks}
                rows.append(row | figures(drawn, period_s, truth))
    return {"model": folder.id, "clips": rows}


def look_at(path: str, model: ModelFolder) -> tuple[list[Seen], float]:
    """Every frame of a recording with its map, and the frame interval in seconds."""
    spec = parse_source(path)
    point = model.card.presets["standard"].still
    with (
        closing(open_recording(spec)) as source,
        closing(open_judge(model, point, precision=PRECISION)) as judge,
        closing(judged_frames(source, judge, finder=finder_of("field", spec))) as frames,
    ):
        seen = [Seen(r.pts_s, r.mask, f.shown, r.size, r.field) for f in frames for r in (f.result,)]
        rate_hz = source.info.rate_hz or 25.0
    return seen, 1.0 / rate_hz


def drawn_of(frames: Sequence[Seen], point: OperatingPoint, period_s: float) -> list[Drawn]:
    """What the window would draw of each; without times in `point`, of each by itself."""
    before, drawn = Following(), []
    for seen in frames:
        size, now_s = seen.size, seen.pts_s
        waited_s: tuple[float, ...] = ()
        if point.follows:
            now = follow(
                before, seen.mask, seen.shown, size, point, now_s=now_s, period_s=period_s, field=seen.field
            )
            before = now.following
            patches = tuple(patch_of(component) for component in now.components)
            waited_s = tuple(now_s - t.first_s for t in before.tracks.tracks if t.confirmed_s == now_s)
        else:
            patches = find_patches(seen.mask, size.width_px, size.height_px, point)
        marks = pixels_of(patches, size.width_px, size.height_px) if patches else None
        drawn.append(Drawn(now_s, marks, waited_s))
    return drawn


def figures(drawn: Sequence[Drawn], period_s: float, truth: Sequence[Bits | None] | None) -> dict[str, Any]:
    """Of one clip. `truth`: each frame's mask, None where it shows no polyp; None: unknown.

    An activation is a run of frames with anything drawn. `first_ms`: from the first frame (with a polyp,
    where that is known) to the first mark (on it). `wait_ms`: from a finding's first hit, which may be a
    flash, until it is confirmed; the median of all.
    """
    on = [frame.marks is not None for frame in drawn]
    seconds = max(drawn[-1].pts_s - drawn[0].pts_s + period_s, period_s)
    runs_s = [sum(1 for _ in run) * period_s for is_on, run in groupby(on) if is_on]
    counts = {_key(least): sum(run >= least - 1e-6 for run in runs_s) for least in LONG_S}
    hits = [_hits(frame.marks, there) for frame, there in zip(drawn, truth, strict=True)] if truth else on
    polyps = [there is not None for there in truth] if truth else [True] * len(on)
    first, begun = _index(hits), _index(polyps)
    found = None if first is None or begun is None else first
    both = zip(drawn, truth, strict=True) if truth else ()
    waits_s = [waited_s for frame in drawn for waited_s in frame.waited_s]
    dices = [_dice(frame.marks, there) for frame, there in both if there is not None]
    return {
        "seconds": round(seconds, 2),
        "counts": counts,
        "per_min": {k: round(v * 60 / seconds, 2) for k, v in counts.items()} if seconds >= SHORT_S else None,
        "first_frames": None if found is None else found - (begun or 0),
        "first_ms": None if found is None else round((drawn[found].pts_s - drawn[begun or 0].pts_s) * 1000),
        "wait_ms": round(median(waits_s) * 1000) if waits_s else None,
        "changes_per_s": round(sum(a != b for a, b in pairwise(on)) / seconds, 3),
        "on_share": round(float(np.mean(on)), 4),
        "sensitivity": round(sum(hits) / sum(polyps), 4) if truth and any(polyps) else None,
        "dice": round(float(np.mean(dices)), 4) if dices else None,
    }


def _key(seconds: float) -> str:
    return "all" if not seconds else f"{seconds:g}"


def _index(flags: Sequence[bool]) -> int | None:
    return next((i for i, flag in enumerate(flags) if flag), None)


def _hits(marks: Bits | None, there: Bits | None) -> bool:
    if marks is None or there is None:
        return False
    return bool((marks & there).sum() > HIT_IOU * (marks | there).sum())


def _dice(marks: Bits | None, there: Bits) -> float:
    if marks is None:
        return 0.0
    return float(2.0 * (marks & there).sum() / (marks.sum() + there.sum()))


def clips_of(paths: Sequence[str]) -> list[str]:
    """The clips, and those of folders, in the order of their names."""
    found: list[str] = []
    for path in paths:
        folder = Path(path)
        inside = sorted(folder.iterdir()) if folder.is_dir() else []
        found += [str(file) for file in inside if file.suffix.lower() in VIDEOS] or [path]
    return found


def _truth(folder: Path | None, frames: int) -> list[Bits | None] | None:
    """Masks of a folder in the order of their names, one a frame."""
    if folder is None:
        return None
    files = sorted(folder.glob("*.png"))
    if len(files) != frames:
        raise _unusable(f"{frames} masks in {folder.name}, one a frame", f"{len(files)}")
    masks = [cv2.imread(str(file), cv2.IMREAD_GRAYSCALE) for file in files]
    return [mask > 0 if mask is not None and mask.any() else None for mask in masks]


def _unusable(expected: str, got: str) -> FaultError:
    return FaultError(FaultCode.ARGUMENT, expected=expected, got=got, remedy="name others")
