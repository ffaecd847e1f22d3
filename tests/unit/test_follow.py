"""One source followed: two thresholds, what is drawn of a frame, and what is forgotten behind a seek."""

from dataclasses import replace

import numpy as np
import pytest

from engine.drawing.components import find_components
from engine.tracking.follow import Following, drawn, follow
from engine.tracking.place import Shift, place_of
from engine.tracking.tracks import Track
from engine.types import Component, Field, Form, Mask, OperatingPoint, Rect, Size, TrackState
from engine.view.motion import STILL
from engine.view.quality import ViewFault
from tests.fixtures.tissue import mucosa

SIZE = Size(320, 240)
ROI = Rect(40, 20, 240, 200)
MAP = 60, 72  # rows, columns
HZ = 30.0
STANDARD = OperatingPoint(0.5, 0.001, 0.95, keep=0.25, hit_peak=0.7, hit_s=0.165, window_s=0.265)
RAW = OperatingPoint(0.5, 0.001)
SENSITIVE = replace(STANDARD, hit_s=0.5, window_s=0.7, shows_tentative=True)
PICTURE = mucosa(4, side=96)  # it does not move


def seen(value=0.9, at=(20, 24), side=12, roi=ROI, number=0):
    """A map with a square of that probability; its corner is a row and a column of the map."""
    probability = np.zeros(MAP, np.uint8)
    probability[at[0] : at[0] + side, at[1] : at[1] + side] = round(value * 255)
    return Mask(number, probability, roi)


NOTHING = seen(0.0)


def watch(masks, *, point=STANDARD, before=None, hz=HZ, picture=PICTURE, from_s=0.0):
    """What is drawn of each frame, and what is remembered behind the last."""
    state, frames = before or Following(), []
    for i, mask in enumerate(masks):
        now = follow(state, mask, picture, SIZE, point, now_s=from_s + i / hz, period_s=1 / hz)
        state = now.following
        frames.append(now)
    return frames, state


def ids(components):
    return [component.track for component in components]


def test_what_is_seen_for_long_enough_is_drawn_and_a_flash_is_a_candidate():
    frames, _ = watch([seen()] * 10)

    assert frames[0].components == ()
    assert ids(frames[0].candidates) == [1]
    assert ids(frames[-1].components) == [1]
    assert frames[-1].components[0].state is TrackState.CONFIRMED
    assert frames[-1].candidates == ()


def test_in_video_the_hit_peak_counts_and_not_the_peak_of_a_still():
    assert STANDARD.hit_peak < 0.8 < STANDARD.min_peak

    assert ids(watch([seen(0.8)] * 10)[0][-1].components) == [1]


def test_what_lies_over_the_threshold_but_under_the_hit_peak_starts_nothing():
    frames, _ = watch([seen(0.6)] * 30)

    assert all(not frame.components and not frame.candidates for frame in frames)


@pytest.mark.parametrize("faint", [0.6, 0.35])
def test_a_faint_one_continues_what_was_confirmed(faint):
    frames, _ = watch([seen()] * 10 + [seen(faint)] * 30)

    assert [frame.components[0].state for frame in frames[10:]] == [TrackState.CONFIRMED] * 30
    assert {c.track for frame in frames for c in frame.components} == {1}


def test_a_faint_one_is_continued_while_another_is_bright():
    both = seen(at=(45, 50))
    both.probability[20:32, 24:36] = round(0.35 * 255)

    frames, _ = watch([seen()] * 10 + [both] * 30)

    assert {c.track: c.state for c in frames[-1].components} == {
        1: TrackState.CONFIRMED,
        2: TrackState.CONFIRMED,
    }


def test_what_is_fainter_than_keep_continues_nothing():
    frames, _ = watch([seen()] * 10 + [seen(0.2)] * 20)

    assert frames[-1].components == ()


def test_a_preset_without_a_lower_threshold_is_continued_by_nothing_under_it():
    frames, _ = watch([seen()] * 10 + [seen(0.35)] * 20, point=replace(STANDARD, keep=0.0))

    assert frames[-1].components == ()


