"""Whether two decoders give the same colours: matrix and range are lost easily on the way through a GPU."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame

from engine.sources.file.decoding import Decoder
from engine.sources.file.demux import open_file
from engine.sources.file.hardware import NOT_THIS_STREAM, Hardware, HardwareFailedError
from engine.sources.picture import Converter
from engine.types import U8, Size

# Another rounding of the same sums; a wrong matrix costs 8 levels on mucosa, a wrong range 16.
MOST_LEVELS = 3
SIZE_PX = 256  # the smallest pictures that every hardware decoder takes are 144 high
FIELDS = 8  # a side
FRAMES = 4
NETWORK = Size(64, 64)
# AVCOL_SPC_* and AVCOL_RANGE_* as a recorder tags them.
TAGS = {
    "bt601 limited": (6, 1),
    "bt601 full": (6, 2),
    "bt709 limited": (1, 1),
    "bt709 full": (1, 2),
}


@dataclass(frozen=True, slots=True)
class ColourDifference:
    """`levels`: largest difference of a channel, 0..255, on the screen or for the network."""

    levels: int
    pictures: int

    @property
    def is_parity(self) -> bool:
        return self.pictures > 0 and self.levels <= MOST_LEVELS


def colour_difference(reference: Iterable[U8], other: Iterable[U8]) -> ColourDifference:
    """What `colours_of` gave of two decoders. Raises ValueError for other numbers of pictures or shapes."""
    levels = pictures = 0
    for one, two in zip(reference, other, strict=True):
        if one.shape != two.shape:
            raise ValueError(f"colours of {one.shape} and {two.shape} cannot be compared")
        levels = max(levels, int(np.abs(one.astype(np.int16) - two.astype(np.int16)).max(initial=0)))
        pictures += 1
    return ColourDifference(levels, pictures)


def colours_of(path: Path, hardware: Hardware | None = None) -> Iterator[U8]:
    """The fields' colours in each picture of a check clip, uint8 [8, 8, 3]: on the screen, for the network.

    In the middle of a field: where two meet, swscale enlarges the chroma of a GPU's nv12 by another rule than
    that of yuv420p, and one row may be 40 levels off.

    Raises FaultError as `open_file`, HardwareFailedError when the hardware does not decode them.
    """
    converter = Converter()
    decoder = Decoder(partial(open_file, path), path.name, throughput=False, threads=1, hardware=hardware)
    with closing(decoder):
        if hardware is not None and not decoder.on_hardware:
            raise HardwareFailedError(NOT_THIS_STREAM)
        while (frame := decoder.next()) is not None:
            for picture in (converter.bgra(frame)[..., 2::-1], converter.rgb(frame, NETWORK)):
                side = picture.shape[0] // FIELDS
                yield picture[side // 2 :: side, side // 2 :: side]


def check_clips(folder: Path) -> dict[str, Path]:
    """Writes a short H.264 clip of coloured fields for each line of TAGS: the same Y, Cb and Cr, other tags.

    Raises av.FFmpegError or ValueError where this PyAV has no H.264 encoder.
    """
    return {name: _write(folder / f"{name.replace(' ', '-')}.mp4", *tags) for name, tags in TAGS.items()}


def _write(path: Path, matrix: int, range_: int) -> Path:
    rng = np.random.default_rng(3)
    # Colours that RGB has, so that nothing is cut off: luma in the middle, chroma around grey.
    planes = []
    for low, high, side_px in ((80, 170, SIZE_PX), (100, 156, SIZE_PX // 2), (100, 156, SIZE_PX // 2)):
        field = np.ones((side_px // FIELDS, side_px // FIELDS), np.uint8)
        planes.append(np.kron(rng.integers(low, high, (FIELDS, FIELDS), np.uint8), field))
    flat = np.concatenate([plane.reshape(-1) for plane in planes]).reshape(SIZE_PX * 3 // 2, SIZE_PX)
    pixel_format = "yuvj420p" if range_ == 2 else "yuv420p"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "4", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = SIZE_PX, SIZE_PX, pixel_format
        stream.codec_context.colorspace, stream.codec_context.color_range = matrix, range_
        for number in range(FRAMES):
            frame = VideoFrame.from_ndarray(flat, format=pixel_format)
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path
