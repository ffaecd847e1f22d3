"""Time stamps that go on: of a frame that has none, and of a part that counts anew. Pure."""

from __future__ import annotations

from fractions import Fraction

_MOST_PAUSE_S = 10  # a longer one between two parts is another clock


def time_stamp(pts: int | None, previous: int | None, frame_ticks: int) -> int:
    """A frame's own time stamp, or its predecessor's plus one frame where there is none or time runs back.

    H.264 with B-frames in AVI, raw streams and joined recordings have such stamps: the order in which the
    decoder gives the frames is right, what the container says of them is not.
    """
    if pts is not None and (previous is None or pts > previous):
        return pts
    return 0 if previous is None else previous + frame_ticks


def shift_of_part(pts: int, last_pts: int, frame_ticks: int, time_base: Fraction) -> int:
    """What is added to the stamps of a part that begins with `pts` behind `last_pts`.

    Time goes on behind the last part: as the file has it, or at once where it jumps.
    """
    follows_at = last_pts + frame_ticks
    jumps = not last_pts < pts < follows_at + _MOST_PAUSE_S / time_base
    return follows_at - pts if jumps else 0
