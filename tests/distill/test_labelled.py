"""An image and its mask lie on each other in every verb, and an index's labels and hashes count."""

import json

import cv2
import numpy as np
import pytest

from distill.__main__ import main
from distill.data.dataset import Pictures
from distill.data.index import Record, load_index
from distill.data.prepare import prepare
from distill.data.splits import TEST, split_of
from distill.recipe import DataPart
from engine.faults import FaultCode, FaultError
from engine.sources.orientation import orientation_of, oriented
from tests.distill.trees import disc, folders, picture, read_lines, write, write_lines
from tests.fixtures.models import red_model

MASK = np.zeros((96, 128), np.uint8)
MASK[16:48, 24:72] = 255


def jpeg(path, orientation):
    """A red box on grey where MASK is, as stored, with an EXIF orientation."""
    pixels = np.full((*MASK.shape, 3), 120, np.uint8)
    pixels[MASK > 0] = (0, 0, 255)
    data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 98])[1].tobytes()
    block = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01" + bytes([0, orientation]) + bytes(6)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data[:2] + b"\xff\xe1" + (len(block) + 2).to_bytes(2, "big") + block + data[2:])


def red(image):
    """uint8 [h, w] of an RGB picture."""
    return ((image[..., 0] > 170) & (image[..., 1] < 90)).astype(np.uint8)


def overlap(one, other):
    return ((one > 0) & (other > 0)).sum() / ((one > 0) | (other > 0)).sum()


