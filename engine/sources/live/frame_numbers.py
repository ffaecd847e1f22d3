"""Whether an H.264 picture that others refer to is missing, by the numbers that slices carry.

FFmpeg hides the sequence of RTSP's packets over TCP, and a decoder that misses a whole picture goes on from
the one before without a word. Each slice tells how many such pictures there were since the keyframe (H.264,
7.3.3 and 7.4.3).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

_START = re.compile(rb"\x00\x00\x01")
_SLICE, _KEY_SLICE, _SPS = 1, 5, 7
# Profiles whose parameter sets say more of colour (7.3.2.1.1).
_HIGH = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
_SLICE_HEAD_BYTES = 24
_BITS_MOST = 32


class _Bits:
    """Reads a unit from its first bit behind the type, without the bytes that only keep start codes away."""

    def __init__(self, unit: bytes) -> None:
        data = unit.replace(b"\x00\x00\x03", b"\x00\x00")
        self._value, self._left = int.from_bytes(data, "big"), 8 * len(data)

    def take(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise EOFError
        return (self._value >> self._left) & ((1 << count) - 1)

    def golomb(self) -> int:
        """ue(v)."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > _BITS_MOST:
                raise EOFError
        return (1 << zeros) - 1 + self.take(zeros)

    def signed(self) -> int:
        """se(v)."""
        code = self.golomb()
        return (code + 1) // 2 if code % 2 else -(code // 2)


@dataclass(frozen=True, slots=True)
class Numbering:
    """What a sequence says of its numbers. `gaps`: they may be missing by intent (layers of time)."""

    bits: int
    gaps: bool
    planes: bool  # colours are coded apart


class FrameNumbers:
    """Takes the packets of a stream in the decoder's order, start codes and all."""

    def __init__(self, extradata: bytes | None) -> None:
        self._numbering: Numbering | None = None
        self._reference: int | None = None
        self.misses_one(extradata or b"")

    def misses_one(self, packet: bytes) -> bool:
        """Whether a picture before this packet's is missing. False where that cannot be told."""
        missing = False
        starts = [found.end() for found in _START.finditer(packet)]
        for start, end in pairwise([*starts, len(packet) + 3]):
            kind = packet[start] & 0x1F if start < len(packet) else 0
            try:
                if kind == _SPS:
                    self._numbering = numbering_of(packet[start + 1 : end - 3])
                elif kind in (_SLICE, _KEY_SLICE):
                    head = packet[start : min(end - 3, start + _SLICE_HEAD_BYTES)]
                    missing |= self._slice(kind == _KEY_SLICE, head)
            except EOFError:  # cut off: what is left of it is the decoder's to judge
                continue
        return missing

    def _slice(self, is_key: bool, head: bytes) -> bool:
        numbering = self._numbering
        if numbering is None:
            return False
        bits = _Bits(head[1:])
        for _ in ("first macroblock", "type", "picture parameters"):
            bits.golomb()
        if numbering.planes:
            bits.take(2)
        number, before = bits.take(numbering.bits), self._reference
        if head[0] & 0x60:  # others may refer to it
            self._reference = number
        if is_key or before is None or numbering.gaps:
            return False
        return number not in (before, (before + 1) % (1 << numbering.bits))


def numbering_of(unit: bytes) -> Numbering:
    """Of a sequence parameter set behind its type. Raises EOFError when it is cut off."""
    bits = _Bits(unit)
    profile = bits.take(8)
    bits.take(16)
    bits.golomb()
    planes = False
    if profile in _HIGH:
        colour = bits.golomb()
        planes = colour == 3 and bool(bits.take(1))
        bits.golomb()
        bits.golomb()
        bits.take(1)
        if bits.take(1):
            for number in range(12 if colour == 3 else 8):
                if bits.take(1):
                    _pass_over_scaling(bits, 16 if number < 6 else 64)
    number_bits = bits.golomb() + 4
    order = bits.golomb()
    if order == 0:
        bits.golomb()
    elif order == 1:
        bits.take(1)
        bits.signed()
        bits.signed()
        for _ in range(bits.golomb()):
            bits.signed()
    bits.golomb()
    return Numbering(number_bits, bool(bits.take(1)), planes)


def _pass_over_scaling(bits: _Bits, count: int) -> None:
    last = following = 8
    for _ in range(count):
        if following:
            following = (last + bits.signed()) % 256
        last = following or last
