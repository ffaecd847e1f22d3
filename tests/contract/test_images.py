"""A folder of stills is a source: sorted by name, pixels as stored, bad files named and passed over."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.faults import FaultCode, FaultError
from engine.sources import open_source, parse_source
from engine.types import Size

BLUE, GREEN, RED = (200, 30, 20), (20, 180, 30), (30, 20, 210)


def save(path, bgr, size=(64, 48)):
    assert cv2.imwrite(str(path), np.full((size[1], size[0], 3), bgr, np.uint8))


@pytest.fixture
def folder(tmp_path):
    save(tmp_path / "b.png", GREEN)
    save(tmp_path / "a.bmp", BLUE, size=(100, 80))
    save(tmp_path / "c.tif", RED)
    (tmp_path / "notes.txt").write_text("not a picture")
    (tmp_path / "._a.bmp").write_bytes(b"what macOS leaves behind")
    return tmp_path


def opened(path):
    return open_source(parse_source(str(path)))


def test_pictures_come_by_name_with_their_own_sizes(folder):
    source = opened(folder)

    pictures = [source.read() for _ in range(3)]

    assert [(picture.index, picture.name) for picture in pictures] == [
        (0, "a.bmp"),
        (1, "b.png"),
        (2, "c.tif"),
    ]
    assert [(picture.width_px, picture.height_px) for picture in pictures] == [(100, 80), (64, 48), (64, 48)]
    assert [tuple(picture.bgra()[5, 5, :3]) for picture in pictures] == [BLUE, GREEN, RED]
    assert source.read() is None


def test_two_pictures_a_second(folder):
    source = opened(folder)

    assert [source.read().pts_s for _ in range(3)] == [0.0, 0.5, 1.0]
    assert (source.info.rate_hz, source.info.duration_s, source.info.frames) == (2.0, 1.5, 3)


def test_any_picture_can_be_asked_for(folder):
    source = opened(folder)

    for asked, name in ((2, "c.tif"), (0, "a.bmp"), (-3, "a.bmp"), (99, "c.tif")):
        source.seek(asked)
        assert source.read().name == name


@pytest.mark.parametrize(("pts_s", "rank"), [(-1, 0), (0.0, 0), (0.49, 0), (0.5, 1), (1.0, 2), (50, 2)])
def test_index_at_is_the_picture_on_the_screen(folder, pts_s, rank):
    assert opened(folder).index_at(pts_s) == rank


def test_a_damaged_picture_is_named_and_the_next_one_comes(folder):
    (folder / "b.png").write_bytes(b"\x89PNG broken")
    source = opened(folder)
    source.read()

    with pytest.raises(FaultError) as caught:
        source.read()

    assert caught.value.code is FaultCode.SOURCE_UNREADABLE
    assert "b.png" in caught.value.expected
    assert not caught.value.fatal
    assert source.read().index == 2


def test_a_folder_of_damaged_pictures_does_not_open(tmp_path):
    (tmp_path / "a.png").write_bytes(b"nothing")

    with pytest.raises(FaultError) as caught:
        opened(tmp_path)

    assert caught.value.code is FaultCode.SOURCE_UNREADABLE


def test_one_picture_is_a_source_too(folder):
    source = opened(folder / "b.png")

    assert source.read().name == "b.png"
    assert source.read() is None


def test_a_missing_picture_is_missing(tmp_path):
    with pytest.raises(FaultError) as caught:
        opened(tmp_path / "gone.png")

    assert caught.value.code is FaultCode.SOURCE_MISSING


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        (np.full((8, 8), 100, np.uint8), (100, 100, 100)),
        (np.full((8, 8), 100 * 257, np.uint16), (100, 100, 100)),
        (np.full((8, 8, 3), (10 * 257, 20 * 257, 30 * 257), np.uint16), (10, 20, 30)),
        (np.full((8, 8, 4), (10, 20, 30, 0), np.uint8), (10, 20, 30)),
    ],
    ids=["gray", "gray-16", "colour-16", "transparent"],
)
def test_every_kind_of_pixel_becomes_eight_bit_colour(tmp_path, stored, shown):
    cv2.imwrite(str(tmp_path / "a.png"), stored)

    pixels = opened(tmp_path).read().bgra()

    assert tuple(pixels[0, 0]) == (*shown, 255)


def test_a_picture_is_turned_as_its_exif_says(tmp_path):
    save(tmp_path / "a.jpg", GREEN, size=(64, 32))
    data = (tmp_path / "a.jpg").read_bytes()
    # An EXIF block with nothing but "orientation 6: turn by 90 degrees".
    tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    exif = b"Exif\0\0" + tiff
    (tmp_path / "a.jpg").write_bytes(
        data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + data[2:]
    )
    assert cv2.imread(str(tmp_path / "a.jpg")).shape == (64, 32, 3)  # the block works

    picture = opened(tmp_path).read()

    assert (picture.width_px, picture.height_px) == (32, 64)


def test_the_networks_picture_is_rgb(folder):
    pixels = opened(folder).read().rgb(Size(16, 12))

    assert pixels.shape == (12, 16, 3)
    assert tuple(pixels[6, 8]) == BLUE[::-1]


def test_a_closed_folder_gives_nothing(folder):
    source = opened(folder)

    source.close()

    assert source.read() is None
