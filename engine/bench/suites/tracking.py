"""What following findings costs a frame, and whether late marks are better moved with the picture."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from engine.bench.suites.alarms import Seen, clips_of, look_at
from engine.bench.timing import percentiles
from engine.drawing.components import find_components
from engine.model_folder import default_model, find_model, load_model_folder
from engine.tracking.follow import Following, follow
from engine.types import U8, Mask, OperatingPoint, Rect, Size
from engine.view.motion import Motion, look_of, motion_between
from engine.view.quality import faults_of, measure

OBJECTS = 10
FRAMES = 400
DELAYS = (1, 2, 3, 4)
SURE_PEAK = 0.95  # of a mask that is compared: what is no polyp moves with nothing
POINT = OperatingPoint(0.5, 0.0001, 0.9, keep=0.25, hit_peak=0.7, hit_s=0.165, window_s=0.265)


def run(paths: Sequence[str], model: str | None = None) -> dict[str, Any]:
    """`cost`: with ten findings in a picture of 1280 x 1024. `moved`: a row a clip and delay.

    Dice of a frame's mask with the one of so many frames before, as it is and moved with the picture: means
    over the frames where both reach `SURE_PEAK`, and over the third of them in which most moves.
    Raises FaultError.
    """
    folder = load_model_folder(find_model(model) if model else default_model())
    point = folder.card.presets["standard"].still
    moved = []
    for path in clips_of(paths):
        frames, period_s = look_at(path, folder)
        rows = (figures(frames, point.threshold, delay) for delay in DELAYS)
        moved += [
            {"clip": Path(path).name, "frames": delay, "ms": round(delay * period_s * 1000)} | row
            for delay, row in zip(DELAYS, rows, strict=True)
            if row["compared"]
        ]
    return {"cost": costs(), "moved": moved}


def figures(frames: Sequence[Seen], threshold: float, delay: int) -> dict[str, Any]:
    """Of one clip and delay."""
    level = threshold * 255.0
    looks = [look_of(frame.shown) for frame in frames]
    pairs = []
    for before, now, old, new in zip(frames, islice(frames, delay, None), looks, looks[delay:], strict=False):
        a, b = before.mask, now.mask
        if a.roi == b.roi and min(a.probability.max(), b.probability.max()) >= SURE_PEAK * 255.0:
            then, there = ((mask.probability >= level).astype(np.uint8) for mask in (a, b))
            pairs.append((_dice(then, there), _dice(_moved(then, motion_between(old, new)), there)))
    if not pairs:
        return {"compared": 0}
    unmoved, moved = np.array(pairs).T
    quick = unmoved <= np.quantile(unmoved, 1 / 3)
    return {
        "compared": len(pairs),
        "unmoved": round(float(unmoved.mean()), 3),
        "moved": round(float(moved.mean()), 3),
        "unmoved_quick": round(float(unmoved[quick].mean()), 3),
        "moved_quick": round(float(moved[quick].mean()), 3),
    }


def costs() -> list[dict[str, Any]]:
    """Time of this thread alone: what else the machine does is not counted."""
    size, roi = Size(1280, 1024), Rect(0, 0, 1280, 1024)
    noise = np.random.default_rng(7).integers(0, 255, (320, 320, 3), np.uint8)
    maps = [_blobs(shift) for shift in range(3)]
    state, look = Following(), look_of(noise)

    def found(i: int) -> None:
        find_components(Mask(i, maps[i % 3], roi), size.width_px, size.height_px, POINT)

    def judged(i: int) -> None:
        faults_of(measure(noise))

    def compared(i: int) -> None:
        nonlocal look
        before, look = look, look_of(noise)
        motion_between(before, look)

    def followed(i: int) -> None:
        nonlocal state
        shown = follow(state, Mask(i, maps[i % 3], roi), noise, size, POINT, now_s=i / 30, period_s=1 / 30)
        state = shown.following

    cv2.setNumThreads(1)  # as it is live
    parts = {"components": found, "view": judged, "motion": compared, "all with tracks": followed}
    times: dict[str, list[float]] = {what: [] for what in parts}
    for i in range(FRAMES):
        for what, do in parts.items():
            times[what].append(_took_ms(do, i))
    assert len(state.tracks.shown) == OBJECTS
    warm = FRAMES // 10
    times["tracks"] = [of_all - sum(rest) for *rest, of_all in zip(*times.values(), strict=True)]
    return [{"what": what, "objects": OBJECTS} | percentiles(ms[warm:]) for what, ms in times.items()]


def _took_ms(do: Callable[[int], None], i: int) -> float:
    start_s = time.thread_time()
    do(i)
    return (time.thread_time() - start_s) * 1000.0


def _blobs(shift: int) -> U8:
    map_ = np.zeros((320, 320), np.uint8)
    for i in range(OBJECTS):
        row, column = 20 + i // 4 * 100 + shift, 20 + i % 4 * 75
        map_[row : row + 30, column : column + 30] = 230
    return map_


def _moved(inside: U8, motion: Motion) -> U8:
    high, wide = inside.shape
    by = np.array([[1, 0, motion.dx_frac * wide], [0, 1, motion.dy_frac * high]], np.float32)
    return np.asarray(cv2.warpAffine(inside, by, (wide, high), flags=cv2.INTER_NEAREST), np.uint8)


def _dice(a: U8, b: U8) -> float:
    return float(2.0 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b)))
