"""What annotation tools export: exact masks, and a second class that is never merged into the polyp."""

import json
import shutil

import cv2
import numpy as np
import pytest

from distill.__main__ import main
from distill.data.formats.label_studio import decode_brush
from distill.data.prepare import Wishes, find_samples, prepare
from tests.distill.annotation_trees import (
    DISC,
    TOOL,
    brush_of,
    cvat_images,
    label_studio,
    labelme_masks,
    nnunet,
    voc,
    yolo,
)
from tests.distill.test_layouts import coco_in
from tests.distill.trees import picture, write


def made(out, name):
    return cv2.imread(str(out / "masks" / "tree" / f"{name}.png"), cv2.IMREAD_GRAYSCALE)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (label_studio, "brush"),
        (label_studio, "mixed"),
        (labelme_masks, "a"),
        (cvat_images, "mask"),
        (voc, "a"),
    ],
)
def test_pixels_that_a_tool_painted_are_the_mask_to_the_pixel(tmp_path, make, name):
    make(tmp_path / "tree")

    assert prepare([tmp_path / "tree"], tmp_path / "out").problems == ()

    assert np.array_equal(made(tmp_path / "out", name), DISC * 255)


@pytest.mark.parametrize("seed", range(4))
def test_brush_run_lengths_are_read_back(seed):
    mask = (np.random.default_rng(seed).random((23, 31)) > 0.1 + 0.25 * seed).astype(np.uint8)

    assert np.array_equal(decode_brush(brush_of(mask, literal=bool(seed % 2)), 31, 23), mask)


def test_brush_run_lengths_that_are_cut_or_of_another_size_are_refused():
    for rle, width in ((brush_of(DISC)[:-9], 48), (brush_of(DISC), 47)):
        with pytest.raises(ValueError, match="run lengths"):
            decode_brush(rle, width, 36)


def two_in_coco(root):
    coco_in(root)
    path = root / "annotations/instances.json"
    value = json.loads(path.read_text())
    value["categories"] = [{"id": n, "name": name} for n, name in ((1, "polyp"), (2, "tool"), (3, "unused"))]
    corner = [[0, 0, 6, 0, 6, 6, 0, 6]]
    value["annotations"].append({"id": 9, "image_id": 0, "category_id": 2, "segmentation": corner})
    path.write_text(json.dumps(value))


def two_in_labelme(root):
    labelme_masks(root)
    value = json.loads((root / "a.json").read_text())
    corner = [[0, 0], [6, 0], [6, 6], [0, 6]]
    value["shapes"].append({"label": "tool", "shape_type": "polygon", "points": corner})
    (root / "a.json").write_text(json.dumps(value))


def two_in_yolo(root):
    yolo(root, "names: ['polyp', 'tool']\n")
    with (root / "labels/train/a.txt").open("a") as stream:
        stream.write("1 0 0 0.1 0 0.1 0.1\n")


def two_in_cvat(root):
    cvat_images(root)
    text = (root / "annotations.xml").read_text()
    corner = '<polygon label="tool" points="0,0;6,0;6,6;0,6"/></image>'
    (root / "annotations.xml").write_text(text.replace("</image>", corner, 1))


def two_in_label_studio(root):
    label_studio(root)
    tasks = json.loads((root / "project-1.json").read_text())
    result = tasks[0]["annotations"][0]["result"]
    result.append(json.loads(json.dumps(result[0]).replace("polyp", "tool")))
    result[-1]["value"]["rle"] = brush_of(TOOL)
    (root / "project-1.json").write_text(json.dumps(tasks))


def two_in_voc(root):
    voc(root, "tool:0,200,0::\n")
    mask = cv2.imread(str(root / "SegmentationClass/a.png"))
    mask[TOOL > 0] = (0, 200, 0)
    write(root / "SegmentationClass/a.png", mask)


def two_in_nnunet(root):
    nnunet(root, {"background": 0, "polyp": 1, "tool": 2}, DISC + 2 * TOOL)


@pytest.mark.parametrize(
    "make",
    [two_in_coco, two_in_labelme, two_in_yolo, two_in_cvat, two_in_label_studio, two_in_voc, two_in_nnunet],
)
def test_a_second_class_is_told_and_left_out_when_the_polyp_is_named(tmp_path, capsys, make):
    root, out = tmp_path / "tree", tmp_path / "out"
    make(root)
    words = ["prepare", str(root), "--out", str(out)]

    assert main(words) == 3
    assert "2 labels: polyp, tool" in capsys.readouterr().err
    assert main([*words, "--label", "polpy"]) == 3
    assert "no label polpy" in capsys.readouterr().err
    assert main([*words, "--label", "polyp"]) == 0

    lines = [json.loads(line) for line in (out / "index.jsonl").read_text().splitlines()]
    for line in lines:
        if line["mask"]:
            mask = cv2.imread(str(out / line["mask"]), cv2.IMREAD_GRAYSCALE) > 0
            overlap = (mask & (DISC > 0)).sum() / (mask | (DISC > 0)).sum()
            assert overlap > 0.7
            assert not mask[:4, :4].any()
            assert not mask[TOOL > 0].any()


def test_both_classes_may_be_named(tmp_path):
    two_in_nnunet(tmp_path / "tree")

    prepare([tmp_path / "tree"], tmp_path / "out", Wishes(labels={"polyp", "tool"}))

    assert np.array_equal(made(tmp_path / "out", "a_0000"), (DISC + TOOL) * 255)


