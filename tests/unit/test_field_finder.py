"""What of a source's pictures the network is shown: stills alone, video locked on, or as it is told."""

from __future__ import annotations

from contextlib import closing

import cv2
import numpy as np
import pytest

from engine.sources import open_source
from engine.sources.base import SourceSpec
from engine.sources.field_finder import FieldFinder, finder_of, inside, whole
from engine.types import Field, Form, Rect, Size
from engine.view.lit import LONG_SIDE_PX, small_size
from engine.view.lock_on import LOOK_EVERY_S, iou
from engine.view.region import box_of, even
from tests.unit.test_lock_on import BESIDE, SIZE, overlap, screen, times

ALL = Rect(0, 0, SIZE.width_px, SIZE.height_px)
BY_HAND = Field(Rect(200, 60, 300, 200), Form.CIRCLE, 0.15)
LEFT = Rect(20, 10, 380, 340)


class Shown:
    """A decoded picture; `looked_at` counts how often its pixels were asked for."""

    def __init__(self, frame, name=None, damaged=False):
        self._frame = frame
        self.height_px, self.width_px = frame.shape[:2]
        self.name, self.damaged = name, damaged
        self.looked_at = 0

    def rgb(self, size, box=None):
        assert box is None
        self.looked_at += 1
        small = cv2.resize(self._frame, (size.width_px, size.height_px), interpolation=cv2.INTER_AREA)
        return np.ascontiguousarray(small[..., ::-1])


def watch(finder, frames, from_s=0.0, made_for="field"):
    fields = []
    for i, frame in enumerate(frames):
        at_s = from_s + i * LOOK_EVERY_S
        finder.look(Shown(frame), at_s, made_for)
        fields.append(finder.field_of(Shown(frame), at_s, made_for))
    return fields


@pytest.fixture(scope="module")
def video():
    return [screen(t) for t in times(8)]


def test_a_still_is_looked_at_by_itself():
    finder = FieldFinder()

    first = finder.field_of(Shown(screen(0.0), name="a.png"), 0.0)
    other = finder.field_of(Shown(screen(1.0, LEFT), name="b.png"), 0.0)

    assert iou(first.box, BESIDE) > 0.95
    assert iou(other.box, LEFT) > 0.95


def test_the_first_picture_of_a_video_says_where_it_is_and_the_lock_confirms_it(video):
    fields = watch(FieldFinder(), video)

    assert all(overlap(field, Field(BESIDE, Form.OCTAGON, 0.2)) > 0.96 for field in fields)


def test_a_picture_is_shown_by_what_is_known_before_it_is_looked_at(video):
    """Nobody waits for a look: it is taken of a picture that has been handed over."""
    finder, picture = FieldFinder(known=Field(BESIDE)), Shown(video[0])

    field = finder.field_of(picture, 0.0)
    assert field.box == BESIDE
    assert picture.looked_at == 0

    finder.look(picture, 0.0)
    assert picture.looked_at == 1


def test_what_is_known_beforehand_holds_from_the_first_frame_on(video):
    known = Field(BESIDE, Form.OCTAGON, 0.2)

    assert FieldFinder(known=known).field_of(Shown(video[0]), 0.0) == known


def test_pictures_between_two_looks_are_not_looked_at(video):
    finder = FieldFinder()
    pictures = [Shown(video[0]) for _ in range(60)]

    for i, picture in enumerate(pictures):
        finder.field_of(picture, i / 60)
        finder.look(picture, i / 60)

    assert 3 <= sum(p.looked_at for p in pictures) <= round(1 / LOOK_EVERY_S)


def test_a_damaged_picture_says_nothing_of_where_the_field_is(video):
    finder = FieldFinder()
    watch(finder, video)
    broken = Shown(screen(2.0, LEFT), damaged=True)

    finder.look(broken, 2.0)
    assert iou(finder.field_of(broken, 2.0).box, BESIDE) > 0.95
    assert broken.looked_at == 0


def test_a_network_made_for_whole_frames_is_shown_whole_frames(video):
    finder, pictures = FieldFinder(), [Shown(frame) for frame in video]

    fields = [finder.field_of(p, i * LOOK_EVERY_S, "frame") for i, p in enumerate(pictures)]
    for i, picture in enumerate(pictures):
        finder.look(picture, i * LOOK_EVERY_S, "frame")

    assert {field.box for field in fields} == {ALL}
    assert not any(p.looked_at for p in pictures)


def test_what_a_person_drew_holds_until_it_is_found_anew(video):
    finder = FieldFinder()
    finder.use(BY_HAND)
    assert watch(finder, video) == [BY_HAND] * len(video)

    finder.use("frame")
    assert watch(finder, video)[-1].box == ALL

    finder.use("field")
    assert iou(watch(finder, video, made_for="frame")[-1].box, BESIDE) > 0.95

    finder.use(None)
    assert watch(finder, video, made_for="frame")[-1].box == ALL


def test_another_source_is_found_anew_and_what_was_drawn_stays(video):
    finder = FieldFinder(known=Field(BESIDE))
    finder.forget()
    assert iou(finder.field_of(Shown(screen(0.0, LEFT)), 0.0).box, LEFT) > 0.95

    finder = FieldFinder(fixed=BY_HAND)
    finder.forget()
    assert finder.field_of(Shown(video[0]), 0.0) == BY_HAND


