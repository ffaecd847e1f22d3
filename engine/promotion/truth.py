"""What locked data show: a recording with a mask a frame, or images with a mask each.

A frame or image shows a polyp where its mask has any white pixel; a black mask, or none in an index, says
that it shows none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files as package_files
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from engine.drawing import rle
from engine.faults import FaultCode, FaultError
from engine.files.natural import natural
from engine.files.whole import read_json_lines
from engine.sources import IMAGE_SUFFIXES, VIDEO_SUFFIXES, parse_source
from engine.sources.base import SourceSpec
from engine.types import U8

INDEX, IMAGES, MASKS = "index.jsonl", "images", "masks"  # as distill's data folders have them
MASKS_BESIDE = "_masks"  # behind the recording's name: a folder with a mask a frame
TRAINED_ON = "train"  # a side of an index whose images are for training
INSIDE = 127
NO = "no-"  # what the label of an image without a polyp begins with

Shape = tuple[int, int]  # [h, w]
Truth = Callable[[int, Shape], U8 | None]


@dataclass(frozen=True, slots=True)
class Recording:
    """`truth`: of a frame by its rank and [h, w], uint8 [h, w] of 0 and 1, None without a polyp; raises
    FaultError DATA_SET. `frames`: how many masks there are, None where it is polyp-free. `files`: all that
    counts, by name.
    """

    name: str
    spec: SourceSpec
    truth: Truth
    frames: int | None
    files: tuple[tuple[str, Path], ...]


@dataclass(frozen=True, slots=True)
class Image:
    """`mask` None: no polyp. Images of one group may show the same one."""

    path: Path
    mask: Path | None
    group: str


@dataclass(frozen=True, slots=True)
class Images:
    """A folder of them; `files` as of a recording. `unsplit`: its index, where that does not say of each on
    which side it is: who trained beside it may have seen any of them."""

    name: str
    images: tuple[Image, ...]
    files: tuple[tuple[str, Path], ...]
    unsplit: Path | None = None


def demonstration() -> Recording:
    """The bundled one, with its rendered masks."""
    folder = Path(str(package_files("assets").joinpath("demo")))
    masks = folder / "demo.masks.jsonl"
    lines = [line["mask"] for line in read_json_lines(masks)]

    def truth(rank: int, shape: Shape) -> U8 | None:
        mask = lines[rank] if rank < len(lines) else None
        return None if mask is None else rle.decode(mask)

    counted = tuple((path.name, path) for path in (folder / "demo.mp4", masks))
    return Recording("demonstration", SourceSpec("demo", ""), truth, len(lines), counted)


def truth_of(path: Path, *, polyp_free: bool = False) -> Recording | Images:
    """What a file or folder shows. Raises FaultError DATA_SET where that is not known."""
    if path.is_file() and path.suffix.lower() in VIDEO_SUFFIXES:
        return _recording(path, polyp_free)
    if (path / INDEX).is_file():
        return _of_index(path)
    if (path / IMAGES).is_dir() and (path / MASKS).is_dir():
        return _of_pairs(path)
    if path.is_dir() and polyp_free:
        found = tuple(Image(one, None, one.stem) for one in _pictures(path))
        if found:
            return Images(path.name, found, tuple((one.path.name, one.path) for one in found))
    raise _unknown(path, "there is nothing" if not path.exists() else "what it shows is not known")


def read_mask(path: Path, shape: Shape) -> U8 | None:
    """uint8 [h, w] of 0 and 1, of its picture's shape; None for a black one. Raises FaultError DATA_SET."""
    try:
        pixels = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_GRAYSCALE)
    except (OSError, cv2.error):
        pixels = None
    if pixels is None:
        raise _wrong(path, "a mask", "a file that is no picture, or damaged")
    if pixels.shape != shape:
        raise _wrong(path, f"a mask of {shape[1]}x{shape[0]} px, as its picture", _size(pixels.shape))
    inside = pixels > INSIDE
    if pixels.any() and not inside.any():
        raise _wrong(path, "a mask in black and white", f"one whose brightest pixel is {pixels.max()}")
    return inside.astype(np.uint8) if inside.any() else None


