"""Picture files with more than one picture, and with more than eight bits."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from distill.data.pictures import read_picture
from engine.faults import FaultError
from engine.sources import open_source, parse_source
from engine.sources.stills import eight_bit, page_count

PAGES = 11


def page(number):
    picture = np.full((48, 64, 3), 20, np.uint8)
    picture[:, : 5 * number + 5] = (200, 10 * number, 90)
    return picture


def stack(path, pages=PAGES):
    assert cv2.imwritemulti(str(path), [page(number) for number in range(pages)])
    return path


def animation(path, frames=PAGES):
    animated = cv2.Animation()
    animated.frames = [cv2.cvtColor(page(number), cv2.COLOR_BGR2BGRA) for number in range(frames)]
    animated.durations = np.full(frames, 100, np.int32)
    path.write_bytes(np.asarray(cv2.imencodeanimation(path.suffix, animated)[1]).tobytes())
    return path


def big_tiff(path):
    """The same directories as a BigTIFF has them: a count and pointers of 64 bits, no pixels."""
    data = bytearray(b"II+\0\x08\0\0\0")
    for number in range(3):
        at = 16 + number * 36
        if number == 0:
            data += at.to_bytes(8, "little")
        data += (1).to_bytes(8, "little") + bytes(20) + (at + 36 if number < 2 else 0).to_bytes(8, "little")
    path.write_bytes(data)
    return path


def read_all(path):
    source = open_source(parse_source(str(path)))
    pictures, faults = [], []
    while True:
        try:
            picture = source.read()
        except FaultError as error:
            faults.append(error)
            continue
        if picture is None:
            source.close()
            return pictures, faults
        pictures.append(picture)


MAKERS = {"a.tif": stack, "a.tiff": stack, "a.png": animation, "a.webp": animation, "a.gif": animation}


@pytest.mark.parametrize("name", MAKERS)
def test_every_page_and_every_frame_is_a_picture(tmp_path, name):
    pictures, faults = read_all(MAKERS[name](tmp_path / name))

    assert faults == []
    assert [picture.index for picture in pictures] == list(range(PAGES))
    for number, picture in enumerate(pictures):
        bright = (picture.bgra()[24, :, 0] > 110).sum()
        assert bright == pytest.approx(5 * number + 5, abs=1)


def test_pages_have_names_of_their_own_and_stand_between_other_stills(tmp_path):
    stack(tmp_path / "b.tif", 2)
    for name in ("a.png", "c.png"):
        cv2.imwrite(str(tmp_path / name), page(1))

    pictures, _ = read_all(tmp_path)

    assert [picture.name for picture in pictures] == ["a.png", "b#1.tif", "b#2.tif", "c.png"]


def test_going_back_among_pages_gives_the_same_pictures(tmp_path):
    source = open_source(parse_source(str(stack(tmp_path / "a.tif"))))
    first = [source.read().bgra() for _ in range(PAGES)]

    for index in (9, 0, 10, 3):
        source.seek(index)
        assert np.array_equal(source.read().bgra(), first[index])
    source.close()


def test_pages_that_were_cut_off_are_faults_and_counted(tmp_path):
    path = stack(tmp_path / "a.tif")
    whole = path.read_bytes()
    # OpenCV writes each page's directory behind its pixels: the last one goes.
    path.write_bytes(whole[: len(whole) * 9 // 10])

    pictures, faults = read_all(path)

    assert 0 < len(pictures) < PAGES
    assert faults
    assert all(fault.lost_frames == 1 and not fault.harmless for fault in faults)


def test_a_tiff_whose_directories_go_round_in_a_circle_ends(tmp_path):
    path = tmp_path / "a.tif"
    path.write_bytes(
        b"II*\0" + (8).to_bytes(4, "little") + (0).to_bytes(2, "little") + (8).to_bytes(4, "little")
    )

    assert page_count(path) == 1


def test_big_tiffs_are_counted(tmp_path):
    assert page_count(big_tiff(tmp_path / "a.tif")) == 3


@pytest.mark.parametrize("bits", [8, 10, 12])
def test_a_cameras_bits_in_sixteen_are_shown_at_full_brightness_and_told(tmp_path, bits):
    shown = cv2.cvtColor(page(4), cv2.COLOR_BGR2GRAY)
    cv2.imwrite(str(tmp_path / "a.png"), shown.astype(np.uint16) << (bits - 8))

    pictures, (fault,) = read_all(tmp_path / "a.png")

    assert np.array_equal(pictures[0].bgra()[..., 0], shown)
    assert fault.harmless
    assert f"{bits} bits" in fault.said
    assert np.array_equal(read_picture(tmp_path / "a.png", colour=True).pixels[..., 0], shown)


def test_sixteen_bits_that_are_used_stay_what_they_are():
    assert eight_bit(np.array([[0, 30 * 257, 65535]], np.uint16)).pixels.tolist() == [[0, 30, 255]]