def test_stepping_back_keeps_the_field(video):
    finder = FieldFinder()
    locked = watch(finder, video)[-1]

    back = []
    for i in (6, 5, 4):
        finder.jumped()
        back.append(finder.field_of(Shown(video[i]), i * LOOK_EVERY_S))

    assert back == [locked] * 3


def test_played_backwards_and_round_a_loop_the_field_stays(video):
    finder = FieldFinder()
    locked = watch(finder, video)[-1]

    backwards = [finder.field_of(Shown(video[i]), i * LOOK_EVERY_S) for i in reversed(range(8))]

    assert backwards == [locked] * 8
    assert watch(finder, video) == [locked] * 8


def test_one_picture_behind_a_jump_says_where_the_field_is_there(video):
    finder = FieldFinder()
    watch(finder, video)
    finder.jumped()

    paused_at = finder.field_of(Shown(screen(60.0, LEFT)), 60.0)

    assert iou(paused_at.box, LEFT) > 0.9


@pytest.mark.parametrize("arrived_in", ["black", "half_dark"])
def test_a_dark_picture_behind_a_jump_moves_nothing(video, arrived_in):
    finder = FieldFinder()
    locked = watch(finder, video)[-1]
    finder.jumped()
    dark = screen(60.0)
    dark[:, : SIZE.width_px if arrived_in == "black" else BESIDE.x + BESIDE.w // 2] = 0

    assert finder.field_of(Shown(dark), 60.0) == locked


def test_a_frame_of_another_size_is_no_place_for_an_old_lock(video):
    finder = FieldFinder()
    watch(finder, video)

    smaller = cv2.resize(screen(2.0, LEFT), (320, 180), interpolation=cv2.INTER_AREA)

    assert iou(finder.field_of(Shown(smaller), 7.2 * LOOK_EVERY_S).box, Rect(10, 5, 190, 170)) > 0.95


@pytest.mark.parametrize(
    ("drawn", "shown"),
    [
        (Rect(100, 50, 200, 100), Rect(100, 50, 200, 100)),
        (Rect(500, 300, 400, 400), Rect(500, 300, 140, 60)),
        (Rect(-50, -40, 150, 140), Rect(0, 0, 100, 100)),
        (Rect(700, 50, 200, 100), ALL),  # nothing of it is in the picture
        (Rect(635, 50, 200, 100), ALL),  # hardly anything
    ],
)
def test_a_field_drawn_on_another_size_is_taken_as_far_as_it_is_in_the_picture(drawn, shown):
    assert inside(Field(drawn, Form.OCTAGON, 0.2), SIZE).box == shown


@pytest.mark.parametrize("size", [Size(640, 360), Size(641, 361)])
@pytest.mark.parametrize("box", [Rect(3, 5, 102, 78), Rect(0, 1, 640, 359), Rect(101, 0, 539, 360)])
def test_a_box_lies_on_even_pixels_around_what_was_asked_for_or_ends_with_the_frame(box, size):
    found = even(box, size)

    assert found.x % 2 == found.y % 2 == 0
    assert found.x <= box.x
    assert found.y <= box.y
    for end, asked, last in (
        (found.x + found.w, box.x + box.w, size.width_px),
        (found.y + found.h, box.y + box.h, size.height_px),
    ):
        assert asked <= end <= min(asked + 1, last)
        assert end % 2 == 0 or end == last


@pytest.mark.parametrize("size", [Size(1920, 1080), Size(720, 576), Size(640, 64), Size(50, 40)])
def test_a_look_is_small_in_whole_steps_and_nearly_as_the_frame_in_shape(size):
    small = small_size(size)

    assert max(small.width_px, small.height_px) == LONG_SIDE_PX
    assert small.width_px % 16 == small.height_px % 16 == 0
    assert abs(small.height_px - LONG_SIDE_PX * size.height_px / size.width_px) <= 16


def test_a_recording_for_a_network_of_whole_frames_needs_no_finder():
    assert finder_of("frame", SourceSpec("file", "missing.mp4")) is None


def test_a_region_by_hand_needs_no_look_at_the_recording():
    finder = finder_of(BY_HAND, SourceSpec("file", "missing.mp4"))

    assert finder.field_of(Shown(screen(0.0)), 0.0) == BY_HAND


def test_a_recording_that_cannot_be_read_is_told_by_whoever_reads_it_in_earnest():
    finder = finder_of("field", SourceSpec("file", "missing.mp4"))

    assert finder.field_of(Shown(np.zeros((360, 640, 3), np.uint8)), 0.0) == whole(SIZE)


def test_a_still_is_cut_alike_where_it_is_shown_judged_and_trained_on(tmp_path):
    frame = screen(0.0)
    cv2.imwrite(str(tmp_path / "a.png"), frame)
    with closing(open_source(SourceSpec("images", str(tmp_path)))) as source:
        shown = FieldFinder().field_of(source.read(), 0.0)

    assert shown.box == box_of(frame, "field")
    assert iou(shown.box, BESIDE) > 0.97
    assert shown.form is Form.OCTAGON
