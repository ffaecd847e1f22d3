"""How a model behaves over time: flicker, first detection, false activations. Measured as `analyse` does.

A frame is *on* where the model's standard preset finds anything: what the window draws, frame by frame.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import groupby, pairwise, repeat
from pathlib import Path

import numpy as np

from distill.data.index import Index
from distill.judging.live_path import PRECISION
from distill.metrics.files import read_mask
from distill.metrics.lesions import blobs, ious_of
from engine.analysis.judged import JudgedFrame, open_judge, open_recording
from engine.analysis.tracked import watched
from engine.drawing.components import pixels_of
from engine.model_folder import ModelFolder
from engine.runtime import usual_runtime
from engine.sources.base import SourceSpec

LONG_S = (0.0, 0.5, 1.0, 2.0)
HIT_IOU = 0.1
STILLS_HZ = 5.0  # of frames that came as stills: what the data's own clips of such sequences are given


@dataclass(frozen=True, slots=True)
class Recording:
    """A clip, or frames in order. `truth`: each frame's mask, None where it shows no polyp; None: unknown."""

    name: str
    frames: tuple[Path, ...]  # one video, or stills
    truth: tuple[Path | None, ...] | None
    polyp_free: bool = False


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Of one sequence. Figures that it cannot have are None.

    `changes_per_s`: on to off and back; `first_hit_frames`: from the first frame with a polyp to the first
    hit, 0 is at once; `hit_share`: of the frames with a polyp; `false_activations_per_min`: runs of on frames
    of a polyp-free sequence that last at least so many seconds.
    """

    name: str
    frames: int
    duration_s: float
    on_share: float
    changes_per_s: float
    hit_share: float | None
    first_hit_frames: int | None
    false_activations_per_min: dict[float, float] | None


def behaviour(
    name: str, on: Sequence[bool], hits: Sequence[bool | None] | None, rate_hz: float, polyp_free: bool
) -> Behaviour:
    """hits: of each frame with a polyp whether it was hit, None where the frame shows none."""
    duration_s = len(on) / rate_hz
    changes = sum(a != b for a, b in pairwise(on))
    runs_s = [len(list(run)) / rate_hz for is_on, run in groupby(on) if is_on]
    shown = [] if hits is None else [number for number, hit in enumerate(hits) if hit is not None]
    found = [] if hits is None else [number for number in shown if hits[number]]
    return Behaviour(
        name=name,
        frames=len(on),
        duration_s=duration_s,
        on_share=float(np.mean(on)),
        changes_per_s=changes / duration_s,
        hit_share=len(found) / len(shown) if shown else None,
        first_hit_frames=found[0] - shown[0] if found else None,
        false_activations_per_min=(
            {least: sum(run >= least for run in runs_s) * 60 / duration_s for least in LONG_S}
            if polyp_free
            else None
        ),
    )


def watch(model: ModelFolder, sequence: Recording) -> Behaviour:
    """Judge every frame and measure. Raises FaultError as `judged_frames`."""
    stills, truth = len(sequence.frames) > 1, sequence.truth
    with ExitStack() as stack:
        spec = SourceSpec("file", str(sequence.frames[0]))
        if stills:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            spec = SourceSpec("images", str(_in_order(sequence.frames, folder / "stills")))
        source = stack.enter_context(closing(open_recording(spec)))
        point = model.card.points["standard"]
        judge = stack.enter_context(
            closing(open_judge(model, point, runtime=usual_runtime(), precision=PRECISION))
        )
        frames = stack.enter_context(closing(watched(source, judge, spec, model.card.region)))
        seen = [
            (frame.result.pts_s, bool(frame.patches), _hit(frame, mask))
            for frame, mask in zip(frames, truth or repeat(None), strict=truth is not None)
        ]
        duration_s = source.info.duration_s or seen[-1][0] - seen[0][0]
    rate_hz = STILLS_HZ if stills else len(seen) / duration_s
    on, hits = [is_on for _, is_on, _ in seen], [hit for _, _, hit in seen]
    return behaviour(sequence.name, on, None if truth is None else hits, rate_hz, sequence.polyp_free)


def clips_of(root: Path) -> Iterator[Recording]:
    """The data folder's own clips; `polyp_free*` are that, NAME_masks/ holds a mask a frame."""
    for path in sorted((root / "clips").glob("*.mp4")):
        masks = root / "clips" / f"{path.stem}_masks"
        truth = tuple(sorted(masks.glob("*.png"))) if masks.is_dir() else None
        yield Recording(path.stem, (path,), truth, path.stem.startswith("polyp_free"))


def sequences_of(index: Index, positions: Sequence[int]) -> Iterator[Recording]:
    """The recordings among those images whose frames have an order: one a group."""
    rows = [index.records[i] for i in positions if index.records[i].frame is not None]
    rows.sort(key=lambda row: (row.set, row.group, row.frame or 0))
    for (_, group), members in groupby(rows, key=lambda row: (row.set, row.group)):
        frames = list(members)
        if len(frames) > 1:
            truth = tuple(index.root / row.mask if row.mask else None for row in frames)
            pictures = tuple(index.root / row.image for row in frames)
            yield Recording(group, pictures, truth, all(row.has_no_polyp for row in frames))


def _in_order(frames: Sequence[Path], folder: Path) -> Path:
    """Copies whose names sort as the frames come."""
    folder.mkdir()
    for number, path in enumerate(frames):
        shutil.copyfile(path, folder / f"{number:05d}{path.suffix}")
    return folder


def _hit(frame: JudgedFrame, mask: Path | None) -> bool | None:
    there = None if mask is None else read_mask(mask) > 0
    if there is None or not there.any():
        return None
    if not frame.patches:
        return False
    size = frame.result.size
    truth, lesions = blobs(there, 0.0)
    guess, detections = blobs(pixels_of(frame.patches, size.width_px, size.height_px), 0.0)
    return bool((ious_of(truth, lesions, guess, detections) >= HIT_IOU).any())
