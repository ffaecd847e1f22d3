"""YOLO segmentation: a text for each picture, a line an object, corners as shares of the picture."""

from __future__ import annotations

from engine.drawing.polygon import outline_of
from engine.files.whole import write_text
from engine.review.exports.export import Export

TRAIN = "images/train"


def write(job: Export) -> None:
    """Raises FaultError, OSError."""
    labels = job.folder / "labels" / "train"
    labels.mkdir(parents=True)
    count = 0
    for one, masks in job.frames(TRAIN):
        lines = []
        for mask in masks.values():
            shares = (outline_of(mask) / [one.width_px, one.height_px]).ravel()
            lines.append(" ".join(["0", *(f"{share:.6f}" for share in shares)]))
        count += len(lines)
        write_text(labels / f"{one.name.removesuffix('.png')}.txt", "".join(f"{line}\n" for line in lines))
    write_text(job.folder / "data.yaml", f"path: .\ntrain: {TRAIN}\nval: {TRAIN}\nnames:\n  0: polyp\n")
    job.counts["masks"] = count
