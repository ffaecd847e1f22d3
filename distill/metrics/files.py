"""Folders of pictures paired by stem, and how a map and a mask are read. Raises FaultError DATA_SET."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from distill.data.labelled import mask_of
from distill.data.masks import Agreement
from distill.data.pictures import read_picture as picture_file
from engine.faults import FaultCode, FaultError
from engine.sources import IMAGE_SUFFIXES
from engine.types import F32, U8

NAMED = 8  # files named in a fault; more are counted


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


def read_mask(path: Path, agreement: Agreement | None = None) -> U8:
    """uint8 [h, w] of 0 and 1, in the file's own geometry. `agreement`: of the masks read together."""
    return mask_of(path, agreement or Agreement()).binary


def read_grey(path: Path) -> U8:
    """uint8 [h, w], as it is to be shown."""
    return _read(path, colour=False)


def read_picture(path: Path) -> U8:
    """uint8 [h, w, 3] BGR, as it is to be shown."""
    return _read(path, colour=True)


def _read(path: Path, colour: bool) -> U8:
    try:
        return picture_file(path, colour).pixels
    except ValueError as error:
        raise FaultError(
            FaultCode.DATA_SET, expected=f"a picture at {path}", got=str(error), remedy="restore the file"
        ) from error


def named(names: Iterable[str]) -> str:
    """The first names, and how many more there are."""
    listed = list(names)
    more = f" and {len(listed) - NAMED} more" if len(listed) > NAMED else ""
    return ", ".join(listed[:NAMED]) + more
