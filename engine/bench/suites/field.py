"""What finding the endoscope's picture costs live, and how near it comes to boxes drawn by hand."""

from __future__ import annotations

import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from engine.analysis.judged import open_recording
from engine.bench.clips import demo_clip
from engine.bench.skipped import Skipped
from engine.bench.timing import percentiles
from engine.faults import FaultCode, FaultError
from engine.files.json_reader import read_json
from engine.sources import parse_source
from engine.types import U8, Rect, Size
from engine.view.lit import small_size
from engine.view.lock_on import LOCKED_EVERY_S, LOOK_EVERY_S, Lock, after, iou
from engine.view.region import box_of

BOXES = Path(__file__).with_name("field_boxes.json")  # image: [x, y, w, h], drawn by eye to a pixel or two
RATE_HZ, CLIP_S = 30, 2.0
BELOW = 0.97


def run(data: Path | None = None, rounds: int = 3) -> dict[str, Any]:
    """`lock`: a row a part of a look, of pictures of 1080p. `fields`: a row a set, and `below`: each image
    whose box is not near to the one drawn by hand.

    `data`: the folder that the boxes' images lie in; without it there are times only.
    Raises FaultError ARGUMENT where an image of the boxes is not there.
    """
    if data is None:
        return {"lock": _times(rounds), "skipped": [Skipped("IoU with boxes drawn by hand", "no --data DIR")]}
    found = [(image, iou(box_of(_read(data / image), "field"), box)) for image, box in boxes().items()]
    far = [row for row in found if row[1] < BELOW]
    return {
        "lock": _times(rounds),
        "fields": table_of(found),
        "below": [{"image": image, "iou": round(value, 4)} for image, value in far],
    }


def boxes() -> dict[str, Rect]:
    """By an image's path in the data's folder, where the endoscope's picture is, in its pixels."""
    return {image: Rect(*box) for image, box in read_json(BOXES).items()}


def table_of(found: Sequence[tuple[str, float]]) -> list[dict[str, Any]]:
    """A row a set (an image's folder), then one for all; of (image, IoU)."""
    of: dict[str, list[float]] = defaultdict(list)
    for image, value in found:
        of[Path(image).parent.name].append(value)
    of["all"] = [value for _, value in found]
    return [
        {
            "set": name,
            "images": len(values),
            "mean_iou": round(float(np.mean(values)), 4),
            "least_iou": round(min(values), 4),
            f"below_{BELOW:g}": sum(value < BELOW for value in values),
        }
        for name, values in of.items()
    ]


def _times(rounds: int) -> list[dict[str, Any]]:
    """Of a look: its small picture from the decoder's planes, and all of it without a lock and with one.

    Of the thread's own time: a look is too short to be told from what else the machine does.
    """
    cv2.setNumThreads(1)  # as live
    small_ms: list[float] = []
    look_ms: dict[bool, list[float]] = {False: [], True: []}
    with tempfile.TemporaryDirectory() as folder:
        clip = demo_clip(Path(folder) / "field.mp4", rate_hz=RATE_HZ, duration_s=CLIP_S)
        for has_lock in [False, True] * rounds:
            lock = Lock()
            with closing(open_recording(parse_source(str(clip)))) as source:
                while (picture := source.read()) is not None:
                    size = Size(picture.width_px, picture.height_px)
                    began_s = time.thread_time()
                    small = picture.rgb(small_size(size))
                    small_ms.append((time.thread_time() - began_s) * 1000.0)
                    # Every picture is a look here: as many as it remembers of two seconds would be live.
                    lock = after(lock, small, size, picture.index * LOOK_EVERY_S)
                    if has_lock is (lock.field is not None):
                        look_ms[has_lock].append((time.thread_time() - began_s) * 1000.0)
                    if not has_lock:
                        lock = replace(lock, field=None)
    return [
        {"part": "small picture", **percentiles(small_ms)},
        _row("look, unlocked", look_ms[False], LOOK_EVERY_S),
        _row("look, locked", look_ms[True], LOCKED_EVERY_S),
    ]


def _row(part: str, times_ms: Sequence[float], every_s: float) -> dict[str, Any]:
    """`ms_a_frame`: of a source of 30 Hz, where there is a look now and then."""
    amortised_ms = float(np.mean(times_ms)) / (every_s * RATE_HZ) if times_ms else 0.0
    return {"part": part, **percentiles(times_ms), "ms_a_frame": round(amortised_ms, 3)}


def _read(path: Path) -> U8:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR) if path.is_file() else None
    if image is None:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected=f"the image {path}, of which a box is known",
            got="none that can be read",
            remedy="name the folder with images/ of the training sets by --data",
        )
    return np.asarray(image, np.uint8)
