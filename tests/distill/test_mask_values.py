"""What a mask means: one class on black in any coding is a mask, anything else is refused by name."""

import struct
import zlib

import cv2
import numpy as np
import pytest

from distill.__main__ import main
from distill.data.index import load_index
from distill.data.mask_values import UnclearMask, binary_of
from distill.data.masks import MaskFile, read_mask
from tests.distill.trees import write
from tests.fixtures.models import red_model

SIZE = (160, 120)
POLYP = np.zeros(SIZE[::-1], np.uint8)
cv2.ellipse(POLYP, (70, 50), (36, 22), 30, 0, 360, 1, -1)
TOOL = np.zeros_like(POLYP)
cv2.rectangle(TOOL, (120, 70), (140, 119), 1, -1)
AREA_PX = int(POLYP.sum())


def of_colours(polyp, tool=(0, 0, 0)):
    picture = np.zeros((*POLYP.shape, 3), np.uint8)
    picture[POLYP > 0] = polyp[::-1]
    picture[TOOL > 0] = tool[::-1]
    return picture


def of_alpha(alpha, colour=(0, 0, 0)):
    picture = np.zeros((*POLYP.shape, 4), np.uint8)
    picture[..., :3] = colour[::-1]
    picture[..., 3] = alpha
    return picture


def cut(pixels, quality):
    """The bytes of a JPEG."""
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


ONE_CLASS = {
    "0-255": POLYP * 255,
    "0-1": POLYP,
    "0-2": POLYP * 2,
    "faint-grey": POLYP * 60,
    "grey-127": POLYP * 127,
    "uint16-0-1": POLYP.astype(np.uint16),
    "uint16-0-256": POLYP.astype(np.uint16) * 256,
    "uint16-full": POLYP.astype(np.uint16) * 65535,
    "red": of_colours((255, 0, 0)),
    "dark-red": of_colours((128, 0, 0)),
    "blue": of_colours((0, 0, 255)),
    "alpha-black": of_alpha(POLYP * 255),
    "alpha-white": of_alpha(POLYP * 255, (255, 255, 255)),
    "alpha-half": of_alpha(POLYP * 128),
    "opaque": np.dstack([POLYP * 255] * 3 + [POLYP * 0 + 255]),
}
SEVERAL = {
    "0-1-2": POLYP + TOOL * 2,
    "100-200": POLYP * 100 + TOOL * 200,
    "1-and-void": POLYP + TOOL * 255,
    "thin-second": POLYP * 255 + cv2.line(np.zeros_like(POLYP), (130, 5), (150, 110), 100, 1),
    "no-background": POLYP + 1,
    "uint16-0-1-2": (POLYP + TOOL * 2).astype(np.uint16),
    "uint16-1-and-300": POLYP.astype(np.uint16) + TOOL.astype(np.uint16) * 300,
    "red-green": of_colours((255, 0, 0), (0, 255, 0)),
    "red-dark-red": of_colours((255, 0, 0), (120, 0, 0)),
    "red-white": of_colours((255, 0, 0), (255, 255, 255)),
    "alpha-of-two": of_alpha(POLYP * 255 + TOOL * 128),
    "alpha-inverted": of_alpha(255 - POLYP * 255),
}


@pytest.mark.parametrize("kind", ONE_CLASS)
def test_one_class_on_black_is_a_mask_however_it_is_written(tmp_path, kind):
    mask = read_mask(MaskFile(write(tmp_path / "m.png", ONE_CLASS[kind])))

    assert np.array_equal(mask.binary, POLYP)


@pytest.mark.parametrize("kind", SEVERAL)
def test_what_may_be_several_classes_is_refused(tmp_path, kind):
    with pytest.raises(UnclearMask):
        read_mask(MaskFile(write(tmp_path / "m.png", SEVERAL[kind])))


@pytest.mark.parametrize("bits", [1, 8])
def test_a_palette_counts_by_its_colours_and_one_bit_is_black_and_white(tmp_path, bits):
    image = pytest.importorskip("PIL.Image")
    if bits == 1:
        image.fromarray(POLYP > 0).save(tmp_path / "m.png")
        assert np.array_equal(read_mask(MaskFile(tmp_path / "m.png")).binary, POLYP)
        return
    for name, pixels in (("one", POLYP), ("two", POLYP + TOOL * 2)):
        picture = image.fromarray(pixels, "P")
        picture.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0])
        picture.save(tmp_path / f"{name}.png")
    assert np.array_equal(read_mask(MaskFile(tmp_path / "one.png")).binary, POLYP)
    with pytest.raises(UnclearMask, match="several"):
        read_mask(MaskFile(tmp_path / "two.png"))


@pytest.mark.parametrize("quality", [20, 50, 75, 95])
@pytest.mark.parametrize("resaved", [True, False], ids=["png", "jpg"])
def test_compression_at_the_edges_is_no_class_and_a_second_class_is_one(tmp_path, quality, resaved):
    def file(pixels):
        path = tmp_path / "m.jpg"
        path.write_bytes(cut(pixels, quality))
        return write(tmp_path / "m.png", cv2.imread(str(path), -1)) if resaved else path

    mask = read_mask(MaskFile(file(POLYP * 255))).binary
    assert (mask != POLYP).sum() < 0.03 * AREA_PX
    for pixels in (POLYP * 255 + TOOL * 120, POLYP * 100 + TOOL * 200):
        with pytest.raises(UnclearMask):
            read_mask(MaskFile(file(pixels)))


