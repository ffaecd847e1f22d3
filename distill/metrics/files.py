"""Folders of pictures paired by stem, and how a map and a mask are read. Raises FaultError DATA_SET."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from engine.faults import FaultCode, FaultError
from engine.sources import IMAGE_SUFFIXES
from engine.types import F32, U8

NAMED = 8  # files named in a fault; more are counted
BACKGROUND = 31  # the brightest that a compressed black mask gets


@dataclass(frozen=True, slots=True)
class Pair:
    """Two files of one stem."""

    stem: str
    path: Path
    mask: Path


def pair_by_stem(folder: Path, masks: Path) -> tuple[Pair, ...]:
    """Every picture of `folder` with the mask of its stem, by name; suffixes may differ.

    Raises FaultError DATA_SET: a file of either folder without its partner, two files of one stem, or none.
    """
    first, second = pictures_in(folder), pictures_in(masks)
    alone = [first[stem] for stem in first if stem not in second]
    alone += [second[stem] for stem in second if stem not in first]
    if alone:
        raise FaultError(
            FaultCode.DATA_SET,
            expected=f"the same names in {folder} and {masks}",
            got=f"{named(str(path) for path in alone)} without a partner",
            remedy="add the missing files, or take these away",
        )
    return tuple(Pair(stem, path, second[stem]) for stem, path in first.items())


def pictures_in(folder: Path) -> dict[str, Path]:
    """The pictures of a folder by stem, sorted. Raises FaultError DATA_SET: none, or two of one stem."""
    if not folder.is_dir():
        raise FaultError(
            FaultCode.DATA_SET, expected=f"a folder at {folder}", got="none", remedy="correct the name"
        )
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        # Names that start with a dot are what macOS leaves beside pictures on foreign drives.
        if path.suffix.lower() not in IMAGE_SUFFIXES or path.name.startswith(".") or not path.is_file():
            continue
        if path.stem in found:
            raise FaultError(
                FaultCode.DATA_SET,
                expected=f"one picture named {path.stem} in {folder}",
                got=f"{found[path.stem].name} and {path.name}",
                remedy="take one of them away",
            )
        found[path.stem] = path
    if not found:
        raise FaultError(
            FaultCode.DATA_SET,
            expected=f"pictures in {folder} ({', '.join(sorted(IMAGE_SUFFIXES))})",
            got="none",
            remedy="choose another folder",
        )
    return found


def read_map(path: Path) -> F32:
    """A grey picture as probabilities, float32 [h, w]: value / 255."""
    return read_grey(path).astype(np.float32) / np.float32(255)


def read_mask(path: Path) -> U8:
    """uint8 [h, w] of 0 and 1: over 127 is polyp.

    A picture of which nothing is over 127 and something is not black either is refused: a mask of 0 and 1, or
    in colours, would count as a negative.
    """
    grey = read_grey(path)
    highest = int(grey.max())
    if highest == 1 or BACKGROUND < highest <= 127:
        raise FaultError(
            FaultCode.DATA_SET,
            expected=f"a mask of 0 and 255 in {path}",
            got=f"one whose highest value is {highest}",
            remedy="write polyps as 255, or import the set with: python -m distill prepare",
        )
    return (grey > 127).astype(np.uint8)


def read_grey(path: Path) -> U8:
    """uint8 [h, w]."""
    return _read(path, cv2.IMREAD_GRAYSCALE)


def read_picture(path: Path) -> U8:
    """uint8 [h, w, 3] BGR."""
    return _read(path, cv2.IMREAD_COLOR)


def _read(path: Path, flag: int) -> U8:
    try:
        # Not imread: on Windows it opens no name beyond ASCII. Stored pixels, as the live path takes them.
        picture = cv2.imdecode(np.fromfile(path, np.uint8), flag | cv2.IMREAD_IGNORE_ORIENTATION)
    except (OSError, cv2.error):
        picture = None
    if picture is None:
        raise FaultError(
            FaultCode.DATA_SET,
            expected=f"a picture at {path}",
            got="none that can be read",
            remedy="restore the file",
        )
    return picture.astype(np.uint8, copy=False)


def named(names: Iterable[str]) -> str:
    """The first names, and how many more there are."""
    listed = list(names)
    more = f" and {len(listed) - NAMED} more" if len(listed) > NAMED else ""
    return ", ".join(listed[:NAMED]) + more