def _recording(path: Path, polyp_free: bool) -> Recording:
    if polyp_free:
        only = ((path.name, path),)
        return Recording(path.name, parse_source(str(path)), lambda rank, shape: None, None, only)
    folder = path.with_name(path.stem + MASKS_BESIDE)
    masks = _pictures(folder)
    if not masks:
        raise _unknown(path, "what it shows is not known")

    def truth(rank: int, shape: Shape) -> U8 | None:
        if rank >= len(masks):
            raise _wrong(folder, "a mask a frame", f"{len(masks)} masks, and a frame {rank + 1}")
        return read_mask(masks[rank], shape)

    counted = ((path.name, path), *((f"{folder.name}/{mask.name}", mask) for mask in masks))
    return Recording(path.name, parse_source(str(path)), truth, len(masks), counted)


def _of_index(root: Path) -> Images:
    """The images of a data folder that were not for training; those that nobody labelled are left out."""
    try:
        rows = [row for row in read_json_lines(root / INDEX) if _counts(row)]
        found = tuple(_image(root, row) for row in rows)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _wrong(root / INDEX, "an index of images", str(error)) from error
    if not found:
        raise _wrong(root, "images that are not for training", f"none in {INDEX}")
    unsplit = root / INDEX if any(row.get("split") is None for row in rows) else None
    return Images(root.name, found, ((INDEX, root / INDEX), *_files_of(root, found)), unsplit)


def _counts(row: Mapping[str, Any]) -> bool:
    label = row.get("label")
    labelled = label is None or label == "polyp" or str(label).startswith(NO)
    return labelled and row.get("split") != TRAINED_ON


def _image(root: Path, row: Mapping[str, Any]) -> Image:
    return Image(root / row["image"], root / row["mask"] if row["mask"] else None, str(row["group"]))


def _of_pairs(root: Path) -> Images:
    masks = {mask.stem: mask for mask in _pictures(root / MASKS)}
    pictures = _pictures(root / IMAGES)
    alone = [one.name for one in pictures if one.stem not in masks]
    if alone or not pictures:
        raise _wrong(root, "a mask for each image", f"none for {alone[0]}" if alone else "no images")
    found = tuple(Image(one, masks[one.stem], one.stem) for one in pictures)
    return Images(root.name, found, _files_of(root, found))


def _files_of(root: Path, images: tuple[Image, ...]) -> tuple[tuple[str, Path], ...]:
    def each() -> Iterator[Path]:
        for image in images:
            yield image.path
            if image.mask is not None:
                yield image.mask

    return tuple((str(path.relative_to(root)), path) for path in each())


def _pictures(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    found = (one for one in folder.iterdir() if one.suffix.lower() in IMAGE_SUFFIXES)
    return sorted((one for one in found if not one.name.startswith(".")), key=lambda one: natural(one.name))


def _size(shape: tuple[int, ...]) -> str:
    return f"one of {shape[1]}x{shape[0]} px"


def _unknown(path: Path, why: str) -> FaultError:
    return FaultError(
        FaultCode.DATA_SET,
        expected=f"a video with masks in {path.stem}{MASKS_BESIDE}/, a folder with {INDEX}, or one with "
        f"{IMAGES}/ and {MASKS}/",
        got=why,
        remedy="add the masks, or say that it is polyp-free",
        said=f"{path} cannot be locked: {why}. Lock a video with a mask a frame in {path.stem}{MASKS_BESIDE} "
        f"beside it, a folder with {INDEX} (python main.py export VIDEO --format dataset makes one of what "
        f"is verified), or one with {IMAGES} and {MASKS}. Add --polyp-free where there is no polyp at all.",
    )


def _wrong(path: Path, expected: str, got: str) -> FaultError:
    return FaultError(
        FaultCode.DATA_SET,
        expected=expected,
        got=got,
        remedy="correct it, and lock it again",
        said=f"{path} cannot be used for the acceptance: expected {expected}, found {got}. "
        "Correct it, and lock it again.",
    )
