"""A model on a recording of which it is known what each frame shows: what the window would draw, counted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np

from engine.analysis.judged import Judge, JudgedFrame, open_recording
from engine.analysis.tracked import watched
from engine.drawing.components import Patch, pixels_of
from engine.faults import FaultCode, FaultError
from engine.promotion.measures import FALSE_S, false_of
from engine.promotion.statistics import Counts, Share
from engine.promotion.truth import Recording
from engine.types import U8, Region

HIT_IOU = 0.1  # of the marks to the polyp, as engine.bench alarms has it
SMALLEST_FRAC = 0.001  # of the picture: a polyp of less than this is not in view yet, as a mark would not be
APART_S = 1.0  # a polyp that was away for longer is another appearance
BLOCK_S = 2.0  # what is drawn together of one recording
EXACT_S = 1e-6

Tell = Callable[[], object]  # after each frame; may raise KeyboardInterrupt


@dataclass(frozen=True, slots=True)
class Moment:
    """One frame. `polyp`: whether one is in view, None: smaller than counts; `hit`: marked where it is;
    `in_vain`: something is marked that has no pixel in common with a polyp, and is no finding that had one
    (it is held for a moment when the polyp has gone); `dice` with a polyp in view."""

    at_s: float
    polyp: bool | None
    hit: bool = False
    in_vain: bool = False
    dice: float = 0.0


def watch(recording: Recording, judge: Judge, region: Region, tell: Tell = lambda: None) -> list[Moment]:
    """Every frame. Raises FaultError as `judged_frames`, and DATA_SET where masks and frames differ."""
    with (
        closing(open_recording(recording.spec)) as source,
        closing(watched(source, judge, recording.spec, region)) as frames,
    ):
        known: set[int] = set()
        moments = [_moment(recording, frame, known) for frame in _each(frames, tell)]
    if recording.frames is not None and len(moments) != recording.frames:
        raise FaultError(
            FaultCode.DATA_SET,
            expected=f"{recording.frames} frames in {recording.name}, one a mask",
            got=str(len(moments)),
            remedy="lock a recording with a mask for each of its frames",
        )
    return moments


def _each(frames: Iterator[JudgedFrame], tell: Tell) -> Iterator[JudgedFrame]:
    for frame in frames:
        yield frame
        tell()


def _moment(recording: Recording, frame: JudgedFrame, known: set[int]) -> Moment:
    """`known`: the tracks that have been on a polyp, also by this frame."""
    result = frame.result
    there = recording.truth(result.index, (result.size.height_px, result.size.width_px))
    touches = [there is not None and _touches(patch, there) for patch in frame.patches]
    both = list(zip(frame.patches, touches, strict=True))
    known |= {track for patch, touching in both if touching for track in _tracks(patch)}
    in_vain = any(not touching and known.isdisjoint(_tracks(patch)) for patch, touching in both)
    if there is None:
        return Moment(result.pts_s, False, in_vain=in_vain)
    if there.mean() < SMALLEST_FRAC:
        return Moment(result.pts_s, None, in_vain=in_vain)
    same, either, total = overlap(frame.patches, there)
    return Moment(result.pts_s, True, same >= HIT_IOU * either, in_vain, 2.0 * same / total)


def _tracks(patch: Patch) -> set[int]:
    return {component.track for component in patch.components if component.track is not None}


def overlap(patches: Sequence[Patch], there: U8) -> tuple[int, int, int]:
    """Pixels that are marked and polyp, that are either, and the sum of both."""
    area = int(there.sum())
    if not patches:
        return 0, area, area
    marked = pixels_of(patches, there.shape[1], there.shape[0])
    same, drawn = int(np.count_nonzero(marked & (there > 0))), int(np.count_nonzero(marked))
    return same, area + drawn - same, area + drawn


def _touches(patch: Patch, there: U8) -> bool:
    box = patch.box
    return bool((patch.inside & there[box.y : box.y + box.h, box.x : box.x + box.w]).any())


def counts_of(name: str, moments: Sequence[Moment]) -> Counts:
    """By measure, a Share a stretch of BLOCK_S or an appearance of a polyp; the same moments' truth gives the
    same stretches whatever the model says. Seconds are those until the next frame."""
    counts: dict[str, list[Share]] = defaultdict(list)
    lasts_s = _lasts_s(moments)
    stretches = [int((moment.at_s - moments[0].at_s) / BLOCK_S) for moment in moments]
    begun = _activations(moments, lasts_s)
    for _, ranks in groupby(range(len(moments)), key=lambda rank: stretches[rank]):
        of = list(ranks)
        seconds = sum(lasts_s[rank] for rank in of)
        for least_s in FALSE_S:
            found = sum(begun.get(rank, -1.0) >= least_s - EXACT_S for rank in of)
            counts[false_of(least_s)].append(Share(name, found, seconds))
        polyps = [moments[rank] for rank in of if moments[rank].polyp]
        counts["frames_marked"].append(Share(name, sum(one.hit for one in polyps), len(polyps)))
        counts["dice"].append(Share(name, sum(one.dice for one in polyps), len(polyps)))
    for appearance in _appearances(moments):
        first_s, last_s = moments[appearance[0]].at_s, moments[appearance[-1]].at_s + lasts_s[appearance[-1]]
        hit_s = next((moments[rank].at_s for rank in appearance if moments[rank].hit), None)
        counts["polyps_met"].append(Share(name, hit_s is not None, 1.0))
        # One that is never marked has waited all its time: the mean of what is seen of a waiting time.
        counts["first_mark"].append(Share(name, (last_s if hit_s is None else hit_s) - first_s, 1.0))
    return counts


def _lasts_s(moments: Sequence[Moment]) -> list[float]:
    steps = [after.at_s - before.at_s for before, after in pairwise(moments)]
    return [*steps, float(np.median(steps)) if steps else 0.0]


def _activations(moments: Sequence[Moment], lasts_s: Sequence[float]) -> dict[int, float]:
    """How long each run of frames with a mark in vain lasts, by the rank of its first frame."""
    found: dict[int, float] = {}
    for in_vain, ranks in groupby(range(len(moments)), key=lambda rank: moments[rank].in_vain):
        if in_vain:
            run = list(ranks)
            found[run[0]] = sum(lasts_s[rank] for rank in run)
    return found


def _appearances(moments: Sequence[Moment]) -> list[list[int]]:
    """The ranks of frames with a polyp in view, those of one appearance together."""
    found: list[list[int]] = []
    for rank, moment in enumerate(moments):
        if not moment.polyp:
            continue
        if found and moment.at_s - moments[found[-1][-1]].at_s <= APART_S:
            found[-1].append(rank)
        else:
            found.append([rank])
    return found
