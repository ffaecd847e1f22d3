"""How a model behaves over time: flicker, first mark, false activations. Followed as `analyse` does.

A frame is *on* where anything is drawn. A recording is looked at once; every operating point is then asked of
the same maps.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np

from distill.judging.live_path import PRECISION
from distill.judging.recordings import Recording
from distill.metrics.files import read_mask
from distill.metrics.lesions import blobs, ious_of
from engine.analysis.judged import Judge, JudgedFrame, judged_frames, open_judge, open_recording
from engine.analysis.tracked import tracked
from engine.drawing.components import Patch, components_of, find_patches, pixels_of
from engine.model_folder import ModelFolder
from engine.runtime import usual_runtime
from engine.sources.base import SourceSpec
from engine.sources.field_finder import finder_of
from engine.types import U8, Component, OperatingPoint, Region

LONG_S = (0.0, 0.5, 1.0, 2.0)
HIT_IOU = 0.1
STILLS_HZ = 5.0  # of frames that came as stills: what the data's own clips of such sequences are given
EXACT_S = 1e-6


@dataclass(frozen=True, slots=True)
class Looked:
    """A recording as the network has seen it. `truth`: uint8 [h, w] of each frame with a polyp."""

    recording: Recording
    frames: tuple[JudgedFrame, ...]
    truth: tuple[U8 | None, ...] | None
    period_s: float

    @property
    def seconds(self) -> float:
        """Each frame stands for its time, the last one for the usual."""
        return self.frames[-1].result.pts_s - self.frames[0].result.pts_s + self.period_s


@dataclass(frozen=True, slots=True)
class Drawn:
    """What one frame comes to. `hit`: whether a mark lies on its polyp, None without one. `marked`, `seen`:
    the tracks that are drawn, and all that are seen."""

    at_s: float
    is_on: bool
    hit: bool | None = None
    marked: frozenset[int] = frozenset()
    seen: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Of one recording. Figures that it cannot have are None.

    `changes`: on to off and back. `polyp_frames`, `hit_frames`: that show a labelled polyp, and of these with
    a mark on it. `first_mark_ms`: from the first frame with a polyp to the first mark on it, 0 is at once.
    `confirmation_ms`: of each finding of a recording with a polyp, from first seen to first drawn.
    `false_activations`: runs of on frames of a polyp-free recording that last at least so many seconds.
    """

    name: str
    frames: int
    seconds: float
    on_share: float
    changes: int
    polyp_frames: int = 0
    hit_frames: int = 0
    first_mark_ms: float | None = None
    confirmation_ms: tuple[float, ...] = ()
    false_activations: dict[float, int] | None = None

    @property
    def hit_share(self) -> float | None:
        return self.hit_frames / self.polyp_frames if self.polyp_frames else None

    @property
    def changes_per_s(self) -> float:
        return self.changes / self.seconds


def behaviour(name: str, drawn: Sequence[Drawn], period_s: float, polyp_free: bool) -> Behaviour:
    """Of the frames of one recording, in order."""
    on = [frame.is_on for frame in drawn]
    runs_s = [len(list(run)) * period_s for is_on, run in groupby(on) if is_on]
    shown = [frame for frame in drawn if frame.hit is not None]
    hits = [frame for frame in shown if frame.hit]
    return Behaviour(
        name=name,
        frames=len(on),
        seconds=drawn[-1].at_s - drawn[0].at_s + period_s,
        on_share=float(np.mean(on)),
        changes=sum(a != b for a, b in pairwise(on)),
        polyp_frames=len(shown),
        hit_frames=len(hits),
        first_mark_ms=round((hits[0].at_s - shown[0].at_s) * 1000.0, 1) if hits else None,
        confirmation_ms=() if polyp_free else _confirmations(drawn),
        false_activations=(
            {least: sum(run >= least - EXACT_S for run in runs_s) for least in LONG_S} if polyp_free else None
        ),
    )


def _confirmations(drawn: Sequence[Drawn]) -> tuple[float, ...]:
    seen_s: dict[int, float] = {}
    drawn_s: dict[int, float] = {}
    for frame in drawn:
        for track in frame.seen:
            seen_s.setdefault(track, frame.at_s)
        for track in frame.marked:
            drawn_s.setdefault(track, frame.at_s)
    return tuple(round((at_s - seen_s[track]) * 1000.0, 1) for track, at_s in sorted(drawn_s.items()))


