"""The endoscope's picture on a recorder's screen: found, held, and let go when it really moves."""

from functools import lru_cache

import cv2
import numpy as np
import pytest

from engine.types import Field, Form, Rect, Size
from engine.view.lit import small_of
from engine.view.lock_on import (
    AGREEING,
    DOUBTED_EVERY_S,
    LOCKED_EVERY_S,
    LOOK_EVERY_S,
    Lock,
    after,
    field_in,
    iou,
)
from engine.view.outline import CUTS, outside, silhouette, within

W, H = 640, 360
SIZE = Size(W, H)
BESIDE = Rect(210, 10, 380, 340)


@lru_cache(maxsize=2)
def tissue(side):
    rough = np.random.default_rng(3).random((40, 40)).astype(np.float32)
    return cv2.resize(rough, (2 * side, 2 * side), interpolation=cv2.INTER_CUBIC).clip(0, 1)


@lru_cache(maxsize=64)
def mucosa(at, side=300):
    """A picture that moves with `at`: red, textured, with a dark lumen that is never at the edge."""
    big = tissue(side)
    x, y = int(100 + 60 * np.sin(at * 0.9)), int(100 + 50 * np.cos(at * 1.3))
    light = 90 + 130 * big[y : y + side, x : x + side]
    yy, xx = np.mgrid[:side, :side]
    lumen = np.hypot(xx - side * 0.55, yy - side * 0.5) < side * 0.12
    light[lumen] *= 0.1
    return (light[..., None] * np.array([0.5, 0.6, 1.0])).astype(np.uint8)


def put(frame, picture, box, form=Form.OCTAGON, cut=0.2):
    shown = cv2.resize(picture, (box.w, box.h), interpolation=cv2.INTER_AREA)
    inside = silhouette(form, cut, box.w, box.h)[..., None]
    part = frame[box.y : box.y + box.h, box.x : box.x + box.w]
    part[:] = shown * inside + part * (1 - inside)


def screen(at, box=BESIDE, form=Form.OCTAGON, cut=0.2, picture=None, thumbnail_at=0.0):
    """A recorder's screen: panel, text, a clock that runs, the scope guide, a thumbnail that stands still."""
    frame = np.zeros((H, W, 3), np.uint8)
    cv2.rectangle(frame, (0, 215), (165, 359), (140, 180, 40), -1)  # scope guide
    cv2.line(frame, (30, 350), (100, 235), (60, 60, 60), 3)
    for i, text in enumerate(("Name: ---", "Sex: -  Age: --", f"{at:7.1f} s", "SCOPE 1")):
        cv2.putText(frame, text, (10, 30 + 20 * i), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (230, 230, 230), 1)
    put(frame, mucosa(thumbnail_at), Rect(45, 125, 90, 75), Form.RECTANGLE, 0.0)
    if box is not None:
        put(frame, mucosa(at) if picture is None else picture, box, form, cut)
    return frame


def watch(frames, lock=None, from_s=0.0):
    """The lock after each look at frames of 5 Hz."""
    locks, lock = [], lock or Lock()
    for i, frame in enumerate(frames):
        lock = after(lock, small_of(frame), Size(frame.shape[1], frame.shape[0]), from_s + i * LOOK_EVERY_S)
        locks.append(lock)
    return locks


def overlap(a, b):
    """IoU of two outlines on the frame."""
    drawn = []
    for field in (a, b):
        frame = np.zeros((H, W), np.uint8)
        box = field.box
        frame[box.y : box.y + box.h, box.x : box.x + box.w] = silhouette(field.form, field.cut, box.w, box.h)
        drawn.append(frame)
    return np.count_nonzero(drawn[0] & drawn[1]) / np.count_nonzero(drawn[0] | drawn[1])


def times(n, from_s=0.0):
    return [from_s + i * LOOK_EVERY_S for i in range(n)]


@pytest.fixture(scope="module")
def locked():
    return watch([screen(t) for t in times(10)])[-1]


