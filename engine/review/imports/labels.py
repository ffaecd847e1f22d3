"""Masks that others drew, as human labels: folders of mask pictures, COCO, CVAT for video.

Other tools count frames in their own ways; here a frame is its rank in presentation order. What we exported
says it (`rank`); elsewhere it is the last number of a picture's name, or CVAT's frame, start and step.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import cv2
import numpy as np

from engine.drawing.polygon import pixels_inside
from engine.drawing.rle import Rle, decode
from engine.faults import FaultCode, FaultError
from engine.files.json_reader import read_json
from engine.review import acts
from engine.review.acts import Done, FrameState, frame_scope
from engine.review.edits import Edits, mask_act
from engine.types import U8, Size

Frames = dict[int, dict[int, U8]]  # by rank and label
INSIDE = 127
MOST_BYTES = 512 * 1024**2


def take_labels(edits: Edits, path: Path, size: Size, frames: int, *, verified: bool = False) -> int:
    """Keep the labels of a folder of masks, a COCO or a CVAT file as one stroke; how many frames they are of.

    `size`: the recording's, `frames`: how many it has. They are touched, or `verified` where a person vouches
    for them: a frame without a mask is verified empty then. Raises FaultError DATA_SET: nothing is kept.
    """
    name, read = _reader_of(path)
    try:
        found = read(path, size)
    except (OSError, ValueError, KeyError, TypeError, IndexError, ET.ParseError) as error:
        raise _unusable(path, str(error) or type(error).__name__) from error
    if not found:
        raise _unusable(path, "no label in it")
    beyond = [rank for rank in found if not 0 <= rank < frames]
    if beyond:
        raise _unusable(path, f"frame {beyond[0]}, where the recording has {frames}")
    some: list[Done] = []
    for rank, masks in sorted(found.items()):
        some.append(Done(acts.CLEAR, frame_scope(rank), {}))
        some += [mask_act(rank, label, mask, name) for label, mask in sorted(masks.items())]
        if verified:
            state = FrameState.VERIFIED if masks else FrameState.EMPTY
            some.append(Done(acts.STATE, frame_scope(rank), {"state": state.value}))
    edits.do(some)
    return len(found)


def _reader_of(path: Path) -> tuple[str, Callable[[Path, Size], Frames]]:
    if path.is_dir():
        return "masks", _masks
    if path.suffix.lower() == ".json":
        return "coco", _coco
    if path.suffix.lower() == ".xml":
        return "cvat", _cvat
    raise _unusable(path, "neither a folder of masks nor a .json or .xml file")


def _masks(folder: Path, size: Size) -> Frames:
    found: Frames = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in (".png", ".bmp", ".tif", ".tiff"):
            continue
        pixels = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_GRAYSCALE)
        if pixels is None:
            raise ValueError(f"{path.name} is no picture")
        mask = (np.asarray(pixels) > (INSIDE if pixels.max(initial=0) > 1 else 0)).astype(np.uint8)
        _check(mask, size, path.name)
        found[_number(path.name)] = {1: mask} if mask.any() else {}
    return found


def _coco(path: Path, size: Size) -> Frames:
    said: Mapping[str, Any] = read_json(path, MOST_BYTES)
    ranks, corners, found = {}, {}, Frames()
    for image in said["images"]:
        rank = int(image["rank"]) if "rank" in image else _number(image["file_name"])
        ranks[image["id"]] = rank
        corners[image["id"]] = image.get("crop", [0, 0, image["width"], image["height"]])
        found[rank] = {}
    for annotation in said["annotations"]:
        rank = ranks[annotation["image_id"]]
        x, y, wide, high = corners[annotation["image_id"]]
        part = _of_coco(annotation["segmentation"], Size(wide, high))
        masks = found[rank]
        label = int(annotation.get("track_id", len(masks) + 1))
        _join(masks, label, _placed(part, x, y, size))
    return found


def _of_coco(outline: Any, size: Size) -> U8:
    if isinstance(outline, list):
        return _polygons([np.reshape(line, (-1, 2)) for line in outline], size)
    counts = outline["counts"]
    if isinstance(counts, str):
        return decode(Rle(size=list(outline["size"]), counts=counts))
    values = (np.arange(len(counts)) % 2).astype(np.uint8)
    high, wide = outline["size"]
    return np.repeat(values, counts).reshape(wide, high).T


def _cvat(path: Path, size: Size) -> Frames:
    """CVAT for video: a track an object, a shape a frame; a shape stands until the next one of its track."""
    data = path.read_bytes()
    if b"<!ENTITY" in data:  # CVAT writes none, and they can be made to fill the memory
        raise ValueError("entities, which CVAT does not write")
    root = ET.fromstring(data)
    start = int(root.findtext(".//task/start_frame", "0") or 0)
    step = re.findall(r"\d+", root.findtext(".//task/frame_filter", "") or "")
    by = int(step[-1]) if step else 1
    corner = [int(n) for n in re.findall(r"\d+", root.findtext(".//polyplive/crop", "") or "")]
    x, y, wide, high = corner or [0, 0, size.width_px, size.height_px]
    found: Frames = {}
    for label, track in enumerate(root.iter("track"), 1):
        for shape in track:
            if shape.get("outside") == "1" or shape.tag not in ("polygon", "mask"):
                continue
            rank = int(shape.get("rank", start + by * int(shape.attrib["frame"])))
            part = _shape(shape, Size(wide, high))
            masks = found.setdefault(rank, {})
            _join(masks, label, _placed(part, x, y, size))
    return found


def _shape(shape: ET.Element, size: Size) -> U8:
    if shape.tag == "polygon":
        pairs = [pair.split(",") for pair in shape.attrib["points"].split(";")]
        return _polygons([np.asarray(pairs, np.float64)], size)
    left, top, wide, high = (int(shape.attrib[key]) for key in ("left", "top", "width", "height"))
    lengths = [int(length) for length in shape.attrib["rle"].split(",")]
    values = (np.arange(len(lengths)) % 2).astype(np.uint8)
    return _placed(np.repeat(values, lengths).reshape(high, wide), left, top, size)


def _polygons(lines: list[Any], size: Size) -> U8:
    mask = np.zeros((size.height_px, size.width_px), np.uint8)
    for line in lines:
        mask |= pixels_inside(np.asarray(line, np.float64), size.width_px, size.height_px)
    return mask


def _placed(part: U8, x: int, y: int, size: Size) -> U8:
    mask = np.zeros((size.height_px, size.width_px), np.uint8)
    place = mask[y : y + part.shape[0], x : x + part.shape[1]]
    if place.shape != part.shape:
        raise ValueError(f"a mask of {part.shape[1]}x{part.shape[0]} that reaches out of the frame")
    place |= part.astype(np.uint8)
    return mask


def _join(masks: dict[int, U8], label: int, mask: U8) -> None:
    masks[label] = mask | masks[label] if label in masks else mask


def _check(mask: U8, size: Size, name: str) -> None:
    if mask.shape != (size.height_px, size.width_px):
        wanted = f"{size.width_px}x{size.height_px}"
        raise ValueError(f"{name} has {mask.shape[1]}x{mask.shape[0]} pixels, the recording {wanted}")


def _number(name: str) -> int:
    numbers = re.findall(r"\d+", Path(name).stem)
    if not numbers:
        raise ValueError(f"{name} does not say which frame it is of")
    return int(numbers[-1])


def _unusable(path: Path, why: str) -> FaultError:
    return FaultError(
        FaultCode.DATA_SET,
        expected=f"labels of this recording in {path}",
        got=why,
        remedy="name a folder of masks, a COCO file or a CVAT file (for video) of this recording",
        said=f"The labels in {path.name} cannot be taken ({why}). Name a folder of masks, a COCO file or "
        "a CVAT file (for video) of this recording.",
    )
