"""How many pictures each gate of the view's quality closes on, and what telling costs."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import cv2

from engine.analysis.judged import open_recording
from engine.bench.timing import percentiles
from engine.faults import FaultError
from engine.sources import IMAGE_SUFFIXES, VIDEO_SUFFIXES, parse_source
from engine.sources.base import SourceSpec
from engine.sources.field_finder import FieldFinder, finder_of
from engine.types import U8, Size
from engine.view.quality import ViewFault, ViewQuality, after, faults_of, measure

NETWORK_PX = 352  # what the network is shown, and the gates look at


def run(paths: Sequence[str]) -> dict[str, Any]:
    """A row a clip, or a folder of stills. Shares of its pictures: `any`, of each gate, and `told` of a clip:
    those during which a fault is said, 200 ms on and 400 ms off. Raises FaultError.
    """
    cv2.setNumThreads(1)  # as live
    return {"quality": [_row(spec) for path in paths for spec in _sources(path)]}


def _row(spec: SourceSpec) -> dict[str, Any]:
    counts: Counter[ViewFault] = Counter()
    quality, pictures, faulty, told = ViewQuality(), 0, 0, 0
    times_ms: list[float] = []
    for at_s, picture in _pictures(spec):
        began_s = time.thread_time()
        faults = faults_of(measure(picture))
        times_ms.append((time.thread_time() - began_s) * 1000.0)
        pictures += 1
        faulty += bool(faults)
        counts.update(faults)
        quality = after(quality, faults, at_s)
        told += not quality.is_good
    of = max(1, pictures)
    return {
        "source": spec.title,
        "pictures": pictures,
        "any": round(faulty / of, 4),
        **{fault.value: round(counts[fault] / of, 4) for fault in ViewFault},
        "told": None if spec.kind == "images" else round(told / of, 4),
        **{key: value for key, value in percentiles(times_ms).items() if key in ("p50_ms", "p95_ms")},
    }


def _pictures(spec: SourceSpec) -> Iterator[tuple[float, U8]]:
    """Time, and what the network is shown of each picture; what is no picture is left out."""
    finder = finder_of("field", spec) or FieldFinder()
    with closing(open_recording(spec)) as source:
        while True:
            try:
                picture = source.read()
            except FaultError as fault:
                if fault.fatal:
                    raise
                continue
            if picture is None:
                return
            finder.look(picture, picture.pts_s)
            box = finder.field_of(picture, picture.pts_s).box
            yield picture.pts_s, picture.rgb(Size(NETWORK_PX, NETWORK_PX), box)


def _sources(path: str) -> list[SourceSpec]:
    """Of a folder the clips in it, itself where stills are in it, and so of the folders in it."""
    folder = Path(path)
    if not folder.is_dir():
        return [parse_source(path)]
    inside = sorted(folder.iterdir())
    found = [parse_source(str(file)) for file in inside if file.suffix.lower() in VIDEO_SUFFIXES]
    if any(file.suffix.lower() in IMAGE_SUFFIXES for file in inside):
        found.append(parse_source(path))
    return found + [spec for one in inside if one.is_dir() for spec in _sources(str(one))]
