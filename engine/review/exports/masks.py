"""Pictures beside masks of the same name, 0 and 255."""

from __future__ import annotations

from engine.review.exports.export import Export, union
from engine.review.exports.pictures import write_png

MASKS = "masks"


def write(job: Export) -> None:
    """Raises FaultError, OSError."""
    (job.folder / MASKS).mkdir()
    for one, masks in job.frames():
        write_png(job.folder / MASKS / one.name, union(one, masks))