def test_behind_a_seek_all_is_confirmed_anew_under_a_new_id():
    _, state = watch([seen()] * 10)

    frames, _ = watch([seen()] * 10, before=state.anew(), from_s=20.0)

    assert frames[0].components == ()
    assert ids(frames[0].candidates) == [2]
    assert ids(frames[-1].components) == [2]


def test_time_that_goes_back_is_a_seek_that_nobody_told_of():
    _, state = watch([seen()] * 10, from_s=20.0)

    frames, _ = watch([seen()] * 10, before=state)

    assert frames[0].components == ()
    assert ids(frames[-1].components) == [2]


def test_a_region_that_grows_around_a_finding_keeps_its_identity_and_takes_no_old_outline():
    _, state = watch([seen()] * 10)
    whole = Rect(0, 0, SIZE.width_px, SIZE.height_px)
    at = 20 + 20 * 200 // 60, 40 + 24 * 240 // 72  # of the square's corner in the frame, pixels
    moved = at[0] * 60 // 240, at[1] * 72 // 320
    # Just under the threshold: remembered as inside, it would be lifted over it.
    under = seen(0.45, moved, 9, whole)
    over = replace(under, probability=under.probability.copy())
    over.probability[moved[0] : moved[0] + 5, moved[1] : moved[1] + 5] = 230

    (frame,), _ = watch([over], before=state, from_s=10 / HZ)
    (faint,), _ = watch([under], before=state, from_s=10 / HZ)

    assert ids(frame.components) == [1]
    assert frame.components[0].area_px < 40 * 40
    assert faint.components[0].mean == pytest.approx(0.45, abs=0.03)


def test_an_outline_trembles_less_than_the_map_does():
    masks = []
    for i in range(20):  # a rim that is over the threshold in every second frame
        mask = seen(0.48 if i % 2 else 0.52, (17, 21), 18)
        mask.probability[20:32, 24:36] = 230
        masks.append(mask)

    frames, _ = watch(masks)

    steady = [frame.components[0].area_px for frame in frames[-6:]]
    raw = [find_components(mask, SIZE.width_px, SIZE.height_px, RAW)[0].area_px for mask in masks[-2:]]
    assert max(raw) > 1.1 * min(raw)
    assert max(steady) < 1.02 * min(steady)


def held(box, moved):
    outline = np.array([[box.x, box.y], [box.x + box.w - 1, box.y + box.h - 1]], np.int32)
    component = Component(box, box.w * box.h, 0.9, 0.9, (outline,))
    state = TrackState.HELD
    return Track(7, state, (component,), place_of(component), (), 0.0, 1.0, 9, 0.9, 0.5, moved)


def test_a_held_mark_goes_with_the_picture():
    (mark,), others = drawn([held(Rect(100, 80, 20, 20), Shift(12.4, -6.0))], Field(ROI), 1.05)

    assert (mark.box, mark.track, mark.state) == (Rect(112, 74, 20, 20), 7, TrackState.HELD)
    assert mark.contours[0].tolist() == [[112, 74], [131, 93]]
    assert others == ()


@pytest.mark.parametrize("moved", [Shift(-61.0, 0), Shift(161.0, 0), Shift(0, -61.0), Shift(0, 121.0)])
def test_a_held_mark_that_leaves_the_picture_is_not_drawn(moved):
    assert drawn([held(Rect(100, 80, 20, 20), moved)], Field(ROI), 1.05) == ((), ())


def test_a_held_mark_that_moves_into_a_corner_that_is_no_picture_is_not_drawn():
    octagon = Field(ROI, Form.OCTAGON, 0.3)
    corner, edge = Shift(-56.0, -56.0), Shift(-56.0, 0.0)

    assert drawn([held(Rect(100, 80, 20, 20), corner)], octagon, 1.05) == ((), ())
    assert len(drawn([held(Rect(100, 80, 20, 20), edge)], octagon, 1.05)[0]) == 1


