"""Every layout that people really have becomes an index: set, group, split, and a mask that can be read."""

import json

import cv2
import numpy as np
import pytest

from distill.data.formats.layouts import LAYOUTS, layout_of
from distill.data.formats.samples import source_of
from distill.data.formats.sequences import CLINICDB_STARTS, clinicdb_sequence
from distill.data.index import load_index
from distill.data.prepare import Wishes, find_samples, prepare
from engine.faults import FaultCode, FaultError
from tests.distill.annotation_trees import (
    cvat_images,
    cvat_video,
    label_studio,
    labelme_masks,
    nnunet,
    voc,
    yolo,
)
from tests.distill.trees import HEIGHT_PX, WIDTH_PX, disc, folders, pair, picture, write, write_lines

KVASIR = ["cju0qkwl35piu0993l0dewei2", "ck2bxiswtxuw80838qkisqjwz"]


def kvasir(root):
    for seed, name in enumerate(KVASIR):
        pair(root, f"images/{name}.jpg", f"masks/{name}.jpg", seed)
    (root / "kavsir_bboxes.json").write_text("{}")
    return dict.fromkeys(KVASIR, ("kvasir-seg", None, None))


def clinicdb(root):
    for seed, (name, suffix) in enumerate([("1", "tif"), ("25", "tif"), ("26", "png"), ("612", "png")]):
        pair(root, f"Original/{name}.{suffix}", f"Ground Truth/{name}.{suffix}", seed)
    groups = {"1": "clinicdb-seq01", "25": "clinicdb-seq01", "26": "clinicdb-seq02", "612": "clinicdb-seq29"}
    return {name: ("cvc-clinicdb", group, None) for name, group in groups.items()}


def clinicdb_in_two_formats(root):
    for kind in ("PNG", "TIF"):
        pair(root, f"{kind}/Original/30.{kind.lower()}", f"{kind}/Ground Truth/30.{kind.lower()}", 0)
    return {"30": ("cvc-clinicdb", "clinicdb-seq02", None)}


def colondb(root):
    for name in ("1", "2"):
        pair(root, f"CVC-ColonDB/{name}.tiff", f"CVC-ColonDB/p{name}.tiff", int(name))
        write(root / f"CVC-ColonDB/c{name}.tiff", disc())  # the contour, which is nobody's mask
    return dict.fromkeys(("1", "2"), ("cvc-colondb", None, None))


def etis(root):
    for name in ("1", "2"):
        pair(root, f"ETIS-LaribPolypDB/{name}.tif", f"Ground Truth/p{name}.tif", int(name))
    return dict.fromkeys(("1", "2"), ("etis", None, None))


def cvc300(root):
    for name in ("151", "152"):
        pair(root, f"CVC-300/bbdd/{name}.bmp", f"CVC-300/gtpolyp/{name}.bmp", int(name))
    return dict.fromkeys(("151", "152"), ("cvc-300", None, None))


def polypgen(root):
    c1 = ["106OLCV1_100H0012", "106OLCV1_100H0014", "100H0050"]
    for seed, name in enumerate(c1):
        pair(root, f"data_C1/images_C1/{name}.jpg", f"data_C1/masks_C1/{name}_mask.jpg", seed)
    write(root / "data_C1/bbox_image_C1/106OLCV1_100H0012_mask_bbox.jpg", picture(0))
    pair(
        root, "data_C3/images_C3/C3_EndoCV2021_00489_.jpg", "data_C3/masks_C3/C3_EndoCV2021_00489_mask.jpg", 5
    )
    pair(root, "data_C4/images_C4/4_endocv2021_positive_34.jpg", None, 6)
    write(root / "data_C4/masks_C4/4_endocv2021_positive_34_mask.jpg", disc())
    positive = "sequenceData/positive/seq2"
    pair(root, f"{positive}/images_seq2/0_a.jpg", f"{positive}/masks_seq2/0_a_mask.jpg", 7)
    pair(root, "sequenceData/negativeOnly/seq3_neg/n1.jpg", None, 8)
    return {
        "106OLCV1_100H0012": ("polypgen-c1", "polypgen-c1-106olcv1", None),
        "106OLCV1_100H0014": ("polypgen-c1", "polypgen-c1-106olcv1", None),
        "100H0050": ("polypgen-c1", None, None),
        "C3_EndoCV2021_00489_": ("polypgen-c3", None, None),
        "4_endocv2021_positive_34": ("polypgen-c4", "polypgen-c4-4", None),
        "0_a": ("polypgen-seq", "polypgen-seq-seq2", None),
        "n1": ("polypgen-neg", "polypgen-neg-seq3_neg", None),
    }


def bkai(root):
    for seed, (name, colour) in enumerate({"red": (0, 0, 255), "green": (0, 255, 0)}.items()):
        coloured = np.zeros((HEIGHT_PX, WIDTH_PX, 3), np.uint8)
        coloured[disc() > 0] = colour
        pair(root, f"train/train/{name}.jpeg", f"train_gt/train_gt/{name}.jpeg", seed, coloured)
    write(root / "test/test/x.jpeg", picture(9))  # published without masks
    return dict.fromkeys(("red", "green"), ("bkai-igh", None, None))


