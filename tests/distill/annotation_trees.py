"""Tiny sets as annotation tools export them: the disc of `trees`, and an image without a polyp."""

from __future__ import annotations

import base64
import json

import cv2
import numpy as np

from tests.distill.trees import HEIGHT_PX, WIDTH_PX, disc, picture, write

DISC = disc() // 255
TURNS = np.linspace(0, 2 * np.pi, 48, endpoint=False)
CORNERS = [(20.5 + 8.3 * np.cos(turn), 16.5 + 8.3 * np.sin(turn)) for turn in TURNS]
TOOL = np.zeros_like(DISC)
TOOL[26:34, 36:46] = 1


def box_of(mask):
    """left, top, right, bottom (exclusive)."""
    rows, columns = np.nonzero(mask)
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def lengths_of(values):
    """Run lengths of 0 and 1, zeros first."""
    edges = np.flatnonzero(np.diff([0, *values])) if len(values) else []
    return np.diff([0, *edges, len(values)]).tolist()


def brush_of(mask, literal=False):
    """Label Studio's run lengths of a mask, written bit by bit."""
    values = np.repeat(mask.ravel() * 255, 4)
    bits = f"{len(values):032b}" + f"{7:05b}" + "".join(f"{size - 1:04b}" for size in (3, 4, 8, 16))
    at = 0
    while at < len(values):
        same = at + 1
        while same < len(values) and values[same] == values[at] and same - at < 65536:
            same += 1
        if literal and at == 0:
            same = 5
            bits += "0" + "10" + f"{4:08b}" + "".join(f"{value:08b}" for value in values[:5])
        else:
            length = same - at - 1
            which = next(n for n, size in enumerate((3, 4, 8, 16)) if length < 1 << size)
            bits += "1" + f"{which:02b}" + f"{length:0{(3, 4, 8, 16)[which]}b}" + f"{values[at]:08b}"
        at = same
    bits += "0" * (-len(bits) % 8)
    return [int(bits[start : start + 8], 2) for start in range(0, len(bits), 8)]


def label_studio(root):
    size = {"original_width": WIDTH_PX, "original_height": HEIGHT_PX, "image_rotation": 0}
    points = [[100 * x / WIDTH_PX, 100 * y / HEIGHT_PX] for x, y in CORNERS]
    results = {
        "brush": [("brushlabels", {"format": "rle", "rle": brush_of(DISC)})],
        "mixed": [("brushlabels", {"format": "rle", "rle": brush_of(DISC, literal=True)})],
        "polygon": [("polygonlabels", {"points": points, "closed": True})],
        "none": [],
    }
    tasks = []
    for number, (name, found) in enumerate(results.items()):
        write(root / f"images/{name}.png", picture(number))
        result = [{"type": kind, "value": {**value, kind: ["polyp"]}, **size} for kind, value in found]
        annotations = [{"was_cancelled": False, "result": result}]
        image = f"/data/upload/1/0a1b2c3d-{name}.png"
        tasks.append({"id": number, "data": {"image": image}, "annotations": annotations})
    (root / "project-1.json").write_text(json.dumps(tasks))
    return dict.fromkeys(results, ("tree", None, None))


def yolo(root, names="names:\n  0: polyp\n"):
    for number, name in enumerate(("a", "b", "none")):
        write(root / f"images/train/{name}.png", picture(number))
        line = " ".join(f"{x / WIDTH_PX:.6f} {y / HEIGHT_PX:.6f}" for x, y in CORNERS)
        (root / "labels/train").mkdir(parents=True, exist_ok=True)
        (root / f"labels/train/{name}.txt").write_text("" if name == "none" else f"0 {line}\n")
    (root / "data.yaml").write_text(f"path: .\ntrain: images/train\n{names}")
    return dict.fromkeys(("a", "b", "none"), ("tree", None, "train"))


