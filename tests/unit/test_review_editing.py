"""Correction of masks: what a tool does to a frame, the way back through it, and that it is kept."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest

from engine.analysis.judged import open_recording
from engine.drawing.components import find_components
from engine.review import schema
from engine.review.database import DATABASE
from engine.review.editing import propagation
from engine.review.editing.brush import stroked
from engine.review.editing.clicks import CLICKS, Click
from engine.review.editing.flow import LEAST, Carried, Looked, carried
from engine.review.editing.history import History
from engine.review.editing.labels import (
    FrameState,
    at,
    component_of,
    label_of,
    labels_of_components,
    renamed,
    with_mask,
)
from engine.review.editing.outline import dragged, filled, nearest, outlines_of
from engine.review.editing.propagation import Stopped, keep_propagated, propagated
from engine.review.editing.store import (
    frame_states,
    labelled_frames,
    new_track,
    read_history,
    write_history,
)
from engine.review.places import Places
from engine.review.schema import EDITS, Version
from engine.review.store import open_side_car
from engine.sources import parse_source
from engine.types import Mask, OperatingPoint, Rect, Size
from tests.fixtures.clips import CLIPS, variable, write

SIZE = Size(120, 90)


def disc(x: float, y: float, radius: float, size: Size = SIZE) -> np.ndarray:
    empty = np.zeros((size.height_px, size.width_px), np.uint8)
    return stroked(empty, [(x, y)], radius, 1)


def blob(seed: int) -> np.ndarray:
    """Any shape: several parts, holes, at the frame's edges."""
    chance = random.Random(seed)
    mask = np.zeros((SIZE.height_px, SIZE.width_px), np.uint8)
    for _ in range(chance.randint(1, 6)):
        path = [(chance.uniform(-20, 140), chance.uniform(-20, 110)) for _ in range(chance.randint(1, 4))]
        mask = stroked(mask, path, chance.uniform(0.4, 25), chance.choice((1, 1, 0)))
    return mask


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / max((a | b).sum(), 1))


# Tools


def test_a_brush_reaches_every_pixel_whose_middle_is_within_its_radius_and_no_other():
    path = [(10.3, 20.7), (60.2, 40.1)]
    y, x = np.mgrid[:90, :120] + 0.5
    along = np.clip(((x - 10.3) * 49.9 + (y - 20.7) * 19.4) / (49.9**2 + 19.4**2), 0, 1)
    expected = np.hypot(x - 10.3 - along * 49.9, y - 20.7 - along * 19.4) <= 7.5

    painted = stroked(np.zeros((90, 120), np.uint8), path, 7.5, 1)

    assert np.count_nonzero((painted > 0) != expected) <= 1  # float32 at the very rim


def test_an_eraser_takes_away_what_the_same_brush_has_painted_also_across_the_edge_of_the_frame():
    before = disc(60, 45, 20)
    path = [(-15.0, 3.0), (150.0, 3.0)]

    painted = stroked(before, path, 9, 1)

    assert np.array_equal(stroked(painted, path, 9, 0), before)


@pytest.mark.parametrize("seed", range(8))
def test_the_outlines_of_a_mask_filled_again_are_the_mask_bit_for_bit(seed):
    mask = blob(seed)

    assert np.array_equal(filled(outlines_of(mask), SIZE), mask)


def test_a_polygon_has_the_area_that_it_has_in_geometry():
    corners = np.array([[10.2, 10.4], [90.7, 20.1], [70.3, 80.9], [30.5, 60.6]], np.float32)
    x, y = corners.T
    area = 0.5 * abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))

    assert abs(int(filled([corners], SIZE).sum()) - area) < 0.01 * area


def test_dragging_moves_what_is_near_all_the_way_and_leaves_what_is_far():
    outlines = outlines_of(disc(60, 45, 20))
    grabbed = nearest(outlines, 82, 45)
    assert grabbed is not None

    after = dragged(outlines, grabbed, (grabbed[0] + 12, grabbed[1]), reach_px=15)

    (line,), (moved,) = outlines, after
    distance = np.hypot(*(line - np.float32(grabbed)).T)
    assert np.array_equal(moved[distance >= 15], line[distance >= 15])
    assert moved[:, 0].max() == pytest.approx(line[:, 0].max() + 12, abs=0.3)
    assert filled(after, SIZE).sum() > disc(60, 45, 20).sum()
    assert np.array_equal(dragged(outlines, grabbed, grabbed, 15)[0], line)


