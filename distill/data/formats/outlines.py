"""Data sets whose masks are outlines in JSON: LabelMe, a file an image, and COCO, a file for all."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from distill.data.formats.classes import problems_of_labels
from distill.data.formats.samples import Found, Problem, Sample, Source
from distill.data.formats.sequences import set_name
from distill.data.formats.texts import Unusable, read_object
from distill.data.masks import Outlines, Patch, Points
from engine.drawing.rle import Rle

CIRCLE_CORNERS = 64


def labelme_files(source: Source) -> frozenset[Path]:
    return frozenset(path for path, value in _objects(source) if "shapes" in value)


def coco_files(source: Source) -> frozenset[Path]:
    return frozenset(path for path, value in _objects(source) if "images" in value and "annotations" in value)


def read_labelme(source: Source, negatives: bool, labels: Collection[str] = ()) -> Found:
    """A sample a JSON file; no shape in it: no polyp. `labels`: only those shapes.

    Problems: a picture without a file (unless `negatives`), a file without its picture, a shape without area.
    """
    samples, problems = [], []
    there: list[str] = []
    for path in source.json_files():
        at = source.parent / path
        try:
            value = read_object(at)
            if "shapes" not in value:
                continue
            there += _labelme_labels(value)
            image = _labelme_image(at, value)
            mask = _labelme_outlines(at, value, labels)
        except Unusable as error:
            problems.append(Problem(at, str(error)))
            continue
        samples.append(Sample(image, mask, set_name(source.folder.name)))
    described = {sample.image for sample in samples}
    folders = {image.parent for image in described}
    stems = {(source.parent / path).with_suffix("") for path in source.json_files()}
    for path in source.images:
        at = source.parent / path
        if at in described or at.parent not in folders or at.with_suffix("") in stems:
            continue
        if negatives:
            samples.append(Sample(at, None, set_name(source.folder.name)))
        else:
            problems.append(Problem(at, "no LabelMe file for it"))
    problems += problems_of_labels(source.folder, there, labels)
    return Found(tuple(samples), tuple(problems))


def read_coco(source: Source, negatives: bool, labels: Collection[str] = ()) -> Found:
    """A sample an image of every COCO file; no annotation: no polyp. `labels`: only those categories.

    Problems: a missing or twice described picture, an annotation that is only a box, a broken entry.
    """
    del negatives  # COCO says it itself
    samples, problems = [], []
    there: list[str] = []
    names = names_of_images(source)
    described: dict[Path, Path] = {}
    for path in source.json_files():
        at = source.parent / path
        try:
            value = read_object(at)
            if "images" not in value or "annotations" not in value:
                continue
            there += _coco_labels(value)
            entries = _coco_entries(value, labels)
        except Unusable as error:
            problems.append(Problem(at, str(error)))
            continue
        for entry, outlines in entries:
            try:
                image = named_image(at, str(entry["file_name"]), names)
                if image in described:
                    raise Unusable(f"{image.name} is described twice, here and in {described[image]}")
                described[image] = at
                mask = _coco_outlines(at, entry, outlines)
            except Unusable as error:
                problems.append(Problem(at, str(error)))
                continue
            except (KeyError, TypeError, ValueError, IndexError) as error:
                problems.append(Problem(at, f"image {entry.get('id')}: {type(error).__name__}: {error}"))
                continue
            samples.append(Sample(image, mask, set_name(source.folder.name)))
    problems += problems_of_labels(source.folder, there, labels)
    return Found(tuple(samples), tuple(problems))


def _objects(source: Source) -> Iterable[tuple[Path, Mapping[str, Any]]]:
    for path in source.json_files():
        try:
            yield path, read_object(source.parent / path)
        except Unusable:
            continue


def _labelme_image(at: Path, value: Mapping[str, Any]) -> Path:
    named = str(value.get("imagePath") or "").replace("\\", "/")
    for place in (at.parent, at.parent / "images", at.parent.parent / "images", at.parent.parent):
        for name in (named, Path(named).name):
            if name and (place / name).is_file():
                return (place / name).resolve()
    raise Unusable(f"its picture {named or '(unnamed)'} is not there")


def _labelme_labels(value: Mapping[str, Any]) -> list[str]:
    shapes = value["shapes"] if isinstance(value["shapes"], list) else []
    return [str(shape["label"]) for shape in shapes if isinstance(shape, dict) and "label" in shape]


def _labelme_outlines(at: Path, value: Mapping[str, Any], labels: Collection[str]) -> Outlines | None:
    try:
        shapes = [shape for shape in value["shapes"] if not labels or shape["label"] in labels]
        masks = [shape for shape in shapes if shape.get("shape_type") == "mask"]
        polygons = tuple(_labelme_polygon(shape) for shape in shapes if shape not in masks)
        patches = tuple(_labelme_mask(shape) for shape in masks)
        size = int(value["imageWidth"]), int(value["imageHeight"])
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise Unusable(f"{type(error).__name__}: {error}") from error
    return Outlines(at, *size, polygons=polygons, patches=patches) if polygons or patches else None


def _labelme_mask(shape: Mapping[str, Any]) -> Patch:
    """What LabelMe's AI draws: the corners of a box, and a PNG of it."""
    (x, y), _ = shape["points"]
    try:
        return round(x), round(y), base64.b64decode(shape["mask"], validate=True)
    except (KeyError, TypeError, binascii.Error) as error:
        raise Unusable(f"a mask shape without its picture ({type(error).__name__})") from error


