"""Stored frames for parity and for measuring: of the bundled demonstration, or a folder of pictures."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import av
import cv2
import numpy as np

from engine.faults import FaultCode, FaultError
from engine.types import U8, Size

FRAMES = 24
PICTURES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff"})


def stored_frames(size: Size, folder: Path | None = None, count: int = FRAMES) -> list[U8]:
    """Up to `count` pictures, uint8 [h, w, 3] RGB at the network's size, evenly taken.

    Raises FaultError SOURCE_MISSING or SOURCE_UNREADABLE when there are none.
    """
    return _of_demonstration(size, count) if folder is None else _of_folder(folder, size, count)


def _of_demonstration(size: Size, count: int) -> list[U8]:
    with (
        resources.as_file(resources.files("assets").joinpath("demo", "demo.mp4")) as path,
        av.open(str(path)) as container,
    ):
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        every = max(1, (stream.frames or count) // count)
        chosen = (frame for number, frame in enumerate(container.decode(stream)) if number % every == 0)
        pictures = [
            frame.reformat(size.width_px, size.height_px, "rgb24", interpolation="AREA").to_ndarray()
            for frame in chosen
        ]
    return [np.asarray(picture, np.uint8) for picture in pictures[:count]]


def _of_folder(folder: Path, size: Size, count: int) -> list[U8]:
    files = sorted(path for path in folder.glob("*") if path.suffix.lower() in PICTURES)
    taken = files[:: max(1, len(files) // count)][:count]
    if not taken:
        raise FaultError(
            FaultCode.SOURCE_MISSING,
            expected="a folder with pictures (jpg, png, bmp, tif)",
            got=f"none in {folder}",
            remedy="name another one with --frames",
        )
    return [_picture(path, size) for path in taken]


def _picture(path: Path, size: Size) -> U8:
    image = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise FaultError(
            FaultCode.SOURCE_UNREADABLE,
            expected="a picture",
            got=f"{path}, which is none",
            remedy="take it out of the folder",
        )
    small = cv2.resize(image, (size.width_px, size.height_px), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2RGB), np.uint8)