def watch(model: ModelFolder, recording: Recording) -> Behaviour:
    """At the standard preset, as the card says. Raises FaultError as `judged_frames`."""
    point = model.card.points["standard"]
    with closing(open_judge(model, point, runtime=usual_runtime(), precision=PRECISION)) as judge:
        looked = look(recording, judge, model.card.region)
    return behaviour_at(looked, point)


def look(recording: Recording, judge: Judge, region: Region) -> Looked:
    """Judge every frame. Raises FaultError as `judged_frames`; ValueError where masks and frames differ."""
    stills = len(recording.frames) > 1
    with ExitStack() as stack:
        spec = SourceSpec("file", str(recording.frames[0]))
        if stills:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            spec = SourceSpec("images", str(_in_order(recording.frames, folder / "stills")))
        source = stack.enter_context(closing(open_recording(spec)))
        frames = stack.enter_context(closing(judged_frames(source, judge, finder=finder_of(region, spec))))
        seen = tuple(frames)
    if stills:  # of a recording all the same
        seen = tuple(_in_video(frame, rank / STILLS_HZ) for rank, frame in enumerate(seen))
    truth = None if recording.truth is None else tuple(map(_polyp, recording.truth))
    if truth is not None and len(truth) != len(seen):
        raise ValueError(f"{len(truth)} masks for {len(seen)} frames of {recording.name}")
    return Looked(recording, seen, truth, _period_s(seen))


def _period_s(frames: Sequence[JudgedFrame]) -> float:
    """By their own time stamps: what a source says of its rate may change while it is read."""
    lasts_s = frames[-1].result.pts_s - frames[0].result.pts_s
    return round(lasts_s / (len(frames) - 1), 6) if lasts_s else 1.0 / STILLS_HZ


def behaviour_at(looked: Looked, point: OperatingPoint) -> Behaviour:
    """What the window would have drawn; without times in `point`, of each frame by itself."""
    truth = looked.truth or (None,) * len(looked.frames)
    drawn = [_drawn(frame, there) for frame, there in zip(_at(looked, point), truth, strict=True)]
    return behaviour(looked.recording.name, drawn, looked.period_s, looked.recording.polyp_free)


def _at(looked: Looked, point: OperatingPoint) -> Iterator[JudgedFrame]:
    frames = (replace(frame, result=replace(frame.result, point=point)) for frame in looked.frames)
    if point.follows:
        yield from tracked(frames, looked.period_s)
        return
    for frame in frames:
        size = frame.result.size
        patches = find_patches(frame.result.mask, size.width_px, size.height_px, point)
        yield replace(frame, result=replace(frame.result, components=components_of(patches)), patches=patches)


def _drawn(frame: JudgedFrame, there: U8 | None) -> Drawn:
    result = frame.result
    marked = _tracks(result.components)
    return Drawn(
        at_s=result.pts_s,
        is_on=bool(frame.patches),
        hit=None if there is None else _meets(frame.patches, there),
        marked=marked,
        seen=marked | _tracks(result.candidates),
    )


def _tracks(components: Sequence[Component]) -> frozenset[int]:
    return frozenset(component.track for component in components if component.track is not None)


def _in_order(frames: Sequence[Path], folder: Path) -> Path:
    """Copies whose names sort as the frames come."""
    folder.mkdir()
    for number, path in enumerate(frames):
        shutil.copyfile(path, folder / f"{number:05d}{path.suffix}")
    return folder


def _in_video(frame: JudgedFrame, at_s: float) -> JudgedFrame:
    return replace(frame, name=None, result=replace(frame.result, pts_s=at_s))


def _polyp(mask: Path | None) -> U8 | None:
    there = None if mask is None else read_mask(mask)
    return there if there is not None and there.any() else None


def _meets(patches: Sequence[Patch], there: U8) -> bool:
    if not patches:
        return False
    height_px, width_px = there.shape
    truth, lesions = blobs(there > 0, 0.0)
    guess, detections = blobs(pixels_of(patches, width_px, height_px), 0.0)
    return bool((ious_of(truth, lesions, guess, detections) >= HIT_IOU).any())
