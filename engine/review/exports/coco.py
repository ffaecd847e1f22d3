"""COCO: one JSON beside the pictures, in folders with COCO's own names.

`segmentation` has run lengths, which are exact, `polygons` outlines.

Besides COCO's own keys an image has `rank`, `pts_s` and `sha256` (of its pixels), an annotation `track_id`.
"""

from __future__ import annotations

import json
from typing import Any

import cv2

from engine.drawing.polygon import outlines_of
from engine.drawing.rle import encode
from engine.files.whole import write_text
from engine.review.exports.export import Export

ANNOTATIONS = "annotations"
NAME = "instances_default.json"


def write(job: Export) -> None:
    """Raises FaultError, OSError."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    box = job.cut.box
    for number, (one, masks) in enumerate(job.frames(), 1):
        images.append(
            {
                "id": number,
                "file_name": one.name,
                "width": one.width_px,
                "height": one.height_px,
                "rank": one.frame.rank,
                "pts_s": round(one.frame.pts_s, 6),
                "sha256": one.sha256,
                "crop": [box.x, box.y, box.w, box.h],
                "state": one.frame.state.value,
            }
        )
        for object_, mask in masks.items():
            lines = [line.round(3).ravel().tolist() for line in outlines_of(mask)]
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": 1,
                    "iscrowd": 0,
                    "area": int(cv2.countNonZero(mask)),
                    "bbox": list(cv2.boundingRect(mask)),
                    "segmentation": encode(mask),
                    "polygons": lines,
                    "track_id": object_,
                }
            )
    value = {
        "info": {"description": job.code, "contributor": "polyplive", "version": "1"},
        "licenses": [],
        "categories": [{"id": 1, "name": "polyp", "supercategory": "finding"}],
        "images": images,
        "annotations": annotations,
    }
    (job.folder / ANNOTATIONS).mkdir()
    write_text(job.folder / ANNOTATIONS / NAME, json.dumps(value, separators=(",", ":")) + "\n")
    job.counts["masks"] = len(annotations)
