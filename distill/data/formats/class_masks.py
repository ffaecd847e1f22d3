"""Masks that are pictures of classes, with a file that names them: VOC (also of CVAT) and nnU-Net."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from distill.data.formats.classes import problems_of_labels
from distill.data.formats.pairs import Pairs, paired, read_pairs
from distill.data.formats.samples import Found, Problem, Source
from distill.data.formats.texts import Unusable, read_object, text_of
from distill.data.mask_values import Value
from distill.data.masks import MaskFile

BACKGROUND = frozenset({"background", "_background_", "ignore", "void"})
Classes = Mapping[str, frozenset[Value]]

VOC = tuple(
    Pairs(rf"{images}/(?P<stem>.+)", ("{base}SegmentationClass/{stem}",))
    for images in ("JPEGImages", "images")
)
NNUNET = (
    Pairs(r"imagesTr/(?P<stem>[^/]+)_0000", ("{base}labelsTr/{stem}",), split="train"),
    Pairs(r"imagesTs/(?P<stem>[^/]+)_0000", ("{base}labelsTs/{stem}",), split="test"),
)
voc_files = partial(paired, VOC)


def nnunet_files(source: Source) -> frozenset[Path]:
    return paired(NNUNET, source) if _named(source, "dataset.json") else frozenset()


def read_voc(source: Source, negatives: bool, labels: Collection[str] = ()) -> Found:
    """Pictures and SegmentationClass/ by name; labelmap.txt says which colour is which class."""
    found = read_pairs(VOC, source, negatives)
    path = _named(source, "labelmap.txt")
    if path is None:
        return found if not labels else found + Found((), (Problem(source.folder, "no labelmap.txt"),))
    try:
        return _chosen(found, path, _labelmap(path), labels)
    except (OSError, ValueError) as error:
        return found + Found((), (Problem(path, f"not as CVAT writes it: {error}"),))


def read_nnunet(source: Source, negatives: bool, labels: Collection[str] = ()) -> Found:
    """imagesTr/ and labelsTr/ by name; dataset.json says which number is which class."""
    found = read_pairs(NNUNET, source, negatives)
    path = _named(source, "dataset.json")
    if path is None:
        return found + Found((), (Problem(source.folder, "no dataset.json"),))
    volumes = [file for file in source.files if file.name.endswith((".nii.gz", ".nii", ".mha"))]
    channels = [file for file in source.images if file.stem.endswith("_0001")]
    for files, what in ((volumes, "a volume; only pictures are read"), (channels, "a channel of its own")):
        if files:
            return found + Found((), (Problem(source.parent / files[0], what),))
    try:
        return _chosen(found, path, _numbers(read_object(path)), labels)
    except (Unusable, KeyError, TypeError, ValueError, AttributeError) as error:
        return found + Found((), (Problem(path, f"no classes in it: {error}"),))


def _chosen(found: Found, path: Path, classes: Classes, labels: Collection[str]) -> Found:
    names = [name for name in classes if name.lower() not in BACKGROUND]
    problems = problems_of_labels(path, names, labels)
    polyp = frozenset().union(*(classes[name] for name in labels or names if name in classes))
    other = frozenset().union(*classes.values(), {(0,)}) - polyp
    samples = tuple(
        replace(sample, mask=replace(sample.mask, polyp=polyp, other=other))
        if isinstance(sample.mask, MaskFile)
        else sample
        for sample in found.samples
    )
    return Found(samples, found.problems + problems)


def _labelmap(path: Path) -> Classes:
    """Lines of name:red,green,blue:parts:actions. Raises ValueError."""
    classes: dict[str, frozenset[Value]] = {}
    for line in text_of(path.read_bytes()).splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        name, colour, *_ = line.split(":")
        red, green, blue = (int(number) for number in colour.split(","))
        classes[name.strip()] = frozenset({(red, green, blue)})
    return classes


def _numbers(value: Mapping[str, object]) -> Classes:
    """`labels` of version 2 (name to number, or to the numbers of a region) or 1 (number to name)."""
    labels = value["labels"]
    if not isinstance(labels, dict) or not labels:
        raise ValueError("no labels")
    if all(str(key).isdecimal() for key in labels):
        labels = {str(name): int(key) for key, name in labels.items()}
    return {
        str(name): frozenset((int(n),) for n in (numbers if isinstance(numbers, Sequence) else (numbers,)))
        for name, numbers in labels.items()
    }


def _named(source: Source, name: str) -> Path | None:
    return next((source.parent / path for path in source.files if path.name.lower() == name), None)