@pytest.mark.parametrize("scale", [0.5, 0.7, 1.5, 2, 4])
@pytest.mark.parametrize("how", [cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_AREA])
def test_scaled_masks_have_grey_edges_and_no_second_class(scale, how):
    scaled = cv2.resize(POLYP * 255, None, fx=scale, fy=scale, interpolation=how)

    assert binary_of(scaled, True).binary.mean() == pytest.approx(POLYP.mean(), rel=0.03)


def test_black_is_empty_and_only_black():
    assert not binary_of(POLYP * 0, True).binary.any()
    with pytest.raises(UnclearMask):
        binary_of(POLYP * 0 + 7, True)


# All verbs


def a_set(root, masks):
    for number, mask in enumerate(masks):
        noise = np.random.default_rng(number).integers(0, 255, (*POLYP.shape, 3), np.uint8)
        write(root / f"images/f{number}.png", cv2.GaussianBlur(noise, (0, 0), 6))
        write(root / f"masks/f{number}.png", mask)
    return root


def verbs(root, tmp_path):
    """prepare, evaluate, score, audit: their exit codes."""
    lines = [
        f'{{"image": "images/{p.name}", "mask": "masks/{p.name}", "set": "s", "group": "{p.stem}"}}\n'
        for p in sorted((root / "images").iterdir())
    ]
    model = red_model(tmp_path)
    codes = [
        main(["prepare", str(root), "--out", str(tmp_path / "out")]),
        main(["evaluate", str(model), "--images", str(root / "images"), "--masks", str(root / "masks")]),
        main(["score", "--predictions", str(root / "masks"), "--masks", str(root / "masks")]),
    ]
    (root / "index.jsonl").write_text("".join(lines))
    return [*codes, main(["audit", str(root)])]


@pytest.mark.parametrize("kind", ["0-1", "uint16-0-1", "alpha-black", "red", "faint-grey"])
def test_every_verb_takes_one_class_as_the_mask(tmp_path, kind):
    root = a_set(tmp_path / "set", [ONE_CLASS[kind], ONE_CLASS[kind]])

    assert verbs(root, tmp_path) == [0, 0, 0, 0]

    for record in load_index(tmp_path / "out").records:
        made = cv2.imread(str(tmp_path / "out" / record.mask), cv2.IMREAD_GRAYSCALE)
        assert np.array_equal(made, POLYP * 255)


@pytest.mark.parametrize(
    "masks",
    [[POLYP * 255, POLYP + TOOL * 2], [POLYP, TOOL * 2], [of_colours((255, 0, 0)), of_colours((0, 255, 0))]],
    ids=["classes-in-one", "a-class-each", "a-colour-each"],
)
def test_every_verb_refuses_classes_and_names_the_mask(tmp_path, capsys, caplog, masks):
    root = a_set(tmp_path / "set", masks)

    assert verbs(root, tmp_path) == [3, 3, 3, 3]

    assert capsys.readouterr().err.count("masks/f1.png") >= 3
    assert not (tmp_path / "out").exists()


def test_training_refuses_classes_and_names_the_mask(tmp_path):
    from distill.data.dataset import Pictures
    from distill.data.index import Record
    from engine.faults import FaultCode, FaultError

    root = a_set(tmp_path / "set", [POLYP, TOOL * 2])
    records = [Record(f"images/f{n}.png", f"masks/f{n}.png", "s", f"g{n}") for n in (0, 1)]

    with pytest.raises(FaultError, match=r"f1\.png") as caught:
        Pictures(root, records)

    assert caught.value.code is FaultCode.DATA_SET


def test_a_class_is_taken_by_its_value(tmp_path, capsys):
    root = a_set(tmp_path / "set", [POLYP + TOOL * 2] * 2)
    words = ["prepare", str(root), "--out", str(tmp_path / "out"), "--label"]

    assert main([*words, "7"]) == 3
    assert "no polyp in any mask with the label 7" in capsys.readouterr().err
    assert main([*words, "polyp"]) == 2
    assert main([*words, "1"]) == 0

    for record in load_index(tmp_path / "out").records:
        made = cv2.imread(str(tmp_path / "out" / record.mask), cv2.IMREAD_GRAYSCALE)
        assert np.array_equal(made, POLYP * 255)


def test_numbers_whose_palette_is_all_black_are_no_empty_mask(tmp_path):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 8, 8, 8, 3, 0, 0, 0)
    rows = (b"\0" + bytes(4) + bytes([1] * 4)) * 8
    parts = [chunk(b"IHDR", head), chunk(b"PLTE", bytes(6)), chunk(b"IDAT", zlib.compress(rows))]
    (tmp_path / "m.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IEND", b""))

    with pytest.raises(UnclearMask, match="palette"):
        read_mask(MaskFile(tmp_path / "m.png"))
