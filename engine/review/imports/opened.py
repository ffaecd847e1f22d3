"""Labels of others for a recording that is not open: `python main.py review VIDEO --labels PATH`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from engine.analysis.judged import open_recording
from engine.review.analysis import check_readable, check_writable, spec_of
from engine.review.edits import Edits
from engine.review.imports.labels import take_labels
from engine.review.library.index import Library
from engine.review.places import Places
from engine.review.store import SideCar, open_side_car
from engine.types import Size


def bring_in(paths: Sequence[Path], places: Places, labels: Path) -> int:
    """Into the side-car, as one stroke that can be undone; how many frames they are of.

    Raises FaultError: the recording or its side-car cannot be used, DATA_SET (the labels): nothing is kept.
    """
    known = Library().side_car_of
    with open_side_car(paths, places, seen=False, known=known, check=check_readable) as car:
        check_writable(car)
        size, frames = _measured(car)
        return take_labels(Edits(car.database), labels, size, frames)


def _measured(car: SideCar) -> tuple[Size, int]:
    """Of the recording; one that was not analysed yet is read through."""
    recording = car.recording
    if recording.size is not None and recording.frames is not None:
        return recording.size, recording.frames
    with closing(open_recording(spec_of(car))) as source:
        size, frames = Size(0, 0), 0
        while (picture := source.read()) is not None:
            size, frames = Size(picture.width_px, picture.height_px), frames + 1
    return size, frames