@pytest.mark.parametrize(
    ("line", "told"),
    [("0 0.5 0.5 0.2 0.2\n", "only a box"), ("0 10 10 20 10 20 20\n", "no shares"), ("polyp 1\n", "numbers")],
)
def test_a_yolo_file_that_is_no_segmentation_is_named(tmp_path, capsys, line, told):
    yolo(tmp_path / "tree")
    (tmp_path / "tree/labels/train/b.txt").write_text(line)

    assert main(["prepare", str(tmp_path / "tree"), "--out", str(tmp_path / "out")]) == 3

    assert f"b.txt: line 1{' is' if 'box' in told else ''}" in (text := capsys.readouterr().err)
    assert told in text


@pytest.mark.parametrize(
    "names",
    ["names:\n- polyp\n- tool\n", "names: [polyp, tool]\n", "names: {0: polyp, 1: tool}\n", "nc: 2\n"],
)
def test_names_in_data_yaml_are_read_in_every_form(tmp_path, names):
    yolo(tmp_path / "tree", names)
    wanted = "0" if names.startswith("nc") else "polyp"

    assert find_samples([tmp_path / "tree"], Wishes(labels={wanted})).problems == ()


def test_a_value_that_the_class_file_does_not_name_is_refused(tmp_path, capsys):
    nnunet(tmp_path / "tree", mask=DISC + 3 * TOOL)

    assert main(["prepare", str(tmp_path / "tree"), "--out", str(tmp_path / "out")]) == 3

    assert "a.png: the value 3, which no class has" in capsys.readouterr().err


def test_a_task_that_nobody_has_annotated_is_not_polyp_free(tmp_path, capsys):
    label_studio(tmp_path / "tree")
    path = tmp_path / "tree/project-1.json"
    tasks = json.loads(path.read_text())
    tasks[3]["annotations"] = []
    path.write_text(json.dumps(tasks))

    assert main(["prepare", str(tmp_path / "tree"), "--out", str(tmp_path / "out")]) == 3

    assert "task 3: not annotated yet" in capsys.readouterr().err


# Text of other programs


@pytest.mark.parametrize("encoding", ["gbk", "utf-8", "utf-8-sig", "utf-16"])
def test_names_in_the_encodings_of_other_systems_are_read(tmp_path, encoding):
    root = tmp_path / "tree"
    labelme_masks(root)
    value = json.loads((root / "a.json").read_text())
    value["shapes"][0]["label"], value["imagePath"] = "息肉", "图像.jpg"
    (root / "a.jpg").rename(root / "图像.jpg")
    (root / "a.json").write_bytes(json.dumps(value, ensure_ascii=False).encode(encoding))

    found = find_samples([root], Wishes(labels={"息肉"}))

    assert found.problems == ()
    assert {sample.image.name: sample.mask is None for sample in found.samples} == {
        "图像.jpg": False,
        "none.jpg": True,
    }


def test_json_of_an_unknown_encoding_is_a_problem_that_says_so(tmp_path):
    labelme_masks(tmp_path / "tree")
    (tmp_path / "tree/a.json").write_bytes(b'{"shapes": [], "imagePath": "\xff\xff.jpg"}')

    with_problem = find_samples([tmp_path / "tree"], Wishes(layout="labelme")).problems

    assert any("save it as UTF-8" in str(problem) for problem in with_problem)


def test_lists_and_indexes_with_a_byte_order_mark_or_in_utf16_are_read(tmp_path):
    from distill.data.index import load_index
    from tests.distill.trees import folders

    root = folders(tmp_path / "data", 2)
    (root / "train.txt").write_bytes('"images\\a.png"\r\n'.encode("utf-16"))
    (root / "test.txt").write_bytes("b\n".encode("utf-8-sig"))

    assert prepare([root], tmp_path / "out").problems == ()

    index = tmp_path / "out" / "index.jsonl"
    index.write_bytes(b"\xef\xbb\xbf" + index.read_bytes())
    assert [record.split for record in load_index(tmp_path / "out").records] == ["train", "test"]
    shutil.rmtree(root)


def test_xml_with_entities_of_its_own_is_not_taken(tmp_path):
    write(tmp_path / "tree/images/a.png", picture(0))
    entity = '<!DOCTYPE a [<!ENTITY x "y">]><annotations><image name="a.png"/></annotations>'
    (tmp_path / "tree/annotations.xml").write_text(entity)

    assert find_samples([tmp_path / "tree"], Wishes()).samples == ()


def coco_with(root, **changes):
    coco_in(root)
    path = root / "annotations/instances.json"
    value = json.loads(path.read_text())
    value["annotations"][0] |= changes
    path.write_text(json.dumps(value))


def yolo_with(root, line):
    yolo(root)
    (root / "labels/train/a.txt").write_text(line)


@pytest.mark.parametrize(
    ("make", "what", "words"),
    [
        (coco_with, {"segmentation": [[900, 900, 950, 900, 950, 950]]}, "no pixel of the picture"),
        (coco_with, {"category_id": 7}, "category 7"),
        (yolo_with, {"line": "0 nan nan nan nan nan nan\n"}, "outside of 0 to 1"),
        (yolo_with, {"line": "0 1.004 0.1 1.005 0.1 1.005 0.2\n"}, "no pixel of the picture"),
        (yolo_with, {"line": "7 0.1 0.1 0.3 0.1 0.3 0.3\n"}, "class 7"),
    ],
)
def test_an_outline_of_nothing_is_no_polyp_free_image_and_an_unknown_class_no_polyp(
    tmp_path, make, what, words, capsys
):
    make(tmp_path / "tree", **what)

    assert main(["prepare", str(tmp_path / "tree"), "--out", str(tmp_path / "out")]) == 3

    assert words in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
