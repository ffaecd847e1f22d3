"""CVAT's own XML, for images and for video: polygons, ellipses and masks, an image or a frame each."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

import cv2
import numpy as np

from distill.data.formats.classes import problems_of_labels
from distill.data.formats.outlines import ellipse, named_image, names_of_images
from distill.data.formats.samples import Found, Problem, Sample, Source
from distill.data.formats.sequences import set_name
from distill.data.formats.texts import Unusable
from distill.data.masks import Outlines, Patch, Points

SHAPES = frozenset({"polygon", "mask", "ellipse", "box", "polyline", "points", "cuboid", "skeleton"})
Shape = tuple[str, Element]  # label, element


def cvat_files(source: Source) -> frozenset[Path]:
    return frozenset(path for path, _ in _documents(source))


def read_cvat(source: Source, negatives: bool, labels: Collection[str] = ()) -> Found:
    """A sample an image of every XML file; no shape: no polyp. `labels`: only those.

    Problems: a missing picture, a shape without area, a broken file.
    """
    del negatives  # CVAT lists every image, and every picture of a video is a frame
    samples, problems = [], []
    there: list[str] = []
    names = names_of_images(source)
    for path, root in _documents(source):
        at = source.parent / path
        rows = _frames(root, source) if root.find("track") is not None else _images(root)
        for name, size, shapes in rows:
            try:
                there += [label for label, _ in shapes]
                chosen = [element for label, element in shapes if not labels or label in labels]
                image = named_image(at, name, names)
                samples.append(Sample(image, _outlines(at, size, chosen), set_name(source.folder.name)))
            except Unusable as error:
                problems.append(Problem(at, f"{name}: {error}"))
            except (KeyError, TypeError, ValueError) as error:
                problems.append(Problem(at, f"{name}: {type(error).__name__}: {error}"))
    problems += problems_of_labels(source.folder, there, labels)
    return Found(tuple(samples), tuple(problems))


def _documents(source: Source) -> Iterator[tuple[Path, Element]]:
    for path in source.files:
        if path.suffix.lower() != ".xml":
            continue
        try:
            data = (source.parent / path).read_bytes()
            if b"<!ENTITY" in data:  # CVAT writes none, and they can be made to fill the memory
                continue
            root = ET.fromstring(data)
        except (OSError, ET.ParseError, ValueError):
            continue
        if root.tag == "annotations" and (root.find("image") is not None or root.find("track") is not None):
            yield path, root


def _images(root: Element) -> Iterator[tuple[str, tuple[int, int], list[Shape]]]:
    for image in root.iter("image"):
        shapes = [(str(shape.get("label")), shape) for shape in image if shape.tag in SHAPES]
        size = int(float(image.get("width", 0))), int(float(image.get("height", 0)))
        yield str(image.get("name")), size, shapes


def _frames(root: Element, source: Source) -> Iterator[tuple[str, tuple[int, int], list[Shape]]]:
    """The pictures of a video's export are numbered by frame."""
    original = root.find(".//original_size")
    size = (0, 0)
    if original is not None:
        size = int(original.findtext("width", "0")), int(original.findtext("height", "0"))
    by_frame: dict[int, list[Shape]] = {}
    for track in root.iter("track"):
        for shape in track:
            if shape.tag in SHAPES and shape.get("outside") != "1":
                frame = int(shape.get("frame", -1))
                by_frame.setdefault(frame, []).append((str(track.get("label")), shape))
    numbered = {
        int(digits[-1]): path.name for path in source.images if (digits := re.findall(r"\d+", path.stem))
    }
    for frame in sorted(numbered.keys() | by_frame.keys()):
        yield numbered.get(frame, f"frame_{frame:06d}"), size, by_frame.get(frame, [])


def _outlines(at: Path, size: tuple[int, int], shapes: list[Element]) -> Outlines | None:
    polygons = tuple(_polygon(shape) for shape in shapes if shape.tag != "mask")
    patches = tuple(_patch(shape) for shape in shapes if shape.tag == "mask")
    return Outlines(at, *size, polygons=polygons, patches=patches) if shapes else None


def _polygon(shape: Element) -> Points:
    if shape.tag == "ellipse":
        x, y, across, down = (float(shape.attrib[key]) for key in ("cx", "cy", "rx", "ry"))
        if float(shape.get("rotation", 0)):
            raise Unusable("a turned ellipse; draw a polygon instead")
        return ellipse(x, y, across, down)
    if shape.tag != "polygon":
        raise Unusable(f"only a {shape.tag}, which is no outline")
    pairs = (pair.split(",") for pair in shape.attrib["points"].split(";"))
    return tuple((float(x), float(y)) for x, y in pairs)


def _patch(shape: Element) -> Patch:
    """Run lengths along the rows of a box, zeros first."""
    left, top, width_px, height_px = (int(shape.attrib[key]) for key in ("left", "top", "width", "height"))
    lengths = [int(length) for length in shape.attrib["rle"].split(",")]
    if sum(lengths) != width_px * height_px or min(lengths) < 0:
        raise Unusable(f"run lengths of {sum(lengths)} px for a box of {width_px}x{height_px}")
    values = (np.arange(len(lengths)) % 2 * 255).astype(np.uint8)
    pixels = np.repeat(values, lengths).reshape(height_px, width_px)
    return left, top, cv2.imencode(".png", pixels)[1].tobytes()