# EXIF


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_mask_drawn_on_the_stored_pixels_lies_on_its_picture_in_every_verb(tmp_path, orientation, caplog):
    root = tmp_path / "set"
    jpeg(root / "images/a.jpg", orientation)
    write(root / "masks/a.png", MASK)

    with caplog.at_level("INFO"):
        assert main(["prepare", str(root), "--out", str(tmp_path / "out")]) == 0
    told = f"orientation {orientation}" in caplog.text
    index = load_index(tmp_path / "out")
    pictures = Pictures(index.root, index.records)
    figures = tmp_path / "figures.json"
    words = ["--images", str(root / "images"), "--masks", str(root / "masks"), "--json", str(figures)]
    assert main(["evaluate", str(red_model(tmp_path)), *words]) == 0

    assert told == (orientation != 1)
    assert overlap(red(pictures.images[0]), pictures.masks[0]) > 0.95
    assert np.array_equal(pictures.masks[0], oriented(MASK, orientation) // 255)
    assert json.loads(figures.read_text())["p05_image"]["dice"] > 0.95
    assert main(["audit", str(tmp_path / "out")]) == 0


@pytest.mark.parametrize("orientation", range(5, 9))
def test_a_mask_of_the_turned_size_is_as_it_should_be(tmp_path, orientation):
    root = tmp_path / "set"
    jpeg(root / "images/a.jpg", orientation)
    write(root / "masks/a.png", oriented(MASK, orientation))

    assert prepare([root], tmp_path / "out").problems == ()

    index = load_index(tmp_path / "out")
    pictures = Pictures(index.root, index.records)
    assert overlap(red(pictures.images[0]), pictures.masks[0]) > 0.95


def test_outlines_were_drawn_on_the_turned_picture(tmp_path):
    """Tools show it turned; only where the size is that of the stored pixels they were drawn on those."""
    root = tmp_path / "set"
    corners = [[24, 16], [72, 16], [72, 48], [24, 48]]
    jpeg(root / "stored.jpg", 6)
    jpeg(root / "shown.jpg", 3)
    shown = [[128 - x, 96 - y] for x, y in corners]
    for name, points in (("stored", corners), ("shown", shown)):
        shape = {"label": "polyp", "shape_type": "polygon", "points": points}
        value = {"imagePath": f"{name}.jpg", "shapes": [shape], "imageWidth": 128, "imageHeight": 96}
        (root / f"{name}.json").write_text(json.dumps(value))

    assert prepare([root], tmp_path / "out").problems == ()

    index = load_index(tmp_path / "out")
    pictures = Pictures(index.root, index.records)
    for image, mask in zip(pictures.images, pictures.masks, strict=True):
        assert overlap(red(image), mask) > 0.95


def test_a_prepared_index_prepared_again_turns_nothing_twice(tmp_path):
    jpeg(tmp_path / "set/images/a.jpg", 3)
    write(tmp_path / "set/masks/a.png", MASK)

    prepare([tmp_path / "set"], tmp_path / "one")
    prepare([tmp_path / "one"], tmp_path / "two")

    for name in ("one", "two"):
        index = load_index(tmp_path / name)
        pictures = Pictures(index.root, index.records)
        assert overlap(red(pictures.images[0]), pictures.masks[0]) > 0.95


def test_the_orientation_is_read_from_every_kind_of_still():
    image = pytest.importorskip("PIL.Image")
    import io

    for kind in ("JPEG", "PNG", "WEBP", "TIFF"):
        for orientation in range(1, 9):
            exif = image.Exif()
            exif[0x0112] = orientation
            stream = io.BytesIO()
            image.fromarray(picture(0)).save(stream, kind, exif=exif)
            assert orientation_of(stream.getvalue()) == orientation
    assert orientation_of(b"\xff\xd8\xff\xe1\0\x09Exif\0\0M") == 1
    assert orientation_of(b"") == 1


# Labels


def three(root):
    """A polyp, a polyp-free image and one that nobody has labelled; without masks for the last two."""
    folders(root, 3)
    labels = {"a": "polyp", "b": "no-polyp", "c": "unlabelled"}
    lines = [
        {
            "image": f"images/{name}.png",
            "mask": f"masks/{name}.png" if label == "polyp" else None,
            "label": label,
            "set": "s",
            "group": name,
            "split": "test",
        }
        for name, label in labels.items()
    ]
    return write_lines(root, lines)


def test_an_unlabelled_image_is_on_no_side_of_a_split(tmp_path):
    root = folders(tmp_path, 8)
    lines = [
        {"image": f"images/{n}.png", "mask": None, "set": "s", "group": n, "label": "no-polyp"}
        for n in "abcdefgh"
    ]
    lines[2]["label"] = lines[5]["label"] = "unlabelled"
    records = load_index(write_lines(root, lines)).records

    split = split_of(records, DataPart(folds=3, validation_groups=()))

    assert sorted(split.train + split.validation) == [0, 1, 3, 4, 6, 7]


def test_an_unlabelled_image_is_neither_trained_on_nor_a_negative_in_figures(tmp_path, capsys):
    root = three(tmp_path)
    records = load_index(root).records

    with pytest.raises(FaultError, match=r"images/c\.png is unlabelled"):
        Pictures(root, records)
    for name in "bc":
        (root / "free").mkdir(exist_ok=True)
        (root / f"images/{name}.png").rename(root / f"free/{name}.png")
        (root / f"masks/{name}.png").unlink()
    words = ["--images", str(root / "images"), "--masks", str(root / "masks")]
    words += ["--negatives", str(root / "free"), "--index", str(root / "index.jsonl")]
    assert main(["evaluate", str(red_model(tmp_path)), *words]) == 3
    assert "c not in it, or unlabelled there" in capsys.readouterr().err


def test_prepare_keeps_the_label_of_what_nobody_has_labelled(tmp_path):
    assert prepare([three(tmp_path / "set")], tmp_path / "out").problems == ()

    assert [line["label"] for line in read_lines(tmp_path / "out")] == ["polyp", "no-polyp", "unlabelled"]


def test_published_test_lists_leave_unlabelled_images_out(tmp_path):
    records = load_index(three(tmp_path)).records

    split = split_of(
        (*records, *(Record(f"{n}", None, "s", f"g{n}", split="train") for n in range(4))),
        DataPart(split="listed", folds=2, validation_groups=()),
    )

    assert split.test == (0, 1)
    assert records[2].split == TEST


def test_a_polyp_whose_mask_is_missing_is_no_polyp_free_image(tmp_path):
    line = {"image": "a.png", "mask": None, "set": "s", "group": "g", "label": "polyp"}

    with pytest.raises(FaultError, match=r"a mask for a\.png"):
        load_index(write_lines(tmp_path, [line]))


@pytest.mark.parametrize(("label", "mask"), [("no-polyp", disc()), ("polyp", disc() * 0)])
def test_a_label_that_its_mask_contradicts_is_not_trained_on(tmp_path, label, mask):
    write(folders(tmp_path, 1) / "masks/a.png", mask)
    record = Record("images/a.png", "masks/a.png", "s", "g", label=label)

    with pytest.raises(FaultError, match=r"masks/a\.png|images/a\.png"):
        Pictures(tmp_path, [record])


# Hashes


@pytest.mark.parametrize("changed", ["images", "masks"])
def test_a_file_that_is_not_the_one_that_was_indexed_is_not_trained_on(tmp_path, changed):
    prepare([folders(tmp_path / "set", 1)], tmp_path / "out")
    records = load_index(tmp_path / "out").records
    Pictures(tmp_path / "out", records)
    write(tmp_path / f"set/{changed}/a.png", picture(7) if changed == "images" else disc(30))

    with pytest.raises(FaultError, match=rf"{changed}/a\.png is not the file") as caught:
        Pictures(tmp_path / "out", records)

    assert caught.value.code is FaultCode.DATA_SET


def test_teachers_may_look_at_what_nobody_has_labelled(tmp_path):
    from distill.agglomerate.tasks import Task, pool_of
    from distill.data.unlabelled import Unlabelled

    root = three(tmp_path / "more")
    pool = pool_of(tmp_path, (Task("polyp", (), (), (), "set"),), root)

    assert len(pool) == 3
    assert all(image.shape == (36, 48, 3) for image in Unlabelled(tmp_path, pool).images)


def test_a_picture_of_twelve_bits_is_trained_on_as_it_is_shown(tmp_path):
    deep = picture(0).astype(np.uint16) * 16
    write(folders(tmp_path, 1) / "images/deep.png", deep)

    (shown,) = Pictures(tmp_path, [Record("images/deep.png", None, "s", "g")]).images

    assert np.array_equal(shown[..., ::-1], picture(0))


@pytest.mark.parametrize("folder", ["images", "masks"])
def test_a_file_of_several_pages_is_refused_by_name(tmp_path, capsys, folder):
    root = folders(tmp_path / "set", 1)
    (root / f"{folder}/a.png").unlink()
    pages = [picture(1), picture(2)] if folder == "images" else [disc(), disc() * 0]
    assert cv2.imwritemulti(str(root / f"{folder}/a.tif"), pages)

    assert main(["prepare", str(root), "--out", str(tmp_path / "out")]) == 3

    assert f"{folder}/a.tif: 2 pages" in capsys.readouterr().err