def sun_seg(root):
    for part, case in (("TrainDataset", "case1_1"), ("TestEasyDataset/Seen", "case1_3")):
        at = f"{part}/{{}}/{case}/{case}_image0001.{{}}"
        pair(root, at.format("Frame", "jpg"), at.format("GT", "png"), len(part))
    return {
        "case1_1_image0001": ("sun-seg", "sun-seg-case1", "train"),
        "case1_3_image0001": ("sun-seg", "sun-seg-case1", "test"),
    }


def pranet(root):
    for seed, name in enumerate((*KVASIR, "27")):
        pair(root, f"TrainDataset/image/{name}.png", f"TrainDataset/mask/{name}.png", seed)
    for seed, (folder, name) in enumerate([("Kvasir", "x1"), ("CVC-300", "149"), ("ETIS-LaribPolypDB", "7")]):
        at = f"TestDataset/{folder}/{{}}/{name}.png"
        pair(root, at.format("images"), at.format("masks"), 20 + seed)
    return {
        KVASIR[0]: ("kvasir-seg", None, "train"),
        KVASIR[1]: ("kvasir-seg", None, "train"),
        "27": ("cvc-clinicdb", "clinicdb-seq02", "train"),
        "x1": ("kvasir-seg", None, "test"),
        "149": ("cvc-300", None, "test"),
        "7": ("etis", None, "test"),
    }


def pranet_in_plural(root):
    """As its archive has it: every image is one of Kvasir-SEG's layout or of plain folders, too."""
    for seed, name in enumerate(KVASIR):
        pair(root, f"TrainDataset/images/{name}.png", f"TrainDataset/masks/{name}.png", seed)
    pair(root, "TrainDataset/images/28.png", "TrainDataset/masks/28.png", 5)
    pair(root, "TestDataset/Kvasir/images/x1.png", "TestDataset/Kvasir/masks/x1.png", 6)
    return {
        **dict.fromkeys(KVASIR, ("kvasir-seg", None, "train")),
        "28": ("cvc-clinicdb", "clinicdb-seq02", "train"),
        "x1": ("kvasir-seg", None, "test"),
    }


def paper(root):
    pair(root, "TrainDB/images/27.png", "TrainDB/masks/27.png", 1)
    pair(root, "TestDB/CVC-ColonDB/images/3.png", "TestDB/CVC-ColonDB/masks/3.png", 2)
    return {"27": ("cvc-clinicdb", "clinicdb-seq02", "train"), "3": ("cvc-colondb", None, "test")}


def plain(root):
    folders(root, 2)
    return dict.fromkeys("ab", ("tree", None, None))


def coco_in(root):
    from pycocotools import mask as coco_mask

    runs = coco_mask.encode(np.asfortranarray(disc() // 255))
    flat = np.asfortranarray(disc() // 255).ravel(order="F")
    edges = np.flatnonzero(np.diff(flat)) + 1
    counts = np.diff([0, *edges, len(flat)]).tolist()
    size = [HEIGHT_PX, WIDTH_PX]
    outlines = {
        "polygon": [[12, 8, 28, 8, 28, 24, 12, 24]],
        "runs": {"size": size, "counts": runs["counts"].decode()},
        "lengths": {"size": size, "counts": counts},
    }
    images, annotations = [], []
    for number, name in enumerate([*outlines, "none"]):
        write(root / f"images/{name}.png", picture(number))
        images.append({"id": number, "file_name": f"{name}.png", "width": WIDTH_PX, "height": HEIGHT_PX})
        if name in outlines:
            annotations.append(
                {"id": number, "image_id": number, "category_id": 1, "segmentation": outlines[name]}
            )
    value = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "polyp"}]}
    (root / "annotations").mkdir()
    (root / "annotations/instances.json").write_text(json.dumps(value))
    return dict.fromkeys((*outlines, "none"), ("tree", None, None))


def labelme(root):
    shapes = {
        "box": {"shape_type": "rectangle", "points": [[12, 8], [28, 24]]},
        "ring": {"shape_type": "circle", "points": [[20, 16], [20, 24]]},
        "corners": {"shape_type": "polygon", "points": [[12, 8], [28, 8], [28, 24], [12, 24]]},
    }
    for seed, name in enumerate([*shapes, "nothing"]):
        write(root / f"{name}.jpg", picture(seed))
        found = [{"label": "polyp", **shapes[name]}] if name in shapes else []
        value = {"imagePath": f"{name}.jpg", "shapes": found}
        value |= {"imageWidth": WIDTH_PX, "imageHeight": HEIGHT_PX}
        (root / f"{name}.json").write_text(json.dumps(value))
    return dict.fromkeys((*shapes, "nothing"), ("tree", None, None))


def index_in(root):
    folders(root, 2)
    lines = [
        {"image": f"images/{name}.png", "mask": f"masks/{name}.png", "set": "s", "group": "same"}
        for name in "ab"
    ]
    write_lines(root, lines)
    return dict.fromkeys("ab", ("s", "same", None))


