"""Label Studio's JSON: brush strokes as its own run lengths, and polygons and ellipses in percent."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import cv2
import numpy as np

from distill.data.formats.classes import problems_of_labels
from distill.data.formats.outlines import ellipse, names_of_images
from distill.data.formats.samples import IMAGE_SUFFIXES, Found, Problem, Sample, Source
from distill.data.formats.sequences import set_name
from distill.data.formats.texts import Unusable, read_any
from distill.data.masks import Outlines, Patch, Points
from engine.types import U8

UPLOAD = re.compile(r"^[0-9a-f]{8}-")  # what an upload gets in front of its name
DRAWN = {"brush": "brushlabels", "polygon": "polygonlabels", "ellipse": "ellipselabels"}


def label_studio_files(source: Source) -> frozenset[Path]:
    return frozenset(path for path, _ in _exports(source))


def read_label_studio(source: Source, negatives: bool, labels: Collection[str] = ()) -> Found:
    """A sample a task; an annotation without a shape: no polyp. `labels`: only those.

    Problems: a task without an annotation (unless `negatives`) or with several, a missing picture, a shape
    without area, a broken entry.
    """
    samples, problems = [], []
    there: list[str] = []
    names = names_of_images(source)
    for path, tasks in _exports(source):
        at = source.parent / path
        for task in tasks:
            try:
                image = _image(task, names)
                shapes = _shapes(task, negatives)
                there += [label for label, _ in shapes]
                chosen = [shape for label, shape in shapes if not labels or label in labels]
                samples.append(Sample(image, _outlines(at, chosen), set_name(source.folder.name)))
            except Unusable as error:
                problems.append(Problem(at, f"task {task.get('id')}: {error}"))
            except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
                problems.append(Problem(at, f"task {task.get('id')}: {type(error).__name__}: {error}"))
    problems += problems_of_labels(source.folder, there, labels)
    return Found(tuple(samples), tuple(problems))


def decode_brush(rle: Sequence[int], width_px: int, height_px: int) -> U8:
    """Label Studio's run lengths as a mask, uint8 [h, w], 0 and 1: where a stroke is not transparent.

    Format: rle-pack of thi.ng/umbrella: 32 bits the number of values, 5 bits their size - 1, four sizes of
    lengths - 1 in 4 bits each; then a bit (1: one value repeated), 2 bits which size, the length - 1, and the
    value, or the values. The values are a picture's red, green, blue and alpha. Raises ValueError.
    """
    bits = np.unpackbits(np.asarray(rle, np.int64).astype(np.uint8))
    at = 0

    def number(size: int) -> int:
        nonlocal at
        if at + size > len(bits):
            raise ValueError("run lengths that end too early")
        at += size
        return int("".join(map(str, bits[at - size : at])), 2)

    count, word = number(32), number(5) + 1
    sizes = [number(4) + 1 for _ in range(4)]
    if count != width_px * height_px * 4 or word != 8:
        raise ValueError(f"run lengths of {count} values for a picture of {width_px}x{height_px}")
    values = np.zeros(count, np.uint8)
    done = 0
    while done < count:
        repeated = number(1)
        end = min(count, done + 1 + number(sizes[number(2)]))
        if repeated:
            values[done:end] = number(8)
        else:
            size = 8 * (end - done)
            if at + size > len(bits):
                raise ValueError("run lengths that end too early")
            values[done:end] = np.packbits(bits[at : at + size])
            at += size
        done = end
    return (values.reshape(height_px, width_px, 4)[..., 3] > 0).astype(np.uint8)


def _exports(source: Source) -> Iterator[tuple[Path, list[Mapping[str, Any]]]]:
    for path in source.json_files():
        try:
            value = read_any(source.parent / path)
        except Unusable:
            continue
        tasks = value if isinstance(value, list) else []
        if tasks and all(isinstance(task, dict) and {"annotations", "data"} <= task.keys() for task in tasks):
            yield path, tasks


def _image(task: Mapping[str, Any], names: Mapping[str, list[Path]]) -> Path:
    told = [task.get("file_upload"), *task["data"].values()]
    for value in filter(lambda value: isinstance(value, str), told):
        name = unquote(str(value)).replace("\\", "/").rpartition("/")[2].rpartition("=")[2]
        if Path(name).suffix.lower() not in IMAGE_SUFFIXES:
            continue
        for candidate in (name, UPLOAD.sub("", name)):
            if len(found := names.get(candidate, [])) == 1:
                return found[0]
    raise Unusable(f"its picture {told[0] or list(task['data'].values())} is not there, or several times")


def _shapes(task: Mapping[str, Any], negatives: bool) -> list[tuple[str, Mapping[str, Any]]]:
    """Label and entry of all that is drawn."""
    done = [one for one in task["annotations"] if not one.get("was_cancelled")]
    if len(done) > 1:
        raise Unusable(f"{len(done)} annotations; keep one")
    if not done and not negatives:
        raise Unusable("not annotated yet")
    shapes = []
    for entry in (entry for one in done for entry in one["result"] if "original_width" in entry):
        kind = str(entry["type"]).removesuffix("labels")
        if kind not in DRAWN:
            raise Unusable(f"only a {kind}, which is no outline")
        shapes += [(str(label), entry) for label in entry["value"].get(DRAWN[kind]) or [kind]]
    return shapes


def _outlines(at: Path, shapes: Sequence[Mapping[str, Any]]) -> Outlines | None:
    if not shapes:
        return None
    sizes = {(int(shape["original_width"]), int(shape["original_height"])) for shape in shapes}
    if len(sizes) > 1 or any(shape.get("image_rotation") for shape in shapes):
        raise Unusable("shapes of several sizes or of a turned picture")
    ((width_px, height_px),) = sizes
    polygons: list[Points] = []
    patches: list[Patch] = []
    for shape in shapes:
        value = shape["value"]
        if "rle" in value:
            pixels = decode_brush(value["rle"], width_px, height_px) * np.uint8(255)
            patches.append((0, 0, cv2.imencode(".png", pixels)[1].tobytes()))
        elif "points" in value:
            polygons.append(tuple((x * width_px / 100, y * height_px / 100) for x, y in value["points"]))
        else:
            if value.get("rotation"):
                raise Unusable("a turned ellipse; draw a polygon instead")
            x, across = (value[key] * width_px / 100 for key in ("x", "radiusX"))
            y, down = (value[key] * height_px / 100 for key in ("y", "radiusY"))
            polygons.append(ellipse(x, y, across, down))
    return Outlines(at, width_px, height_px, polygons=tuple(polygons), patches=tuple(patches))
