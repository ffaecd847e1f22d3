"""An image with its mask, as every verb reads them: turned alike, of one size, and what the index says.

The rule for EXIF: a picture is shown turned as its EXIF says, everywhere. A mask that is a picture was drawn
on the stored pixels, unless it has the size of the turned ones; outlines were drawn in a tool that shows the
picture turned, unless they have the size of the stored ones. A mask with an EXIF turn of its own has been
turned by it. An index whose line has `exif` names masks that `prepare` has turned.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from distill.data.index import UNLABELLED, Record
from distill.data.masks import Agreement, Mask, MaskFile, read_mask
from distill.data.pictures import PictureFile, read_picture
from engine.faults import FaultCode, FaultError
from engine.sources.orientation import AS_STORED, oriented
from engine.types import U8


@dataclass(frozen=True, slots=True)
class Labelled:
    """`image` uint8 [h, w, 3] RGB, `mask` uint8 [h, w] of 0 and 1."""

    image: U8
    mask: U8


def laid(mask: Mask, shown: tuple[int, ...], orientation: int, name: str, *, turned: bool = False) -> U8:
    """The mask in the geometry of the picture as it is shown, uint8 [h, w] of 0 and 1.

    shown: [h, w] of the picture `name` after the turn by `orientation`, which its EXIF asks for.

    `turned`: it is known to be in that already. Raises ValueError when it has neither size.
    """
    stored = shown if orientation <= 4 else shown[::-1]
    binary = mask.binary
    if orientation != AS_STORED and not (turned or mask.turned):
        fits_shown, fits_stored = binary.shape == shown, binary.shape == stored
        if fits_stored and (mask.on_stored or not fits_shown):
            binary = oriented(binary, orientation).astype(np.uint8)
    if binary.shape != shown:
        raise ValueError(f"a mask of {_size(binary.shape)} for {name} of {_size(shown)}")
    return binary


def read_labelled(root: Path, record: Record, agreement: Agreement) -> Labelled:
    """Raises FaultError DATA_SET: a file that cannot be read, that is not the one that was indexed, or whose
    mask says something else than the index, or cannot be known; an unlabelled image."""
    if record.label == UNLABELLED:
        raise _unusable(
            f"{record.image} is unlabelled: nobody has said whether it shows a polyp",
            "a label",
            "Leave it out of what is trained on or judged",
        )
    path = root / record.image
    picture = _checked(root, record)
    image = _rgb(picture)
    if record.mask is None:
        return Labelled(image, np.zeros(image.shape[:2], np.uint8))
    mask = mask_of(root / record.mask, agreement, record.mask_sha256)
    try:
        laid_out = laid(mask, image.shape[:2], picture.orientation, path.name, turned=record.exif is not None)
    except ValueError as error:
        raise _unusable(f"{root / record.mask} does not fit its image: {error}", "one size") from error
    if record.has_no_polyp and laid_out.any():
        raise _unusable(f"{root / record.mask} has a polyp, and the index says {record.label}", "one of them")
    if record.label == record.task and not laid_out.any():
        raise _unusable(f"{root / record.mask} is black, and the index says {record.label}", "one of them")
    return Labelled(image, laid_out)


def read_image(root: Path, record: Record) -> U8:
    """uint8 [h, w, 3] RGB, whatever is known of its mask. Raises FaultError DATA_SET as `read_labelled`."""
    return _rgb(_checked(root, record))


def mask_of(path: Path, agreement: Agreement, sha256: str | None = None) -> Mask:
    """A mask that must tell by itself what its polyp is. Raises FaultError DATA_SET, with its name."""
    try:
        mask = read_mask(MaskFile(path))
        agreement.check(path, mask.value)
    except ValueError as error:
        raise _unusable(
            f"Which part of the mask {path} is the polyp cannot be known: {error}",
            "one class on black",
            "Name the polyp's value when you import the set: python -m distill prepare --label VALUE",
        ) from error
    _same_file(path, mask.file_sha256, sha256)
    return mask


def _checked(root: Path, record: Record) -> PictureFile:
    try:
        picture = read_picture(root / record.image, colour=True)
    except ValueError as error:
        raise _unusable(f"{root / record.image} cannot be used: {error}", "a picture") from error
    _same_file(root / record.image, picture.sha256, record.sha256)
    return picture


def _rgb(picture: PictureFile) -> U8:
    return cv2.cvtColor(picture.pixels, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)


def _same_file(path: Path, there: str | None, indexed: str | None) -> None:
    if indexed is not None and there != indexed:
        raise _unusable(
            f"{path} is not the file that was indexed",
            f"sha256 {indexed[:12]} and not {str(there)[:12]}",
            "Restore it, or make the index again: python -m distill prepare",
        )


def _unusable(
    what: str, expected: str, remedy: str = "Correct it, or drop the image from the index"
) -> FaultError:
    return FaultError(
        FaultCode.DATA_SET, expected=expected, got=what, remedy=remedy, said=f"{what}. {remedy}."
    )


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[1]}x{shape[0]}"
