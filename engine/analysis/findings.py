"""The findings of a video: a row for each track that was confirmed, and a small picture of it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from engine.analysis.judged import JudgedFrame
from engine.analysis.results import FINDINGS, THUMBNAILS, Product
from engine.types import U8, Component, Mask, Rect, TrackState

COLUMNS = (
    *("id", "start_s", "end_s", "first_confirmed_s", "frames", "peak"),
    *("box_x", "box_y", "box_w", "box_h", "thumbnail"),
)
LONG_S = (0.0, 0.5, 1.0, 2.0)
LINE_BGR = (80, 220, 80)
QUALITY = 90
GROWN = 1.1  # of the area: a finding that grows steadily is not drawn anew in each frame


@dataclass(slots=True)
class _Finding:
    """A track as it has been seen so far, also before it was confirmed.

    `box` is that of its largest blob, of `area_px`; `pictured_px` the area in the picture that is kept.
    """

    id: int
    start_s: float
    end_s: float
    confirmed_s: float | None = None
    frames: int = 0
    peak: float = 0.0
    box: Rect = Rect(0, 0, 0, 0)
    area_px: int = 0
    pictured_px: float = 0.0


class Findings:
    """Takes each frame of a video in order; leaves `findings.csv` and the folder of pictures in `folder`.

    Frames in which a track is not seen, but held, do not count. Raises OSError.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[int, _Finding] = {}

    def add(self, frame: JudgedFrame) -> None:
        result = frame.result
        for track_id, components in _seen(frame):
            at_s = result.pts_s
            finding = self._known.setdefault(track_id, _Finding(track_id, at_s, at_s))
            finding.end_s = at_s
            finding.frames += 1
            peak = max(component.peak for component in components)
            finding.peak = max(finding.peak, peak)
            largest = max(components, key=lambda component: component.area_px)
            if largest.area_px > finding.area_px:
                finding.box, finding.area_px = largest.box, largest.area_px
            if components[0].state is not TrackState.CONFIRMED:
                continue
            if finding.confirmed_s is None:
                finding.confirmed_s = at_s
            if largest.area_px > GROWN * finding.pictured_px:
                finding.pictured_px = largest.area_px
                self._picture(frame, track_id, components)

    def write(self) -> tuple[Product, ...]:
        """Write the table; what there is now, by name."""
        confirmed = self._confirmed()
        with (self._folder / FINDINGS).open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(COLUMNS)
            rows.writerows(_row(finding) for finding in confirmed)
        return (FINDINGS, THUMBNAILS) if confirmed else (FINDINGS,)

    @property
    def counts(self) -> dict[str, int]:
        """How many findings there were, and how many that lasted so many seconds at least."""
        lasted_s = [finding.end_s - finding.start_s for finding in self._confirmed()]
        return {_key(least_s): sum(s >= least_s for s in lasted_s) for least_s in LONG_S}

    def _confirmed(self) -> list[_Finding]:
        found = (finding for finding in self._known.values() if finding.confirmed_s is not None)
        return sorted(found, key=lambda finding: finding.id)

    def _picture(self, frame: JudgedFrame, track_id: int, components: list[Component]) -> None:
        folder = self._folder / THUMBNAILS
        folder.mkdir(exist_ok=True)
        picture = thumbnail(frame.shown, frame.result.mask, components)
        _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        (folder / thumbnail_name(track_id)).write_bytes(data.tobytes())


def thumbnail_name(track_id: int) -> str:
    return f"{track_id:04d}.jpg"


def thumbnail(shown: U8, mask: Mask, components: list[Component]) -> U8:
    """What the network was given, uint8 [h, w, 3] RGB, in the shape that it has in the frame, with outlines.

    uint8 [H, W, 3] BGR, its longer side that of `shown`.
    """
    roi, longest = mask.roi, max(shown.shape[:2])
    scale = longest / max(roi.w, roi.h)
    size = max(1, round(roi.w * scale)), max(1, round(roi.h * scale))
    picture = cv2.resize(cv2.cvtColor(shown, cv2.COLOR_RGB2BGR), size, interpolation=cv2.INTER_AREA)
    corner = np.array([roi.x, roi.y])
    lines = [
        np.round((line - corner) * scale).astype(np.int32)
        for component in components
        for line in component.contours
    ]
    cv2.polylines(picture, lines, True, LINE_BGR, 1, cv2.LINE_AA)
    return np.asarray(picture, np.uint8)


def pictures_of(folder: Path) -> set[str]:
    """Names of the pictures that the table in `folder` names; none where there is no table of ours."""
    try:
        with (folder / FINDINGS).open(encoding="utf-8", newline="") as file:
            return {Path(row["thumbnail"]).name for row in csv.DictReader(file)}
    except (OSError, ValueError, KeyError, TypeError, csv.Error):
        return set()


def _seen(frame: JudgedFrame) -> Iterator[tuple[int, list[Component]]]:
    """By track, its components in this frame."""
    of: dict[int, list[Component]] = {}
    for component in (*frame.result.components, *frame.result.candidates):
        if component.track is not None and component.state is not TrackState.HELD:
            of.setdefault(component.track, []).append(component)
    yield from of.items()


def _row(finding: _Finding) -> list[object]:
    box, picture = finding.box, f"{THUMBNAILS}/{thumbnail_name(finding.id)}"
    assert finding.confirmed_s is not None
    times = [f"{at_s:.6f}" for at_s in (finding.start_s, finding.end_s, finding.confirmed_s)]
    return [finding.id, *times, finding.frames, f"{finding.peak:.4f}", box.x, box.y, box.w, box.h, picture]


def _key(seconds: float) -> str:
    return "all" if not seconds else f"{seconds:g}"
