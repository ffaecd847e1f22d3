"""`audit`: what in a data folder would spoil a training or its figures, and which images it would drop."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

from distill.data.fingerprint import Fingerprint, fingerprint, near_pairs
from distill.data.index import Record
from distill.data.labelled import laid
from distill.data.mask_values import WHITE, Value
from distill.data.masks import Agreement, Mask, MaskFile, read_mask
from distill.data.pictures import PictureFile, read_picture
from distill.data.splits import TEST, TRAIN, VALIDATION, Split
from engine.sources.orientation import AS_STORED, WORDS
from engine.types import U8

Tick = Callable[[int, int], None]  # done, of how many

INVERTED_FRAC = 0.5  # of the frame is polyp
INVERTED_EDGE_FRAC = 0.9  # and of its four edges
DARK, BRIGHT = 32, 223  # grey between them is neither polyp nor none; compression and scaling make a little
GREY_FRAC = 0.25  # of all that is not dark
GREY_FRAME_FRAC = 0.005  # and of the frame: a small polyp has much outline


class Kind(StrEnum):
    UNREADABLE = "unreadable"
    CHANGED = "changed"
    MASK_SIZE = "mask-size"
    MASK_EMPTY = "mask-empty"
    MASK_INVERTED = "mask-inverted"
    MASK_NOT_BINARY = "mask-not-binary"
    LABEL = "label"
    EXIF = "exif"
    DUPLICATE_FILE = "duplicate-file"
    NEAR_DUPLICATE = "near-duplicate-across-split"
    NEAR_DUPLICATE_GROUPS = "near-duplicate-across-groups"
    GROUP_ACROSS = "group-across-split"


@dataclass(frozen=True, slots=True)
class Finding:
    """`image` as the index names it. `drop`: training and figures are better without that image."""

    kind: Kind
    image: str
    detail: str
    drop: bool


@dataclass(frozen=True, slots=True)
class Report:
    images: int
    findings: tuple[Finding, ...]

    @property
    def drop(self) -> tuple[str, ...]:
        """The images to be dropped, each once."""
        return tuple(dict.fromkeys(finding.image for finding in self.findings if finding.drop))


@dataclass(frozen=True, slots=True)
class _Seen:
    """One record looked at; `print` and `sha256` None where its picture cannot be read."""

    findings: tuple[Finding, ...]
    print: Fingerprint | None = None
    sha256: str | None = None
    value: Value | None = None  # how its mask has the polyp


def audit(
    root: Path, records: Sequence[Record], split: Split | None, tick: Tick = lambda done, of: None
) -> Report:
    """Look at every image and mask of the records.

    `split` None: the lists in the index are the sides; without lists, near-duplicates in two groups are told,
    because a grouped split may part them.
    """
    seen: list[_Seen] = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            for one in pool.map(lambda record: _look(root, record), records):
                seen.append(one)
                tick(len(seen), len(records))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    sides = sides_of(records, split)
    findings = [finding for one in seen for finding in one.findings]
    findings += _other_values(root, records, seen)
    findings += _duplicate_files(records, seen, sides)
    findings += _near_duplicates(records, seen, sides)
    findings += _groups_across(records, sides)
    return Report(len(records), tuple(findings))


def sides_of(records: Sequence[Record], split: Split | None) -> Mapping[int, str]:
    """Position -> train, validation or test; images on no side are left out."""
    if split is None:
        return {at: record.split for at, record in enumerate(records) if record.split is not None}
    named = ((TRAIN, split.train), (VALIDATION, split.validation), (TEST, split.test))
    return {at: side for side, positions in named for at in positions}


def mask_fault(mask: U8, read: Mask) -> tuple[Kind, str] | None:
    """What is wrong with a mask file's grey values, uint8 [h, w], if anything; `read`: as it was read."""
    polyp = read.binary > 0
    lit = int((mask >= DARK).sum())
    grey = lit - int((mask > BRIGHT).sum())
    if lit and read.value == WHITE and grey > GREY_FRAC * lit and grey > GREY_FRAME_FRAC * mask.size:
        return Kind.MASK_NOT_BINARY, f"{grey / lit:.0%} of what is not black is grey"
    if not polyp.any():
        return Kind.MASK_EMPTY, "no polyp in it; if that is so, its mask in the index should be null"
    edge = np.concatenate([polyp[0], polyp[-1], polyp[:, 0], polyp[:, -1]])
    if polyp.mean() > INVERTED_FRAC and edge.mean() > INVERTED_EDGE_FRAC:
        return (
            Kind.MASK_INVERTED,
            f"{polyp.mean():.0%} of the frame and {edge.mean():.0%} of its edges are polyp",
        )
    return None