def scene(shift: float = 0.0) -> np.ndarray:
    """A reddish wall with texture and a bright bump at (shift + 60, 45), BGRA."""
    chance = np.random.default_rng(3)
    wall = cv2.GaussianBlur(chance.normal(0, 60, (200, 300)).astype(np.float32), (0, 0), 2)[..., None]
    picture = np.float32([60, 70, 150]) + wall
    cv2.circle(picture, (150, 100), 20, (140, 150, 235), cv2.FILLED)
    picture += (
        0.6 * cv2.GaussianBlur(chance.normal(0, 60, (200, 300)).astype(np.float32), (0, 0), 1.5)[..., None]
    )
    move = np.float32([[1, 0, shift - 90], [0, 1, -55]])
    moved = cv2.warpAffine(picture, move, (120, 90), flags=cv2.INTER_LINEAR)
    return cv2.cvtColor(np.clip(moved, 0, 255).astype(np.uint8), cv2.COLOR_BGR2BGRA)


@pytest.mark.parametrize("way", CLICKS)
def test_a_click_inside_finds_the_bump_and_a_click_outside_takes_away_what_it_hits(way):
    bump = disc(60, 45, 20)

    found = CLICKS[way](scene(), None, [Click(60, 45, inside=True)])
    too_much = np.ones_like(bump)
    corrected = CLICKS[way](scene(), too_much, [Click(60, 45, inside=True), Click(10, 10, inside=False)])

    assert iou(found, bump) > (0.85 if way == "grabcut" else 0.4)
    assert not corrected[10, 10]
    assert corrected[45, 60]


def test_the_same_clicks_give_the_same_mask():
    clicks = [Click(60, 45, inside=True)]

    assert np.array_equal(CLICKS["grabcut"](scene(), None, clicks), CLICKS["grabcut"](scene(), None, clicks))


# Following


def seen(rank: int, image: np.ndarray) -> Looked:
    return Looked(rank, rank / 25, cv2.cvtColor(image, cv2.COLOR_BGRA2GRAY))


def test_a_mask_follows_the_picture_and_says_that_it_is_sure():
    pictures = [seen(rank, scene(3.0 * rank)) for rank in range(6)]

    found = list(carried(pictures[0], {7: disc(60, 45, 20)}, pictures[1:]))

    assert [one.rank for one in found] == [1, 2, 3, 4, 5]
    assert all(one.confidence > 0.85 for one in found)
    assert iou(found[-1].masks[7], disc(75, 45, 20)) > 0.9


