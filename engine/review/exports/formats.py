"""TABLE of the formats that a recording is handed on in; the command line and the window show the same rows.

To add one: a module with a function that takes an Export, and its row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from engine.table import Entry


class Only(StrEnum):
    VERIFIED = "verified"  # frames that a person vouches for, also empty ones
    KEPT = "kept"  # frames of findings that a person keeps, with these alone
    ALL = "all"  # every frame with a mask, whoever made it, and those verified to be empty


class Look(StrEnum):
    """Of a clip."""

    RAW = "raw"
    OVERLAY = "overlay"
    SIDE = "side"


@dataclass(frozen=True, slots=True)
class Format:
    """`title`: what it is for, in words; `about`: what lies in its folder.

    only: what it can be asked for, the usual choice last.
    frames: it is made of the frames with masks; else it chooses its frames itself.
    pictures: pictures leave, and a contact sheet shows them first.
    """

    entry: Entry
    title: str
    about: str
    only: tuple[Only, ...] = (Only.VERIFIED, Only.KEPT, Only.ALL)
    frames: bool = True
    pictures: bool = True
    looks: bool = False


_FINDINGS = (Only.KEPT, Only.ALL)


def _of(module: str, extra: str | None = None) -> Entry:
    return Entry(f"engine.review.exports.{module}:write", extra=extra)


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "masks": Format(_of("masks"), "Pictures and masks", "pictures beside masks, and a table of them"),
        "coco": Format(
            _of("coco"), "Training elsewhere (COCO)", "pictures, and one JSON with run lengths and polygons"
        ),
        "yolo": Format(
            _of("yolo"), "Training elsewhere (YOLO)", "pictures, and a text with outlines for each"
        ),
        "cvat": Format(
            _of("cvat"), "Correcting in CVAT", "pictures, and one XML for video with a track an object"
        ),
        "dataset": Format(
            _of("dataset"), "Training here", "verified frames as distill prepare takes them", (Only.VERIFIED,)
        ),
        "clip": Format(
            _of("clip"),
            "Clip to show (MP4)",
            "one video with the times of the recording: raw, with overlay, or side by side",
            _FINDINGS,
            frames=False,
            looks=True,
        ),
        "snapshot": Format(
            _of("snapshot"),
            "Pictures of findings",
            "a picture, its mask and a JSON of each finding where it is largest",
            _FINDINGS,
            frames=False,
        ),
        "csv": Format(
            _of("tables"), "List of findings (CSV)", "a table, a row a finding", _FINDINGS, False, False
        ),
        "dicom": Format(
            _of("dicom", "dicom"),
            "Archive of key frames (DICOM)",
            "an endoscopic image of each finding where it is largest, and its segmentation",
            _FINDINGS,
            frames=False,
        ),
    }
)