TREES = {
    "kvasir-seg": [kvasir],
    "cvc-clinicdb": [clinicdb, clinicdb_in_two_formats],
    "cvc-colondb": [colondb],
    "etis": [etis],
    "cvc-300": [cvc300],
    "polypgen": [polypgen],
    "bkai-igh": [bkai],
    "sun-seg": [sun_seg],
    "pranet": [pranet, pranet_in_plural, paper],
    "folders": [plain],
    "coco": [coco_in],
    "labelme": [labelme, labelme_masks],
    "label-studio": [label_studio],
    "cvat": [cvat_images, cvat_video],
    "voc": [voc],
    "nnunet": [nnunet],
    "yolo": [yolo],
    "index": [index_in],
}
CASES = [(name, make) for name, makers in TREES.items() for make in makers]


def test_every_layout_of_the_table_has_a_tree_here():
    assert set(TREES) == set(LAYOUTS)


@pytest.mark.parametrize(("name", "make"), CASES, ids=[make.__name__ for _, make in CASES])
def test_a_tree_is_recognised_and_read_as_its_publisher_means_it(tmp_path, name, make):
    root = tmp_path / "tree"
    expected = make(root)

    assert layout_of(source_of(root)) == name
    found = find_samples([root], Wishes())

    assert found.problems == ()
    assert len(found.samples) == len(expected)
    assert {s.image.stem: (s.set, s.group, s.split) for s in found.samples} == expected


@pytest.mark.parametrize("make", [make for _, make in CASES], ids=[make.__name__ for _, make in CASES])
def test_every_mask_can_be_read_from_the_index_as_zero_and_one(tmp_path, make):
    root = tmp_path / "tree"
    make(root)

    prepared = prepare([root], tmp_path / "out")

    assert prepared.problems == ()
    for record in load_index(tmp_path / "out").records:
        without = record.image.rpartition("/")[2].split(".")[0] in ("none", "nothing", "n1")
        assert (record.mask is None) == without
        if record.mask is not None:
            mask = cv2.imread(str(tmp_path / "out" / record.mask), cv2.IMREAD_GRAYSCALE) > 127
            wanted = disc() > 0
            overlap = (mask & wanted).sum() / (mask | wanted).sum()
            assert overlap > (0.7 if mask.sum() == 256 else 0.85)  # a square about the disc; the disc


def test_a_polygon_covers_the_pixels_whose_centre_it_holds(tmp_path):
    root = tmp_path / "tree"
    coco_in(root)
    prepare([root], tmp_path / "out")

    mask = cv2.imread(str(tmp_path / "out/masks/tree/polygon.png"), cv2.IMREAD_GRAYSCALE)

    expected = np.zeros_like(mask)
    expected[8:24, 12:28] = 255
    assert np.array_equal(mask, expected)


def test_only_the_label_that_is_asked_for_becomes_a_mask(tmp_path):
    root = tmp_path / "tree"
    labelme(root)
    value = json.loads((root / "box.json").read_text())
    value["shapes"][0]["label"] = "instrument"
    (root / "box.json").write_text(json.dumps(value))

    found = find_samples([root], Wishes(labels={"polyp"}))

    assert [s.image.stem for s in found.samples if s.mask is None] == ["box", "nothing"]


def test_a_folder_that_fits_two_layouts_names_both(tmp_path):
    folders(tmp_path, 1)
    (tmp_path / "coco.json").write_text('{"images": [], "annotations": []}')

    with pytest.raises(FaultError, match="coco, folders") as caught:
        find_samples([tmp_path], Wishes())

    assert caught.value.code is FaultCode.DATA_SET


def test_a_benchmark_beside_another_set_is_not_taken_for_plain_folders_whose_test_images_are_trained_on(
    tmp_path,
):
    pranet_in_plural(tmp_path / "data")
    folders(tmp_path / "data" / "more", 1)

    with pytest.raises(FaultError, match="pranet, folders"):
        find_samples([tmp_path / "data"], Wishes())


def test_a_folder_that_fits_none_names_all_layouts_and_what_is_there(tmp_path):
    write(tmp_path / "stuff" / "a.png", picture(0))

    with pytest.raises(FaultError, match=r"should lie as one of: .*kvasir-seg, .* \(stuff\):"):
        find_samples([tmp_path], Wishes())


def test_the_layout_that_is_named_counts_whatever_the_files_look_like(tmp_path):
    found = find_samples([folders(tmp_path / "data")], Wishes(layout="etis"))

    assert {sample.set for sample in found.samples} == {"etis"}


def test_the_folder_itself_may_be_the_part_that_a_layout_names(tmp_path):
    pranet(tmp_path / "tree")

    found = find_samples([tmp_path / "tree" / "TestDataset"], Wishes())

    assert {sample.split for sample in found.samples} == {"test"}


def test_clinicdb_has_29_sequences_without_a_gap():
    numbers = [clinicdb_sequence(frame) for frame in range(1, 613)]

    assert len(CLINICDB_STARTS) == 29
    assert numbers == sorted(numbers)
    assert set(numbers) == set(range(1, 30))
    assert clinicdb_sequence(613) is None
