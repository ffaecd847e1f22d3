"""Findings over time in a recording: the frames of `judged_frames` with what is drawn of each."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import replace

from engine.analysis.judged import Judge, JudgedFrame, Tell, judged_frames
from engine.drawing.components import patch_of
from engine.sources.base import Source, SourceSpec
from engine.sources.field_finder import finder_of
from engine.tracking.follow import Following, follow
from engine.types import Field, Region


def watched(
    source: Source,
    judge: Judge,
    spec: SourceSpec,
    region: Region | Field,
    *,
    with_pixels: bool = False,
    tell: Tell = lambda fault: None,
) -> Generator[JudgedFrame, None, None]:
    """Every frame of a recording with what the window would draw of it; the rest as `judged_frames` has it.

    `region`: "field" for the endoscope's picture as it is found, "frame" for all of each picture, or one
    that does not move.
    """
    finder = finder_of(region, spec)
    frames = judged_frames(source, judge, finder=finder, with_pixels=with_pixels, tell=tell)
    with closing(frames):
        yield from tracked(frames, 1.0 / source.info.rate_hz if source.info.rate_hz else 0.0)


def tracked(frames: Iterable[JudgedFrame], period_s: float = 0.0) -> Iterator[JudgedFrame]:
    """The same frames with the components of confirmed findings, and those of all others as candidates.

    Of a recording alone: a still, and a point without times, is left as it is. The same recording gives the
    same tracks however fast it is read, since only time stamps count. `period_s`: 1 / the recording's rate.
    """
    before = Following()
    for frame in frames:
        result = frame.result
        if frame.name is not None or not result.point.follows:
            yield frame
            continue
        if frame.damaged:
            yield replace(frame, patches=(), result=replace(result, components=(), candidates=()))
            continue
        now = follow(
            before,
            result.mask,
            frame.shown,
            result.size,
            result.point,
            now_s=result.pts_s,
            period_s=period_s,
            field=result.field,
        )
        before = now.following
        seen = replace(result, components=now.components, candidates=now.candidates)
        yield replace(frame, result=seen, patches=tuple(patch_of(c) for c in now.components))
