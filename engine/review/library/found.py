"""Which recordings lie in what a person chose or dropped: videos, also below, and folders of stills."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from engine.analysis.many.recordings import find_recordings, holds_pictures
from engine.faults import FaultError
from engine.files.natural import natural
from engine.review.library.queue import Wanted
from engine.review.places import SUFFIX


def recordings_in(paths: Sequence[Path], without: Path) -> list[Wanted]:
    """Of files and folders: every recording once. One that cannot be read says why; `without` holds results.

    Raises FaultError when there is none in all of it.
    """
    wanted: list[Wanted] = []
    refused: FaultError | None = None
    for path in paths:
        stills = [Wanted((folder,)) for folder in _stills_below(path)]
        try:
            videos = [
                Wanted((Path(one.source),), one.fault)
                for one in find_recordings([str(path)], without)
                if SUFFIX not in {part.suffix for part in (Path(one.source), *Path(one.source).parents)}
            ]
        except FaultError as fault:
            refused, videos = fault, []
        wanted += videos + [one for one in stills if one not in videos]
    if not wanted and refused is not None:
        raise refused
    return list(dict.fromkeys(wanted))


def _stills_below(path: Path) -> Iterator[Path]:
    """Folders that hold pictures, below a folder; what cannot be read is passed over."""
    if not path.is_dir():
        return
    for name, folders, _ in os.walk(path):
        folders[:] = sorted(
            (one for one in folders if not one.startswith(".") and not one.endswith(SUFFIX)), key=natural
        )
        folder = Path(name)
        if folder != path and holds_pictures(folder):
            yield folder.absolute()