def test_it_stops_where_the_picture_becomes_another_one():
    noise = np.random.default_rng(1).integers(0, 255, (90, 120, 4)).astype(np.uint8)
    pictures = [scene(0.0), scene(2.0), noise, scene(6.0)]

    first, *rest = (seen(rank, image) for rank, image in enumerate(pictures))
    found = list(carried(first, {1: disc(60, 45, 20)}, rest))

    assert [one.rank for one in found] == [1, 2]
    assert found[0].confidence >= LEAST > found[1].confidence


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Of variable rate; its numbers change, the rest of it stands."""
    return write(replace(CLIPS["variable.mp4"], times_ms=variable(90)), tmp_path_factory.mktemp("clip"))


STANDING = disc(130, 75, 12, Size(160, 96))


@pytest.mark.parametrize(("start", "to"), [(5, 12), (14, 3)], ids=["forwards", "backwards"])
def test_a_propagation_is_of_the_very_frames_of_its_range_in_their_order(clip, start, to, monkeypatch):
    monkeypatch.setattr(propagation, "AT_ONCE", 4)
    with closing(open_recording(parse_source(str(clip)))) as source:
        *found, stopped = propagated(source, start, to, {1: STANDING}, verified=())

    step = 1 if to > start else -1
    assert [one.rank for one in found] == list(range(start + step, to + step, step))
    assert [round(one.pts_s * 1000) for one in found] == [variable(90)[one.rank] for one in found]
    assert all(iou(one.masks[1], STANDING) > 0.95 for one in found)
    assert stopped == Stopped(to, "")


def test_a_propagation_ends_before_a_verified_frame_and_at_the_end_of_the_recording(clip):
    with closing(open_recording(parse_source(str(clip)))) as source:
        *_, before = propagated(source, 5, 20, {1: STANDING}, verified={9, 15})
        *_, behind = propagated(source, 86, 200, {1: STANDING}, verified=())

    assert before == Stopped(8, "the next frame is verified")
    assert behind == Stopped(89, "the recording ends")


# Labels


def test_two_polyps_of_one_frame_keep_their_tracks_and_do_not_touch_each_other():
    first, second = disc(30, 40, 12), disc(80, 50, 15)
    labels = with_mask(with_mask((), 4, first), -1, second)

    changed = with_mask(labels, 4, disc(35, 40, 12))

    assert [label.track for label in changed] == [4, -1]
    assert np.array_equal(changed[1].mask, second)
    assert (at(changed, 80, 50), at(changed, 36, 40), at(changed, 5, 5)) == (-1, 4, None)
    assert with_mask(changed, 4, np.zeros_like(first)) == changed[1:]
    (one,) = renamed(labels, 4, -1)
    assert np.array_equal(one.mask, first | second)


@pytest.mark.parametrize("seed", range(4))
def test_a_stored_mask_is_the_mask_bit_for_bit_and_small(seed):
    mask = blob(seed) | disc(9, 9, 3)
    label = label_of(1, mask)
    assert label is not None

    assert np.array_equal(label.mask, mask)
    assert len(label.counts) < mask.size / 25


def test_what_the_model_marked_is_copied_with_its_track_and_drawn_as_it_was():
    mask = Mask(0, disc(60, 45, 20) * np.uint8(255), Rect(0, 0, 120, 90))
    (found,) = find_components(mask, 120, 90, OperatingPoint(0.5, 0.001))
    held = replace(found, contours=(), track=8)

    (label,) = labels_of_components((replace(found, track=9), held), SIZE)

    assert label.track == 9
    assert np.array_equal(label.mask, disc(60, 45, 20))
    drawn = component_of(label)
    assert (drawn.box, drawn.area_px, drawn.track) == (found.box, found.area_px, 9)


# Undo and redo


def any_acts(history: History, chance: random.Random, acts: int) -> list[History]:
    """What a person may do to a frame, at random; after each act."""
    steps = [history]
    for _ in range(acts):
        now = steps[-1]
        labels = now.now.labels if now.now is not None else ()
        act = chance.choice(("brush", "brush", "clear", "verify", "undo", "redo"))
        if act == "brush":
            changed = with_mask(labels, chance.choice((1, 2, -1)), blob(chance.randrange(99)))
            steps.append(now.done(act, FrameState.TOUCHED, changed))
        elif act == "clear":
            steps.append(now.done(act, FrameState.TOUCHED, ()))
        elif act == "verify":
            steps.append(now.done(act, FrameState.VERIFIED if labels else FrameState.EMPTY, labels))
        else:
            steps.append(now.undone() if act == "undo" else now.redone())
    return steps


def shown(history: History) -> tuple[FrameState, dict[int, bytes]]:
    labels = history.now.labels if history.now is not None else ()
    return history.state, {label.track: label.mask.tobytes() for label in labels}


@pytest.mark.parametrize("seed", range(6))
def test_undo_of_any_acts_gives_the_beginning_and_redo_the_end_bit_for_bit(seed):
    steps = any_acts(History(5, 0.2, SIZE), random.Random(seed), 40)

    back = [steps[-1]]
    while back[-1].can_undo:
        back.append(back[-1].undone())
    assert shown(back[-1]) == (FrameState.MACHINE, {})
    on = back[-1]
    for expected in reversed(back[:-1]):
        on = on.redone()
        assert shown(on) == shown(expected)
    assert shown(on) == shown(steps[-1])


def test_what_was_undone_is_behind_a_new_act_no_longer_on_the_way_and_still_kept():
    one = History(5, 0.2, SIZE).done("brush", FrameState.TOUCHED, with_mask((), 1, disc(20, 20, 5)))
    other = one.undone().done("brush", FrameState.TOUCHED, with_mask((), 1, disc(60, 60, 5)))

    assert not other.can_redo
    assert other.undone().redone() == other
    assert len(other.edits) == 2


# On the disk


@pytest.fixture
def car(tmp_path):
    video = tmp_path / "a.mp4"
    video.write_bytes(b"pictures" * 100)
    with open_side_car([video], Places(tmp_path / "library")) as opened:
        yield opened


def keep(car, history: History) -> None:
    with car.database.change() as change:
        write_history(change, history, at_utc="2026-01-01", who="me")


@pytest.mark.parametrize("seed", range(2))
def test_undo_and_redo_go_through_a_side_car_that_was_closed_as_through_the_memory(car, seed):
    steps = any_acts(History(5, 0.2, SIZE), random.Random(seed), 25)
    for before, now in pairwise(steps):
        if now != before:
            keep(car, now)

    again = read_history(car.database, 5)

    assert again == steps[-1]
    assert read_history(car.database, 6) is None


def test_the_frames_that_a_person_has_labelled_are_listed_with_their_state(car):
    mask = with_mask((), -3, disc(20, 20, 5))
    keep(car, History(9, 0.9, SIZE).done("brush", FrameState.TOUCHED, mask))
    keep(car, History(2, 0.2, SIZE).done("verify", FrameState.VERIFIED, mask))
    keep(car, History(4, 0.4, SIZE).done("verify", FrameState.EMPTY, ()))
    keep(car, History(6, 0.6, SIZE).done("brush", FrameState.TOUCHED, mask).undone())

    assert frame_states(car.database) == {
        2: FrameState.VERIFIED,
        4: FrameState.EMPTY,
        9: FrameState.TOUCHED,
    }
    assert [one.rank for one in labelled_frames(car.database, only_verified=True)] == [2, 4]
    (one,) = labelled_frames(car.database, first_rank=5)
    assert (one.rank, one.pts_s, one.labels) == (9, 0.9, mask)
    assert new_track(car.database) == -4


def test_a_propagation_is_kept_whole_beside_other_labels_and_can_be_undone_in_each_frame(car):
    other, mine = with_mask((), 2, disc(20, 20, 5)), disc(80, 40, 9)
    keep(car, History(3, 0.3, SIZE).done("brush", FrameState.TOUCHED, other))
    keep(car, History(4, 0.4, SIZE).done("verify", FrameState.VERIFIED, other))
    found = [Carried(rank, rank / 10, {7: mine}, 0.9) for rank in (2, 3, 4)]

    with car.database.change() as change:
        kept = keep_propagated(change, found, at_utc="2026-01-01", who="me")

    assert [history.rank for history in kept] == [2, 3]
    assert [read_history(car.database, 2), read_history(car.database, 3)] == list(kept)
    assert kept[1].now.labels == with_mask(other, 7, mine)
    assert kept[1].undone().now.labels == other
    assert read_history(car.database, 4).now.labels == other


def test_a_side_car_of_before_gets_a_place_for_edits_and_keeps_what_it_has(tmp_path):
    video = tmp_path / "a.mp4"
    video.write_bytes(b"pictures" * 100)
    places = Places(tmp_path / "library")
    with open_side_car([video], places) as car:
        path = car.folder / DATABASE
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("DROP TABLE edit; DROP TABLE edited; UPDATE recording SET title = 'kept'")
        connection.execute(f"PRAGMA user_version = {Version(1, 0).number}")
    assert schema.MIGRATIONS[Version(1, 0)] == (Version(1, 1), EDITS)

    with open_side_car([video], places) as car:
        keep(car, History(1, 0.0, SIZE).done("clear", FrameState.TOUCHED, ()))
        assert car.recording.title == "kept"
        assert frame_states(car.database) == {1: FrameState.TOUCHED}
