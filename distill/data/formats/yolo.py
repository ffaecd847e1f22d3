"""YOLO segmentation (Ultralytics): labels/NAME.txt beside images/NAME, polygons in shares of the picture."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from distill.data.formats.classes import problems_of_labels
from distill.data.formats.samples import Found, Problem, Sample, Source
from distill.data.formats.sequences import set_name
from distill.data.formats.texts import Unusable, text_of
from distill.data.masks import Outlines, Points
from distill.data.pictures import read_picture
from distill.data.splits import TEST, TRAIN, VALIDATION

SIDES = {"train": TRAIN, "val": VALIDATION, "valid": VALIDATION, "validation": VALIDATION, "test": TEST}
OUTSIDE_FRAC = 0.01  # of the picture: rounding


def yolo_files(source: Source) -> frozenset[Path]:
    """The pictures that have their label file in a labels/ folder."""
    there = set(source.files)
    return frozenset(path for path in source.images if _labels_path(path) in there)


def read_yolo(source: Source, negatives: bool, labels: Collection[str] = ()) -> Found:
    """A sample a picture; an empty label file: no polyp. `labels`: only those classes.

    Problems: a picture without a file (unless `negatives`), a file without its picture, a mere box.
    """
    names = _class_names(source)
    samples, problems = [], []
    there: list[str] = []
    files = set(source.files)
    for path in source.images:
        at, text = source.parent / path, _labels_path(path)
        if text is None:
            continue
        if text not in files:
            if negatives:
                samples.append(_sample(source, path, None))
            else:
                problems.append(Problem(at, f"no label file at {text}"))
            continue
        try:
            shapes = _shapes(source.parent / text, names)
            there += [name for name, _ in shapes]
            chosen = [polygon for name, polygon in shapes if not labels or name in labels]
            samples.append(_sample(source, path, _outlines(at, source.parent / text, chosen)))
        except (Unusable, ValueError) as error:
            problems.append(Problem(source.parent / text, str(error)))
    described = {_labels_path(path) for path in source.images}
    problems += [
        Problem(source.parent / path, "labels without a picture")
        for path in source.files
        if path.suffix == ".txt" and "labels" in path.parts[:-1] and path not in described
    ]
    problems += problems_of_labels(source.folder, there, labels)
    return Found(tuple(samples), tuple(problems))


def _labels_path(image: Path) -> Path | None:
    """The last images/ in a path is labels/ there."""
    parts = list(image.parts)
    places = [at for at, part in enumerate(parts[:-1]) if part.lower() == "images"]
    if not places:
        return None
    parts[places[-1]] = "labels"
    return Path(*parts).with_suffix(".txt")


def _sample(source: Source, image: Path, mask: Outlines | None) -> Sample:
    side = next((SIDES[part.lower()] for part in image.parts[1:-1] if part.lower() in SIDES), None)
    return Sample(source.parent / image, mask, set_name(source.folder.name), split=side)


def _outlines(image: Path, text: Path, polygons: list[Points]) -> Outlines | None:
    if not polygons:
        return None
    height_px, width_px = read_picture(image).pixels.shape
    scaled = tuple(tuple((x * width_px, y * height_px) for x, y in polygon) for polygon in polygons)
    return Outlines(text, width_px, height_px, polygons=scaled)


def _shapes(path: Path, names: Mapping[int, str]) -> list[tuple[str, Points]]:
    """The class's name and the polygon of every line. Raises Unusable, ValueError."""
    shapes = []
    for number, line in enumerate(text_of(path.read_bytes()).splitlines(), start=1):
        words = line.split()
        if not words:
            continue
        try:
            key, values = int(words[0]), [float(word) for word in words[1:]]
        except ValueError as error:
            raise Unusable(f"line {number} is not a class and numbers") from error
        if len(values) == 4:
            raise Unusable(f"line {number} is only a box: export it as segmentation")
        if len(values) < 6 or len(values) % 2:
            raise Unusable(f"line {number}: {len(values)} numbers are no polygon")
        if not all(-OUTSIDE_FRAC <= value <= 1 + OUTSIDE_FRAC for value in values):
            raise Unusable(f"line {number}: numbers outside of 0 to 1, which are no shares of the picture")
        if names and key not in names:
            raise Unusable(f"line {number}: class {key}, which is not in the set's list of names")
        polygon = tuple(zip(values[::2], values[1::2], strict=True))
        shapes.append((names.get(key, str(key)), polygon))
    return shapes


def _class_names(source: Source) -> dict[int, str]:
    """Of the first data.yaml or classes.txt; none: the numbers are the names. Raises nothing."""
    for path in source.files:
        try:
            if path.suffix.lower() in {".yaml", ".yml"}:
                names = _names_in_yaml(text_of((source.parent / path).read_bytes()))
            elif path.name.lower() in {"classes.txt", "obj.names"}:
                lines = text_of((source.parent / path).read_bytes()).splitlines()
                names = dict(enumerate(map(str.strip, lines)))
            else:
                continue
        except (OSError, ValueError):
            continue
        if names:
            return names
    return {}


def _names_in_yaml(text: str) -> dict[int, str]:
    """`names` as a list or a mapping, in one line or several: all that is read of such a file."""
    found = re.search(r"^names\s*:[ \t]*(.*(?:\n[ \t-].*)*)", text, re.MULTILINE)
    if found is None:
        return {}
    rows = [re.sub(r"\s+#.*$", "", row) for row in found[1].splitlines()]
    inline = " ".join(rows).strip()
    if inline.startswith(("[", "{")):
        rows = inline.strip("[]{} ").split(",")
    names: dict[int, str] = {}
    for row in filter(None, (row.strip().removeprefix("-").strip() for row in rows)):
        pair = re.fullmatch(r"""["']?(\d+)["']?\s*:\s*(.+)""", row)
        key, name = (int(pair[1]), pair[2]) if pair else (len(names), row)
        names[key] = name.strip().strip("\"'")
    return names