@pytest.mark.parametrize(
    ("form", "cut"), [(Form.OCTAGON, 0.2), (Form.CIRCLE, 0.15), (Form.ROUNDED, 0.1), (Form.RECTANGLE, 0.0)]
)
def test_the_picture_is_found_beside_panels_clock_and_thumbnail_with_its_form(form, cut):
    lock = watch([screen(t, form=form, cut=cut) for t in times(8)])[-1]

    assert iou(lock.field.box, BESIDE) >= 0.97
    assert overlap(lock.field, Field(BESIDE, form, cut)) >= 0.97


def test_a_thumbnail_of_the_same_picture_that_moves_with_it_is_none_of_it():
    locks = watch([screen(t, thumbnail_at=t) for t in times(8)])

    assert all(iou(lock.best.box, BESIDE) >= 0.97 for lock in locks)


def test_it_is_locked_after_three_looks_that_agree():
    locks = watch([screen(t) for t in times(8)])

    fields = [lock.field for lock in locks]
    first = next(i for i, field in enumerate(fields) if field)
    assert 2 * AGREEING - 2 <= first <= 5
    assert len(set(fields[first:])) == 1


def test_a_source_without_panels_is_picture_everywhere():
    lock = watch([cv2.resize(mucosa(t), (640, 480)) for t in times(8)])[-1]

    assert lock.field.box == Rect(0, 0, 640, 480)
    assert lock.field.form is Form.RECTANGLE