def test_a_picture_that_turns_away_takes_a_held_mark_out_of_sight():
    wide = np.random.default_rng(6).integers(0, 255, (24, 24, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    frames, state = watch([seen(at=(20, 2))] * 10, picture=wide[:96, 20:116])
    assert frames[-1].components

    left = follow(state, NOTHING, wide[:96, 40:136], SIZE, STANDARD, now_s=10 / HZ, period_s=1 / HZ)

    assert left.components == ()
    stays = follow(state, NOTHING, wide[:96, 20:116], SIZE, STANDARD, now_s=10 / HZ, period_s=1 / HZ)
    assert [c.state for c in stays.components] == [TrackState.HELD]


def test_pictures_are_compared_only_while_there_is_something_that_could_move(monkeypatch):
    compared = []

    def told(*looks):
        compared.append(looks)
        return STILL

    monkeypatch.setattr("engine.tracking.follow.motion_between", told)

    watch([NOTHING] * 10)
    assert compared == []
    watch([NOTHING] * 3 + [seen()] * 3)
    assert len(compared) == 2


def test_a_view_that_cannot_be_judged_starts_nothing_and_ends_nothing_that_was_confirmed():
    black = np.zeros_like(PICTURE)
    dark, state = watch([NOTHING] * 10 + [seen()] * 15, picture=black)
    assert [f.components for f in dark] == [()] * 25
    assert state.view.faults == {ViewFault.DARK}

    _, confirmed = watch([seen()] * 15)
    goes_on, _ = watch([seen()] * 15, before=confirmed, picture=black, from_s=15 / HZ)
    assert [ids(f.components) for f in goes_on] == [[1]] * 15


def test_what_was_seen_twice_is_drawn_only_where_the_preset_shows_it():
    loud, _ = watch([seen()] * 3, point=SENSITIVE)
    silent, _ = watch([seen()] * 3, point=replace(SENSITIVE, shows_tentative=False))

    assert [c.state for c in loud[-1].components] == [TrackState.TENTATIVE]
    assert loud[0].components == ()
    assert silent[-1].components == ()
    assert [c.state for c in silent[-1].candidates] == [TrackState.TENTATIVE]


def test_a_tentative_one_that_is_missing_is_not_held():
    frames, _ = watch([seen()] * 3 + [NOTHING], point=SENSITIVE)

    assert frames[-1].components == frames[-1].candidates == ()


@pytest.mark.parametrize("seed", range(12))
def test_any_order_and_rate_of_maps_gives_monotone_ids_and_no_mark_outside_the_field(seed):
    random = np.random.default_rng(seed)
    state, now_s, highest = Following(), 0.0, 0
    texture = mucosa(seed + 1, side=140)
    roi = ROI
    for number in range(60):
        now_s += random.choice([1 / 60, 1 / 25, 0.2, 0.9, -0.5, 0.0], p=[0.3, 0.4, 0.15, 0.05, 0.05, 0.05])
        if random.random() < 0.05:
            state = state.anew()
        if random.random() < 0.1:
            x, y = (int(random.integers(0, 60)) * 2 for _ in "xy")
            roi = Rect(x, y, int(random.integers(40, (320 - x))), int(random.integers(40, (240 - y))))
        probability = np.zeros(MAP, np.uint8)
        for _ in range(random.integers(0, 4)):
            row, column = random.integers(-6, MAP[0]), random.integers(-6, MAP[1])
            side, value = random.integers(3, 20), random.integers(40, 255)
            probability[max(row, 0) : max(row + side, 0), max(column, 0) : max(column + side, 0)] = value
        x, y = random.integers(0, 12, 2)
        shown = texture[y : y + 96, x : x + 96]
        known = {track.id for track in state.tracks.tracks}

        now = follow(state, Mask(number, probability, roi), shown, SIZE, SENSITIVE, now_s=now_s)

        tracks = [track.id for track in now.following.tracks.tracks]
        assert tracks == sorted(set(tracks))
        assert all(new > highest for new in set(tracks) - known)
        highest = max([highest, *tracks])
        assert now.following.tracks.next_id > highest
        for component in now.components:
            box = component.box
            assert roi.x <= box.x <= box.x + box.w <= roi.x + roi.w, number
            assert roi.y <= box.y <= box.y + box.h <= roi.y + roi.h, number
        assert set(ids(now.components)).isdisjoint(ids(now.candidates))
        state = now.following