def _look(root: Path, record: Record) -> _Seen:
    findings: list[Finding] = []

    def tell(kind: Kind, detail: str) -> None:
        findings.append(Finding(kind, record.image, detail, drop=True))

    def read(name: str, sha256: str | None) -> PictureFile | None:
        try:
            file = read_picture(root / name)
        except ValueError as error:
            tell(Kind.UNREADABLE, f"{name}: {error}")
            return None
        if sha256 is not None and file.sha256 != sha256:
            tell(Kind.CHANGED, f"{name} is not the file that was indexed")
        return file

    picture = read(record.image, record.sha256)
    grey = read(record.mask, record.mask_sha256) if record.mask is not None else None
    value = None
    if grey is not None and record.mask is not None:
        try:
            mask = read_mask(MaskFile(root / record.mask))
        except ValueError as error:
            tell(Kind.MASK_NOT_BINARY, str(error))
        else:
            value = mask.value
            if fault := mask_fault(grey.pixels, mask):
                tell(*fault)
            elif record.label is not None and record.has_no_polyp and mask.binary.any():
                tell(Kind.LABEL, f"called {record.label}, and its mask has a polyp")
            if picture is not None:
                try:
                    laid(
                        mask,
                        picture.pixels.shape,
                        picture.orientation,
                        record.image,
                        turned=record.exif is not None,
                    )
                except ValueError as error:
                    tell(Kind.MASK_SIZE, str(error))
    if picture is None:
        return _Seen(tuple(findings), value=value)
    if picture.orientation != AS_STORED and record.mask is not None and record.exif is None:
        detail = f"{WORDS[picture.orientation]} by its EXIF, and nothing says whether its mask is"
        findings.append(Finding(Kind.EXIF, record.image, detail, drop=False))
    return _Seen(tuple(findings), fingerprint(picture.pixels), picture.sha256, value)


# What is asked last is worth most: a test image stays, its twin in training goes.
_WORTH = {TEST: 3, VALIDATION: 2, TRAIN: 1}


def _other_values(root: Path, records: Sequence[Record], seen: Sequence[_Seen]) -> Iterator[Finding]:
    agreement = Agreement()
    for record, one in zip(records, seen, strict=True):
        try:
            agreement.check(root / (record.mask or ""), one.value)
        except ValueError as error:
            yield Finding(Kind.MASK_NOT_BINARY, record.image, str(error), drop=True)


def _duplicate_files(
    records: Sequence[Record], seen: Sequence[_Seen], sides: Mapping[int, str]
) -> Iterator[Finding]:
    # One picture may have a mask a task.
    same: dict[tuple[str, str], list[int]] = defaultdict(list)
    for at, one in enumerate(seen):
        if one.sha256 is not None:
            same[one.sha256, records[at].task].append(at)
    for positions in same.values():
        keep, *rest = sorted(positions, key=lambda at: -_WORTH.get(sides.get(at, ""), 0))
        for at in rest:
            detail = f"the same file as {records[keep].image}"
            yield Finding(Kind.DUPLICATE_FILE, records[at].image, detail, drop=True)


def _near_duplicates(
    records: Sequence[Record], seen: Sequence[_Seen], sides: Mapping[int, str]
) -> Iterator[Finding]:
    readable = [at for at, one in enumerate(seen) if one.print is not None]
    prints = [one.print for one in seen if one.print is not None]
    for pair in near_pairs(prints).tolist():
        first, second = readable[pair[0]], readable[pair[1]]
        if seen[first].sha256 == seen[second].sha256 and records[first].task == records[second].task:
            continue  # told as the same file
        one, other = sides.get(first), sides.get(second)
        if one and other and one != other:
            low, high = sorted((first, second), key=lambda at: _WORTH.get(sides[at], 0))
            detail = f"on the {sides[low]} side, looks like {records[high].image} on the {sides[high]} side"
            yield Finding(Kind.NEAR_DUPLICATE, records[low].image, detail, drop=True)
        elif not sides and records[first].group != records[second].group:
            detail = f"looks like {records[second].image} of group {records[second].group}"
            yield Finding(Kind.NEAR_DUPLICATE_GROUPS, records[first].image, detail, drop=False)


def _groups_across(records: Sequence[Record], sides: Mapping[int, str]) -> Iterator[Finding]:
    members: dict[str, dict[str, int]] = defaultdict(dict)
    for at, side in sides.items():
        members[records[at].group].setdefault(side, at)
    for group, by_side in members.items():
        if len(by_side) > 1:
            detail = f"group {group} is on the sides {', '.join(sorted(by_side))}"
            yield Finding(Kind.GROUP_ACROSS, records[min(by_side.values())].image, detail, drop=False)
