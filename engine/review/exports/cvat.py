"""CVAT's XML for video (1.1): a track an object, a polygon a frame; its frames are the pictures beside it.

A track of CVAT has one shape in a frame, and its masks cannot be tracks: pieces of a polyp hang together.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

from engine.drawing.polygon import outline_of
from engine.files.whole import write_bytes
from engine.review.exports.export import Export

NAME = "annotations.xml"


def write(job: Export) -> None:
    """Raises FaultError, OSError."""
    tracks: dict[int, dict[int, tuple[int, str]]] = {}
    frames = 0
    for at, (one, masks) in enumerate(job.frames(counted=True)):
        frames = at + 1
        for object_, mask in masks.items():
            points = ";".join(f"{x:.3f},{y:.3f}" for x, y in outline_of(mask))
            tracks.setdefault(object_, {})[at] = (one.frame.rank, points)
    root = ET.Element("annotations")
    ET.SubElement(root, "version").text = "1.1"
    root.append(_meta(job, frames))
    for number, (_, shapes) in enumerate(sorted(tracks.items())):
        root.append(_track(number, shapes, frames))
    ET.indent(root)
    write_bytes(job.folder / NAME, ET.tostring(root, "utf-8", xml_declaration=True) + b"\n")
    job.counts["tracks"] = len(tracks)


def _meta(job: Export, frames: int) -> ET.Element:
    meta = ET.Element("meta")
    task = ET.SubElement(meta, "task")
    values = {
        "name": job.code,
        "size": frames,
        "mode": "interpolation",
        "overlap": 0,
        "start_frame": 0,
        "stop_frame": max(frames - 1, 0),
        "frame_filter": "",
    }
    for name, value in values.items():
        ET.SubElement(task, name).text = str(value)
    label = ET.SubElement(ET.SubElement(task, "labels"), "label")
    ET.SubElement(label, "name").text = "polyp"
    ET.SubElement(label, "attributes")
    size = ET.SubElement(task, "original_size")
    box = job.cut.box
    ET.SubElement(size, "width").text, ET.SubElement(size, "height").text = str(box.w), str(box.h)
    own = ET.SubElement(meta, "polyplive")
    ET.SubElement(own, "crop").text = f"{box.x},{box.y},{box.w},{box.h}"
    return meta


def _track(number: int, shapes: dict[int, tuple[int, str]], frames: int) -> ET.Element:
    track = ET.Element("track", id=str(number), label="polyp", source="manual")
    last = ""
    for at in range(min(shapes), min(max(shapes) + 2, frames)):
        here = shapes.get(at)
        if here is None and at - 1 not in shapes:
            continue  # it is outside already
        last = here[1] if here is not None else last
        shape = ET.SubElement(
            track,
            "polygon",
            frame=str(at),
            outside="0" if here is not None else "1",
            occluded="0",
            keyframe="1",
            points=last,
            z_order="0",
        )
        if here is not None:
            shape.set("rank", str(here[0]))
    return track
