"""The recordings that a data folder has: its clips, and frames of its index that have an order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from distill.data.index import Index
from distill.data.splits import held_out_by
from engine.model_card import TrainingCard


@dataclass(frozen=True, slots=True)
class Recording:
    """A clip, or frames in order. `truth`: each frame's mask, None where it shows no polyp; None: unknown."""

    name: str
    frames: tuple[Path, ...]  # one video, or stills
    truth: tuple[Path | None, ...] | None
    polyp_free: bool = False


def recordings_of(training: TrainingCard, index: Index, validation: Sequence[int]) -> Iterator[Recording]:
    """The clips, then the recordings among the validation images.

    Where there are clips, the groups that the training kept out by name are left out: clips show them, and
    nothing is to be counted twice.
    """
    clips = list(clips_of(index.root))
    yield from clips
    shown = held_out_by(training).validation_groups if clips else ()
    yield from sequences_of(index, [i for i in validation if index.records[i].group not in shown])


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
