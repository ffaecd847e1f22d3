"""A clip of a recording as one MP4, with the source's time stamps: raw, marked, or both side by side."""

from __future__ import annotations

import math

import av
import cv2
import numpy as np

from engine.analysis.overlay_files import TimedVideo
from engine.analysis.read_ahead import tags_of
from engine.drawing.overlays import OverlayStyle, drawn
from engine.drawing.render import draw
from engine.review.analysis import spec_of
from engine.review.exports.export import SHEET, Export
from engine.review.exports.formats import Look
from engine.review.exports.pictures import SHEET as MOST
from engine.review.exports.pictures import ContactSheet, bgr, pictures, pixel_aspect
from engine.review.exports.stream_copy import copy
from engine.types import U8, Component, Mask, Rect, Result, Size

NAME = "clip.mp4"
STYLE = "contour"


def write(job: Export) -> None:
    """Copied as it is where a raw full frame is asked for and that can be; else encoded again.

    Raises FaultError, OSError.
    """
    if job.look is Look.RAW and job.cut.field is None and _is_copied(job):
        _show_some(job)
    else:
        _encode(job)
    job.counts["frames"] = len(job.selection.ranks)


def _is_copied(job: Export) -> bool:
    spec, table = spec_of(job.review.car), job.review.table
    if spec.kind != "file":
        return False
    times_s = tuple(table.time_s(rank) for rank in job.selection.ranks)
    path = job.folder / NAME
    try:
        return copy(job.review.car.recording.paths[0], path, times_s)
    except av.FFmpegError:  # an MP4 cannot have this; encoded again it can
        path.unlink(missing_ok=True)
        return False


def _show_some(job: Export) -> None:
    """The contact sheet of what was not decoded."""
    ranks = job.selection.ranks[:: -(-len(job.selection.ranks) // MOST)]
    sheet = ContactSheet(len(ranks))
    for number, picture in enumerate(pictures(spec_of(job.review.car), ranks)):
        sheet.add(bgr(picture))
        job.tick(number + 1, len(ranks))
    sheet.write(job.folder / SHEET)


def _encode(job: Export) -> None:
    review, ranks = job.review, job.selection.ranks
    video: TimedVideo | None = None
    aspect = pixel_aspect(spec_of(review.car))
    sheet = ContactSheet(len(ranks))
    try:
        for number, picture in enumerate(pictures(spec_of(review.car), ranks)):
            raw = np.dstack([job.cut.of(bgr(picture)), np.full(_shape(job), 255, np.uint8)])
            image = raw
            if job.look is not Look.RAW:
                marked = raw.copy()
                _mark(marked, job, picture.index)
                image = marked if job.look is Look.OVERLAY else np.hstack([raw, marked])
            if video is None:
                size = Size(image.shape[1], image.shape[0])
                rate_hz = review.car.recording.rate_hz
                video = TimedVideo(job.folder / NAME, size, tags_of(picture), rate_hz, aspect)
            video.add(picture.pts_s, np.ascontiguousarray(image))
            sheet.add(image[..., :3])
            job.tick(number + 1, len(ranks))
    finally:
        if video is not None:
            video.close()
    sheet.write(job.folder / SHEET)


def _shape(job: Export) -> tuple[int, int]:
    return job.cut.box.h, job.cut.box.w


def _mark(image: U8, job: Export, rank: int) -> None:
    frame = job.selection.of(job.review, rank)
    components = tuple(_component(cut) for mask in frame.masks.values() if (cut := job.cut.mask(mask)).any())
    size = Size(image.shape[1], image.shape[0])
    nothing = Mask(rank, np.zeros((0, 0), np.uint8), Rect(0, 0, size.width_px, size.height_px))
    analysis = job.review.analysis
    result = Result(
        rank, rank, frame.pts_s, math.nan, 0, size, nothing, components, analysis.point, analysis.model_id, ""
    )
    draw(image, drawn(STYLE, result, OverlayStyle()))


def _component(mask: U8) -> Component:
    lines, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    contours = tuple(np.asarray(line, np.int32).reshape(-1, 2) for line in lines)
    return Component(Rect(*cv2.boundingRect(mask)), int(cv2.countNonZero(mask)), 1.0, 1.0, contours)
