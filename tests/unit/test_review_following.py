"""Findings made of stored maps: as if every frame were followed, however little of them is looked at."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from engine.drawing.components import find_components
from engine.review.findings import Finding
from engine.review.following import Follower
from engine.review.maps import CHUNK, Chunk, StoredFrame
from engine.review.remaking.blobs import Blobs
from engine.review.remaking.remake import PART_IDS, Remade, Remake, quiet_before
from engine.review.timeline import FrameTable
from engine.types import Field, OperatingPoint, Rect, Size
from engine.view.motion import STILL, Motion

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


def chunk_of(some: list[StoredFrame]) -> Chunk:
    fields = tuple(dict.fromkeys(one.field for one in some))
    return Chunk(
        id=some[0].rank,
        ranks=np.array([one.rank for one in some], np.int32),
        pts_s=np.array([one.pts_s for one in some]),
        peaks=np.array([one.map.max() for one in some], np.uint8),
        moves=np.array([[one.motion.dx_frac, one.motion.dy_frac] for one in some]),
        damaged=np.array([one.damaged for one in some], np.uint8),
        views=np.array([one.view for one in some], np.uint8),
        field_of=np.array([fields.index(one.field) for one in some], np.uint8),
        fields=fields,
    )


def made_of(some, size=SIZE, point=POINT, read=None, **options) -> Remade:
    """`read` hears of each chunk whose maps are read."""
    remake = Remake(size, Size(80, 60), point, 1 / HZ, **options)
    for first in range(0, len(some), CHUNK):
        part = some[first : first + CHUNK]

        def maps(chunk, part=part):
            if read is not None:
                read.append(chunk.id)
            return np.stack([one.map for one in part])

        remake.add(chunk_of(part), maps)
    return remake.so_far


def last_of(some, size=SIZE) -> tuple[Finding, ...]:
    return made_of(some, size).findings


def restless(seed: int, count: int = 500) -> list[StoredFrame]:
    """Blobs of every strength that come and go and move, long gaps between them, faults of the view, damaged
    frames, uneven times that once go back.
    """
    rng = np.random.default_rng(seed)
    fields = [Field(Rect(0, 0, 640, 480)), Field(Rect(40, 0, 600, 480))]
    some, at_s = [], 0.0
    for rank in range(count):
        map_ = rng.integers(0, 60, (60, 80), np.uint8)
        if (rank // 90) % 2:
            for _ in range(rng.integers(0, 4)):
                place = (int(rng.integers(5, 75)), int(rng.integers(5, 55)))
                cv2.circle(map_, place, int(rng.integers(2, 12)), int(rng.integers(60, 256)), cv2.FILLED)
            cv2.circle(map_, (20 + rank % 40, 30), 6, int(rng.integers(100, 256)), cv2.FILLED)
        at_s = 1.0 if rank == 250 else at_s + rng.uniform(0.02, 0.2)
        motion = Motion(*rng.uniform(-0.03, 0.03, 2)) if rng.random() < 0.5 else STILL
        view = int(rng.choice([0, 1, 8])) if (rank // 40) % 3 == 0 else 0
        some.append(
            StoredFrame(rank, at_s, map_, motion, bool(rng.random() < 0.03), view, fields[rank > 380])
        )
    return some


def as_if_each_were_followed(some, point) -> Remade:
    follower = Follower(SIZE, point, 1 / HZ)
    seen = [follower.add(one) for one in some]
    sightings = {one.rank: one.sightings for one in seen if one.sightings}
    return Remade(point, len(some), follower.noted.findings, sightings, some[-1].rank)


@pytest.mark.parametrize("seed", range(3))
def test_what_is_passed_by_changes_no_finding(seed):
    some = restless(seed)
    made, plain = made_of(some), as_if_each_were_followed(some, POINT)

    assert len(plain.confirmed) > 2
    assert made.findings == plain.findings
    assert made.sightings == plain.sightings


def test_maps_with_nothing_in_them_are_not_even_read():
    read = []
    made_of(frames(), read=read)
    assert read == [0, CHUNK, 2 * CHUNK, 4 * CHUNK]  # nothing from frame 192 to 256: 160 and 3 s behind it


def test_a_slider_that_leaves_the_threshold_alone_needs_no_new_blobs():
    some = restless(5, 260)
    blobs, found = Blobs(), []
    changed = {"min_area_frac": 0.004}, {"hit_peak": 0.4}, {"hit_s": 0.4, "window_s": 0.8}
    moved = [replace(POINT, **changes) for changes in changed]

    for point in (POINT, *moved, POINT.moved(0.65), POINT):
        blobs.begin(point)
        made = made_of(some, point=point, find=blobs.find)
        plain = as_if_each_were_followed(some, point)
        assert (made.findings, made.sightings) == (plain.findings, plain.sightings)
        found.append(len(made.findings))
    assert len(set(found)) > 3


def test_blobs_are_looked_for_once(monkeypatch):
    looked = []

    def counted(*asked):
        looked.append(asked)
        return find_components(*asked)

    monkeypatch.setattr("engine.review.remaking.blobs.find_components", counted)
    some, blobs = frames(), Blobs()
    blobs.begin(POINT)
    made_of(some, find=blobs.find)
    assert looked
    looked.clear()
    made_of(some, point=replace(POINT, hit_s=0.3, window_s=0.5), find=blobs.find)
    assert not looked


def test_a_part_that_was_made_first_stands_until_it_is_reached():
    some = frames()
    part = replace(made_of(some[210:], first_id=PART_IDS), frames=0, last_rank=-1)
    early = made_of(some[:128])

    shown = early.with_part(part)
    assert [one.first_rank for one in shown.findings] == [20, 60, 260]
    assert set(shown.sightings) == set(early.sightings) | set(part.sightings)
    assert made_of(some).with_part(part) == made_of(some)


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
