"""Findings made of stored maps: the same from any quiet moment on, at any size of the frame."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from engine.review.following import quiet_before, remade
from engine.review.maps import StoredFrame
from engine.review.timeline import FrameTable
from engine.types import Field, OperatingPoint, Rect, Size
from engine.view.motion import STILL

POINT = OperatingPoint(0.5, 0.0005, keep=0.3, hit_peak=0.7, hit_s=0.165, window_s=0.265)
HZ = 10
SIZE = Size(640, 480)
SEEN = (range(20, 40), range(60, 70), range(130, 160), range(260, 275))


def frames(size: Size = SIZE) -> list[StoredFrame]:
    """Blobs at two places; before the third and the last there is nothing for long."""
    field = Field(Rect(0, 0, size.width_px, size.height_px))
    found = []
    for rank in range(300):
        map_ = np.zeros((60, 80), np.uint8)
        for number, seen in enumerate(SEEN):
            if rank in seen:
                cv2.circle(map_, (20 + 40 * (number % 2), 30), 8, 230, cv2.FILLED)
        found.append(StoredFrame(rank, rank / HZ, map_, STILL, False, 0, field))
    return found


def table(some: list[StoredFrame]) -> FrameTable:
    nothing = np.zeros(len(some), np.uint8)
    return FrameTable(
        np.array([one.rank for one in some], np.int32),
        np.array([one.pts_s for one in some]),
        np.array([one.map.max() for one in some], np.uint8),
        nothing,
        nothing,
    )


def last_of(some, size=SIZE):
    *_, last = remade(some, size, POINT, 1 / HZ)
    return last.findings


def test_a_finding_is_a_row_from_its_first_frame_to_its_last():
    found = last_of(frames())
    assert [(one.first_rank, one.last_rank) for one in found] == [
        (seen.start, seen.stop - 1) for seen in SEEN
    ]


@pytest.mark.parametrize(
    ("rank", "begin"), [(10, 0), (65, 0), (125, 125), (150, 129), (210, 210), (299, 259)]
)
def test_the_part_that_is_looked_at_can_be_made_first(rank, begin):
    some = frames()
    first = quiet_before(table(some), rank, POINT)
    assert first == begin

    part = last_of(some[first:])
    whole = [one for one in last_of(some) if one.first_rank >= first]
    assert [replace(one, id=0) for one in part] == [replace(one, id=0) for one in whole]


def test_large_frames_are_followed_as_small_ones():
    large = Size(SIZE.width_px * 3, SIZE.height_px * 3)
    small, other = last_of(frames()), last_of(frames(large), large)
    assert [one.first_rank for one in other] == [one.first_rank for one in small]
    for a, b in zip(small, other, strict=True):
        assert b.field_frac == pytest.approx(a.field_frac, rel=0.03)
        assert b.box.x == pytest.approx(3 * a.box.x, abs=12)
