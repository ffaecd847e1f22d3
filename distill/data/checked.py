"""What is found out about each sample that is prepared: its files read once, its mask laid on its picture."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from distill.data.fingerprint import Fingerprint, fingerprint
from distill.data.formats.samples import Problem, Sample
from distill.data.labelled import laid
from distill.data.mask_values import Value
from distill.data.masks import read_mask
from distill.data.pictures import read_picture
from engine.files.whole import sha256_of
from engine.sources.orientation import AS_STORED
from engine.types import U8


@dataclass(frozen=True, slots=True)
class Checked:
    """Facts of one sample; `print` is None where groups are final."""

    sample: Sample
    width_px: int
    height_px: int
    sha256: str
    has_polyp: bool
    mask: Path | None  # to be named in the index
    mask_sha256: str | None
    print: Fingerprint | None
    orientation: int
    value: Value | None  # how the mask has its polyp, where the file tells it
    given: Path  # the mask, or what it is drawn from


def check_all(
    samples: Sequence[Sample], aside: Path, negatives: bool, copy: bool, tick: Callable[[int, int], None]
) -> list[Checked | Problem]:
    """In the samples' order. `negatives`: a black mask is none; `copy`: pictures and masks go into `aside`.

    `tick` hears how many are done, of how many.
    """
    # One index has its groups; only what is added to it must be compared.
    hashing = len({sample.settled for sample in samples}) > 1 or any(not s.settled for s in samples)
    names = _target_names(samples)
    results: list[Checked | Problem] = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            for result in pool.map(
                lambda sample, name: _check(sample, name, aside, negatives, copy, hashing), samples, names
            ):
                results.append(result)
                tick(len(results), len(samples))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return results


def _target_names(samples: Sequence[Sample]) -> list[str]:
    """<set>/<stem>, numbered where a set has the same name twice."""
    seen: Counter[str] = Counter()
    names = []
    for sample in samples:
        name = f"{sample.set}/{sample.image.stem}"
        seen[name.lower()] += 1
        count = seen[name.lower()]
        names.append(name if count == 1 else f"{name}~{count}")
    return names


def _check(
    sample: Sample, name: str, aside: Path, negatives: bool, copy: bool, hashing: bool
) -> Checked | Problem:
    try:
        picture = read_picture(sample.image)
    except ValueError as error:
        return Problem(sample.image, str(error))
    height_px, width_px = picture.pixels.shape[:2]
    mask: Path | None = None
    mask_sha256: str | None = None
    has_polyp, value, exif = False, None, None
    if sample.mask is not None:
        try:
            given = read_mask(sample.mask)
        except ValueError as error:
            return Problem(sample.mask.path, f"{error} (the mask of {sample.image.name})")
        try:
            binary = laid(
                given,
                picture.pixels.shape,
                picture.orientation,
                sample.image.name,
                turned=sample.exif is not None,
            )
        except ValueError as error:
            return Problem(sample.mask.path, str(error))
        has_polyp, value = bool(binary.any()), given.value
        if has_polyp or not negatives:
            mask, mask_sha256 = sample.mask.path, given.sha256
            if picture.orientation != AS_STORED:
                mask_sha256, exif = None, picture.orientation
            if copy or mask_sha256 is None:
                mask = aside / "masks" / f"{name}.png"
                mask_sha256 = _write_png(mask, binary)
    target = sample.image
    if copy:
        target = aside / "images" / f"{name}{sample.image.suffix.lower()}"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(sample.image, target)
    return Checked(
        sample=replace(sample, image=target, exif=exif),
        width_px=width_px,
        height_px=height_px,
        sha256=picture.sha256,
        has_polyp=has_polyp,
        mask=mask,
        mask_sha256=mask_sha256,
        print=fingerprint(picture.pixels) if hashing else None,
        orientation=picture.orientation,
        value=value,
        given=sample.mask.path if sample.mask else sample.image,
    )


def _write_png(path: Path, binary: U8) -> str:
    """Its sha256."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _, data = cv2.imencode(".png", binary * np.uint8(255))
    path.write_bytes(data.tobytes())
    return sha256_of(path)
