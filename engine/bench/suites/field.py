"""What finding the endoscope's picture costs live, and how near it comes to boxes drawn by hand."""

from __future__ import annotations

import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import astuple
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
from engine.sources.field_finder import small_size
from engine.types import U8, Rect, Size
from engine.view.field_of_view import field_of_view
from engine.view.lock_on import LOOK_EVERY_S, Lock, after, field_in, iou

BOXES = Path(__file__).with_name("field_boxes.json")  # image: [x, y, w, h], drawn by eye to a pixel or two
RATE_HZ, CLIP_S = 30, 2.0
BELOW = 0.97


def _as_live(image: U8) -> Rect:
    """As live has it of a still."""
    size = Size(image.shape[1], image.shape[0])
    look = cv2.resize(image, astuple(small_size(size)), interpolation=cv2.INTER_AREA)
    return field_in([np.asarray(look, np.uint8)], size).box


FINDERS: dict[str, Callable[[U8], Rect]] = {"still": field_of_view, "field_in": _as_live}


def run(data: Path | None = None, rounds: int = 3) -> dict[str, Any]:
    """`lock`: a row a part of a look, of pictures of 1080p. `fields`: a row a set and finder, and `below`:
    each image that one of them is not near to.

    `data`: the folder that the boxes' images lie in; without it there are times only.
    Raises FaultError ARGUMENT where an image of the boxes is not there.
    """
    if data is None:
        return {"lock": _times(rounds), "skipped": [Skipped("IoU with boxes drawn by hand", "no --data DIR")]}
    found = [
        (image, name, iou(finder(picture), box))
        for image, box in boxes().items()
        for picture in [_read(data / image)]
        for name, finder in FINDERS.items()
    ]
    far = [row for row in found if row[2] < BELOW]
    return {
        "lock": _times(rounds),
        "fields": table_of(found),
        "below": [{"image": image, "finder": name, "iou": round(value, 4)} for image, name, value in far],
    }


def boxes() -> dict[str, Rect]:
    """By an image's path in the data's folder, where the endoscope's picture is, in its pixels."""
    return {image: Rect(*box) for image, box in read_json(BOXES).items()}


def table_of(found: Sequence[tuple[str, str, float]]) -> list[dict[str, Any]]:
    """A row a set (an image's folder) and finder, then one for all; of (image, finder, IoU)."""
    of: dict[tuple[str, str], list[float]] = defaultdict(list)
    for image, finder, value in found:
        of[Path(image).parent.name, finder].append(value)
    for _, finder, value in found:
        of["all", finder].append(value)
    return [
        {
            "set": name,
            "finder": finder,
            "images": len(values),
            "mean_iou": round(float(np.mean(values)), 4),
            "least_iou": round(min(values), 4),
            f"below_{BELOW:g}": sum(value < BELOW for value in values),
        }
        for (name, finder), values in of.items()
    ]


def _times(rounds: int) -> list[dict[str, Any]]:
    """Of a look: its small picture from the decoder's planes, and what the lock makes of it."""
    small_ms: list[float] = []
    after_ms: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        clip = demo_clip(Path(folder) / "field.mp4", rate_hz=RATE_HZ, duration_s=CLIP_S)
        for _ in range(rounds):
            lock = Lock()
            with closing(open_recording(parse_source(str(clip)))) as source:
                while (picture := source.read()) is not None:
                    size = Size(picture.width_px, picture.height_px)
                    began_s = time.perf_counter()
                    small = picture.rgb(small_size(size))
                    between_s = time.perf_counter()
                    # Every picture is a look here: as many as it remembers of two seconds would be live.
                    lock = after(lock, small, size, picture.index * LOOK_EVERY_S)
                    after_ms.append((time.perf_counter() - between_s) * 1000.0)
                    small_ms.append((between_s - began_s) * 1000.0)
    whole_ms = [a + b for a, b in zip(small_ms, after_ms, strict=True)]
    parts = {"small picture": small_ms, "lock": after_ms, "look": whole_ms}
    return [
        {"part": part, **percentiles(times), "ms_a_frame": round(_amortised_ms(times), 3)}
        for part, times in parts.items()
    ]


def _amortised_ms(times_ms: Sequence[float]) -> float:
    """Of a frame of 30 Hz, where there is a look now and then."""
    return float(np.mean(times_ms)) / (LOOK_EVERY_S * RATE_HZ)


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