def cvat_shapes():
    left, top, right, bottom = box_of(DISC)
    lengths = ", ".join(map(str, lengths_of(DISC[top:bottom, left:right].ravel())))
    points = ";".join(f"{x:.2f},{y:.2f}" for x, y in CORNERS)
    place = f'left="{left}" top="{top}" width="{right - left}" height="{bottom - top}"'
    return {
        "polygon": f'<polygon label="polyp" points="{points}"{{}}/>',
        "mask": f'<mask label="polyp" rle="{lengths}" {place}{{}}/>',
        "ellipse": '<ellipse label="polyp" cx="20.5" cy="16.5" rx="8.3" ry="8.3"{}/>',
        "none": "",
    }


def cvat_images(root):
    rows = []
    for number, (name, shape) in enumerate(cvat_shapes().items()):
        write(root / f"images/{name}.png", picture(number))
        size = f'width="{WIDTH_PX}" height="{HEIGHT_PX}"'
        rows.append(f'<image id="{number}" name="{name}.png" {size}>{shape.format("")}</image>')
    (root / "annotations.xml").write_text(f"<annotations><version>1.1</version>{''.join(rows)}</annotations>")
    return dict.fromkeys(cvat_shapes(), ("tree", None, None))


def cvat_video(root):
    size = f"<original_size><width>{WIDTH_PX}</width><height>{HEIGHT_PX}</height></original_size>"
    shapes = []
    for frame, shape in enumerate((cvat_shapes()["polygon"], cvat_shapes()["mask"])):
        write(root / f"images/frame_{frame:06d}.PNG", picture(frame))
        shapes.append(shape.format(f' frame="{frame}" outside="0" keyframe="1"'))
    ended = cvat_shapes()["polygon"].format(' frame="2" outside="1" keyframe="1"')
    track = f'<track id="0" label="polyp">{"".join(shapes)}{ended}</track>'
    (root / "annotations.xml").write_text(f"<annotations><meta>{size}</meta>{track}</annotations>")
    return dict.fromkeys(("frame_000000", "frame_000001"), ("tree", None, None))


def voc(root, extra=""):
    colours = np.zeros((HEIGHT_PX, WIDTH_PX, 3), np.uint8)
    colours[DISC > 0] = (83, 50, 250)  # blue first
    for seed, name in enumerate("ab"):
        write(root / f"JPEGImages/{name}.jpg", picture(seed))
        write(root / f"SegmentationClass/{name}.png", colours)
        write(root / f"SegmentationObject/{name}.png", colours)
    lines = f"# label:color_rgb:parts:actions\nbackground:0,0,0::\npolyp:250,50,83::\n{extra}"
    (root / "labelmap.txt").write_text(lines)
    return dict.fromkeys("ab", ("tree", None, None))


def nnunet(root, labels=None, mask=DISC):
    for seed, name in enumerate("ab"):
        write(root / f"imagesTr/{name}_0000.png", picture(seed))
        write(root / f"labelsTr/{name}.png", mask)
    told = {"channel_names": {"0": "R"}, "labels": labels or {"background": 0, "polyp": 1}}
    (root / "dataset.json").write_text(json.dumps(told | {"numTraining": 2, "file_ending": ".png"}))
    return dict.fromkeys(("a_0000", "b_0000"), ("tree", None, "train"))


def labelme_masks(root):
    left, top, right, bottom = box_of(DISC)
    png = cv2.imencode(".png", DISC[top:bottom, left:right] * 255)[1].tobytes()
    for seed, name in enumerate(("a", "none")):
        write(root / f"{name}.jpg", picture(seed))
        points = [[float(left), float(top)], [right - 1.0, bottom - 1.0]]
        shape = {"label": "polyp", "shape_type": "mask", "points": points}
        shape["mask"] = base64.b64encode(png).decode()
        value = {"imagePath": f"{name}.jpg", "shapes": [] if name == "none" else [shape]}
        value |= {"imageWidth": WIDTH_PX, "imageHeight": HEIGHT_PX}
        (root / f"{name}.json").write_text(json.dumps(value))
    return dict.fromkeys(("a", "none"), ("tree", None, None))
