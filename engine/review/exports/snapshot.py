"""A picture, its mask and a JSON: of one frame where the range has but one, else of each finding's best."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from engine.faults import FaultCode, FaultError
from engine.files.whole import write_json
from engine.review.analysis import spec_of
from engine.review.exports.export import SHEET, Export, written
from engine.review.exports.pictures import ContactSheet, bgr, frame_name, pictures, write_png
from engine.review.rows import Row
from engine.types import U8


def write(job: Export) -> None:
    """Raises FaultError, OSError."""
    review, ranks = job.review, key_frames(job)
    sheet = ContactSheet(len(ranks))
    for number, (rank, picture) in enumerate(zip(ranks, pictures(spec_of(review.car), ranks), strict=True)):
        image = job.cut.of(bgr(picture))
        frame = job.selection.of(review, rank)
        one = written(frame, frame_name(rank), image)
        union: U8 = np.zeros(image.shape[:2], np.uint8)
        objects: list[dict[str, Any]] = []
        for object_, mask in frame.masks.items():
            cut = job.cut.mask(mask)
            union |= cut
            area_px = int(cv2.countNonZero(cut))
            objects.append({"object": object_, "box": list(cv2.boundingRect(cut)), "area_px": area_px})
        stem = one.name.removesuffix(".png")
        write_png(job.folder / one.name, image)
        sheet.add(image)
        write_png(job.folder / f"{stem}_mask.png", union * np.uint8(255))
        said = {
            "study": job.code,
            "rank": rank,
            "pts_s": round(frame.pts_s, 6),
            "state": frame.state.value,
            "sha256": one.sha256,
            "objects": objects,
            "model": review.analysis.model_id,
            "preset": review.analysis.preset,
        }
        write_json(job.folder / f"{stem}.json", said)
        job.tick(number + 1, len(ranks))
    sheet.write(job.folder / SHEET)
    job.counts["frames"] = len(ranks)


def key_frames(job: Export) -> list[int]:
    """The one frame of the range, or where each finding is largest in it. Raises FaultError: none is."""
    if job.range is not None and job.range[0] == job.range[1]:
        return [job.range[0]]
    objects = job.selection.objects
    rows = [row for row in job.review.rows if objects is None or objects.intersection(row.findings)]
    ranks = sorted({rank for row in rows if (rank := _best(job, row)) is not None})
    if not ranks:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected="a finding in this range",
            got="none",
            remedy="name one frame with --range, such as 120:120",
            said="There is no finding in this range. Name one frame with --range, such as 120:120.",
        )
    return ranks


def _best(job: Export, row: Row) -> int | None:
    """The frame of a finding, of those that leave; None where it is in none of them."""
    here = [rank for rank in job.selection.ranks if row.first_rank <= rank <= row.last_rank]
    if row.best_rank in here:
        return row.best_rank
    seen = job.review.sightings

    def area_px(rank: int) -> int:
        return sum(one.area_px for one in seen.get(rank, ()) if one.track in row.findings)

    return max(here, key=area_px, default=None)