BAD = {
    "black": np.zeros((H, W, 3), np.uint8),
    "black picture": screen(3.0, picture=np.zeros((300, 300, 3), np.uint8)),
    "red-out": screen(3.0, picture=np.full((300, 300, 3), (40, 40, 200), np.uint8)),
    "over-exposed": screen(3.0, picture=np.full((300, 300, 3), 255, np.uint8)),
    "dark half": screen(3.0, picture=mucosa(3.0) * (np.arange(300) < 170)[:, None].astype(np.uint8)),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_a_bad_frame_moves_nothing_however_long_it_lasts(locked, bad):
    locks = watch([bad] * 15, locked, from_s=2.0)

    assert {lock.field for lock in locks} == {locked.field}


def test_a_picture_that_becomes_small_beside_another_view_is_let_go_within_a_second(locked):
    frames = [screen(t, box=Rect(250, 50, 320, 280)) for t in times(10, 2.0)]

    locks = watch(frames, locked, from_s=2.0)

    assert iou(locks[5].field.box, Rect(250, 50, 320, 280)) >= 0.95


def test_a_picture_that_grows_to_full_screen_is_followed_within_a_second(locked):
    frames = [cv2.resize(mucosa(t), (W, H)) for t in times(10, 2.0)]

    locks = watch(frames, locked, from_s=2.0)

    assert locks[5].field.box == Rect(0, 0, W, H)


def test_a_picture_with_a_corner_under_a_panel_is_followed_though_it_has_no_form(locked):
    looks = []
    for t in times(5, 2.0):
        frame = screen(t, box=Rect(250, 50, 320, 280), form=Form.RECTANGLE)
        frame[220:330, 250:380] = 40, 180, 140
        looks.append(small_of(frame))

    lock = locked
    for i in range(60):
        lock = after(lock, looks[i % 5], SIZE, 2.0 + i * 0.13)

    assert iou(lock.field.box, Rect(250, 50, 320, 280)) >= 0.95


def test_another_size_of_the_frame_starts_anew(locked):
    assert watch([cv2.resize(screen(2.0), (320, 180))], locked, from_s=2.0)[-1].field is None


def test_a_jump_to_another_time_keeps_the_lock(locked):
    for to_s in (-60.0, 0.5, 300.0):
        assert watch([screen(1.0)], locked, from_s=to_s)[-1].field == locked.field


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_the_first_picture_alone_says_where_it_is_or_nothing(bad):
    assert iou(watch([screen(0.0)])[-1].best.box, BESIDE) >= 0.97

    first = watch([bad])[-1].best

    assert first is None or iou(first.box, BESIDE) >= 0.97


def test_a_switch_of_the_layout_is_followed_within_a_second_and_no_sooner_than_it_is_sure(locked):
    """At 30 Hz, looked at when a look is due, from the moment at which the next one is farthest."""
    moved = [small_of(screen(t, box=Rect(250, 50, 320, 280))) for t in times(5, 2.0)]
    lock = after(locked, small_of(screen(1.9)), SIZE, 2.0)

    frames_s = [2.0 + n / 30 for n in range(1, 40)]
    followed_s = []
    for n, now_s in enumerate(frames_s):
        if lock.is_due(now_s):
            lock = after(lock, moved[n % 5], SIZE, now_s)
        if iou(lock.field.box, Rect(250, 50, 320, 280)) >= 0.95:
            followed_s.append(now_s - 2.0)

    assert LOCKED_EVERY_S + 2 * DOUBTED_EVERY_S < followed_s[0] < 1.0


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_a_recording_that_begins_badly_is_shown_right_from_its_first_good_picture_on(bad):
    locks = watch([bad] * 3 + [screen(t) for t in times(8)])

    assert all(iou(lock.best.box, BESIDE) >= 0.95 for lock in locks[3:])


def test_what_the_first_picture_says_is_corrected_by_the_lock():
    """A title that fills the frame comes before the recorder's screen."""
    title = cv2.resize(mucosa(0.0), (W, H))
    locks = watch([title] * 2 + [screen(t) for t in times(13)])

    assert locks[0].best.box == Rect(0, 0, W, H)
    assert iou(locks[-1].best.box, BESIDE) >= 0.97


def test_a_light_that_fades_is_no_edge_of_the_picture(locked):
    """A pool of light in the dark is round, as an endoscope's picture may be."""
    far = np.hypot(*np.mgrid[-150:150, -150:150])
    pool = (mucosa(3.0) * np.clip(1.4 - far / 90, 0, 1)[..., None]).astype(np.uint8)
    shown = screen(3.0, picture=pool)

    assert {lock.field for lock in watch([shown] * 15, locked, from_s=2.0)} == {locked.field}
    assert watch([shown])[-1].best is None


def test_a_still_is_looked_at_alone():
    field = field_in([small_of(screen(1.0))], SIZE)

    assert iou(field.box, BESIDE) >= 0.95


def test_a_look_is_due_four_times_a_second_until_it_is_locked_and_less_often_then(locked):
    lock = watch([screen(0.0)])[-1]

    assert not lock.is_due(0.2)
    assert lock.is_due(0.25)
    assert lock.is_due(-5.0)  # played backwards, or a jump back
    assert not locked.is_due(locked.looked_s + 0.3)
    assert locked.is_due(locked.looked_s + 0.4)


@pytest.mark.parametrize("box", [Rect(0, 0, 1350, 1080), Rect(0, 0, 360, 480), Rect(0, 0, 640, 360)])
@pytest.mark.parametrize(("form", "cut"), [(form, cut) for form, cuts in CUTS.items() for cut in cuts])
def test_a_square_map_over_a_box_that_is_none_keeps_what_is_picture_and_nothing_else(form, cut, box):
    kept = within(np.full((160, 160), 255, np.uint8), Field(box, form, cut))
    shown = cv2.resize(kept, (box.w, box.h), interpolation=cv2.INTER_NEAREST) > 0

    wrong = shown != (silhouette(form, cut, box.w, box.h) > 0)

    cell = max(box.w, box.h) / 160
    assert wrong.sum() <= 2 * cell * max(box.w, box.h)


def test_corners_of_an_octagon_are_outside_and_a_rectangle_has_none():
    away = outside(Form.OCTAGON, 0.2, 100, 100)

    assert away[0, 0] == away[99, 99] == 255
    assert away[50, 50] == away[0, 50] == 0
    assert outside(Form.RECTANGLE, 0.0, 100, 100) is None
