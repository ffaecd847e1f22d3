"""Which matrix and range turn YUV into RGB: the tags, a stated assumption, or the user's word. Pure.

FFmpeg takes untagged video for BT.601 limited. Capture cards and endoscopy recorders rarely tag and mean
BT.709 from 720 lines up: up to 8 levels on a mucosa tone (measured).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.faults import FaultCode, FaultError

# ITU-T H.273 matrix coefficients, as decoders tag frames -> our word.
_WORD_OF_TAG = {1: "bt709", 4: "fcc", 5: "bt601", 6: "bt601", 7: "smpte240m", 9: "bt2020", 10: "bt2020"}
# Our word -> swscale's number for the same matrix.
_SWSCALE = {"bt709": 1, "fcc": 4, "bt601": 5, "smpte240m": 7, "bt2020": 9}
_LIMITED, _FULL = 1, 2  # AVCOL_RANGE_MPEG, AVCOL_RANGE_JPEG
_HD_FROM_LINES = 720


@dataclass(frozen=True, slots=True)
class ColourTags:
    """What the decoder says of a frame. `matrix` and `range` are FFmpeg's numbers."""

    pixel_format: str
    matrix: int
    range: int
    height_px: int


@dataclass(frozen=True, slots=True)
class Colour:
    """What is used. `word` is the matrix, None where the pixels are RGB already; `text` is for people."""

    word: str | None
    full: bool
    text: str

    @property
    def matrix(self) -> int | None:
        """swscale's number."""
        return None if self.word is None else _SWSCALE[self.word]

    @property
    def range(self) -> int:
        """FFmpeg's number, AVCOL_RANGE_*."""
        return _FULL if self.full else _LIMITED


def colour_of(tags: ColourTags, override: str = "auto") -> Colour:
    """Tagged values are honoured; untagged is BT.709 limited from 720 lines up, BT.601 limited below.

    `override` is "auto" or such as "bt709 limited", "bt601 full"; it wins over the tags, not over RGB pixels.
    Raises FaultError ARGUMENT for an override that is none.
    """
    if _is_rgb(tags.pixel_format):
        return Colour(word=None, full=True, text="rgb full")
    # The yuvj formats are full range by definition, whatever is tagged or chosen: swscale insists.
    is_jpeg = tags.pixel_format.startswith("yuvj")
    if override != "auto":
        word, full = _parsed(override)
        full = full or is_jpeg
        return Colour(word, full, f"{_text(word, full)} (chosen)")
    tagged_word = _WORD_OF_TAG.get(tags.matrix)
    word = tagged_word or ("bt709" if tags.height_px >= _HD_FROM_LINES else "bt601")
    full = tags.range == _FULL or is_jpeg
    if tagged_word is None and not tags.pixel_format.startswith("gray"):
        return Colour(word, full, f"{_text(word, full)} (assumed)")
    return Colour(word, full, _text(word, full))


def _is_rgb(pixel_format: str) -> bool:
    return pixel_format.startswith(
        ("rgb", "bgr", "gbr", "argb", "abgr", "0rgb", "0bgr", "pal8", "x2rgb", "x2bgr")
    )


def _text(word: str, full: bool) -> str:
    return f"{word} {'full' if full else 'limited'}"


def _parsed(override: str) -> tuple[str, bool]:
    match = re.fullmatch(r"(\w+)(?: (limited|full))?", override.strip().lower())
    if match is None or match[1] not in _SWSCALE:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected=f"a colour such as 'auto', 'bt709 limited' or 'bt601 full' ({', '.join(_SWSCALE)})",
            got=repr(override),
            remedy="choose auto, unless the colours look wrong",
        )
    return match[1], match[2] == "full"