def _labelme_polygon(shape: Mapping[str, Any]) -> Points:
    points = tuple((float(x), float(y)) for x, y in shape["points"])
    kind = shape.get("shape_type") or "polygon"
    if kind == "polygon" and len(points) >= 3:
        return points
    if kind == "rectangle" and len(points) == 2:
        (x0, y0), (x1, y1) = points
        return ((x0, y0), (x1, y0), (x1, y1), (x0, y1))
    if kind == "circle" and len(points) == 2:
        (x, y), edge = points
        radius_px = math.dist((x, y), edge)
        return ellipse(x, y, radius_px, radius_px)
    raise Unusable(f"a {kind} of {len(points)} points has no area")


def ellipse(x: float, y: float, across: float, down: float) -> Points:
    """A polygon, around its centre."""
    turns = [2 * math.pi * corner / CIRCLE_CORNERS for corner in range(CIRCLE_CORNERS)]
    return tuple((x + across * math.cos(turn), y + down * math.sin(turn)) for turn in turns)


def _coco_names(value: Mapping[str, Any]) -> dict[Any, str]:
    return {category["id"]: str(category["name"]) for category in value.get("categories") or []}


def _coco_labels(value: Mapping[str, Any]) -> list[str]:
    """Of what is drawn; categories that only stand in the list do not count."""
    try:
        names = _coco_names(value)
        keys = [annotation.get("category_id") for annotation in value["annotations"]]
        strange = [str(key) for key in keys if names and key not in names]
        if strange:
            raise Unusable(f"an annotation of category {strange[0]}, which is not in its list of categories")
        return [names.get(key, str(key)) for key in keys]
    except (KeyError, TypeError, AttributeError) as error:
        raise Unusable(f"not as COCO has it: {type(error).__name__}: {error}") from error


def _coco_entries(
    value: Mapping[str, Any], labels: Collection[str]
) -> list[tuple[Mapping[str, Any], list[Mapping[str, Any]]]]:
    try:
        names = _coco_names(value)
        annotations: dict[Any, list[Mapping[str, Any]]] = {}
        for annotation in value["annotations"]:
            key = annotation.get("category_id")
            if not labels or names.get(key, str(key)) in labels:
                annotations.setdefault(annotation["image_id"], []).append(annotation)
        entries = [(entry, annotations.pop(entry["id"], [])) for entry in value["images"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise Unusable(f"not as COCO has it: {type(error).__name__}: {error}") from error
    if annotations:
        raise Unusable(f"annotations of images that it does not list: {sorted(map(str, annotations))}")
    return entries


def names_of_images(source: Source) -> dict[str, list[Path]]:
    """All pictures of a name, wherever they lie."""
    names: dict[str, list[Path]] = {}
    for path in source.images:
        names.setdefault(path.name, []).append(source.parent / path)
    return names


def named_image(at: Path, file_name: str, names: Mapping[str, list[Path]]) -> Path:
    """The picture that the file `at` names. Raises Unusable."""
    file_name = file_name.replace("\\", "/")
    for place in (at.parent, at.parent / "images", at.parent.parent / "images", at.parent.parent):
        if (place / file_name).is_file():
            return (place / file_name).resolve()
    found = names.get(Path(file_name).name, [])
    if len(found) != 1:
        raise Unusable(f"its picture {file_name} is {'not there' if not found else 'there several times'}")
    return found[0]


def _coco_outlines(
    at: Path, entry: Mapping[str, Any], annotations: Iterable[Mapping[str, Any]]
) -> Outlines | None:
    polygons: list[Points] = []
    runs: list[Rle] = []
    lengths = []
    for annotation in annotations:
        outline = annotation.get("segmentation")
        if isinstance(outline, dict):
            height_px, width_px = map(int, outline["size"])
            if (height_px, width_px) != (entry["height"], entry["width"]):
                raise Unusable(f"annotation {annotation.get('id')}: run lengths of {width_px}x{height_px}")
            if isinstance(outline["counts"], str):
                runs.append(Rle(size=[height_px, width_px], counts=outline["counts"]))
            else:
                lengths.append(tuple(map(int, outline["counts"])))
        elif outline:
            for flat in outline:
                if len(flat) < 6 or len(flat) % 2:
                    raise Unusable(f"annotation {annotation.get('id')}: {len(flat)} numbers are no polygon")
                polygons.append(tuple(zip(map(float, flat[::2]), map(float, flat[1::2]), strict=True)))
        else:
            raise Unusable(f"annotation {annotation.get('id')} of {entry['file_name']} is only a box")
    if not (polygons or runs or lengths):
        return None
    return Outlines(
        at, int(entry["width"]), int(entry["height"]), tuple(polygons), tuple(runs), tuple(lengths)
    )
