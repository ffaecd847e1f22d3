"""Masks corrected over the picture: every tool by the mouse, frames told apart, nothing that waits."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from itertools import chain

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QAction, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.player.canvas import Canvas
from app.review.editing.editing import MaskEditing
from app.review.editing.panel import BACK_AND_AGAIN, JUDGED, STATES, WHOLE_FRAME
from app.review.editing.tools import TOOLS
from engine.analysis.judged import open_recording
from engine.drawing.rle import decode
from engine.faults import FaultCode, FaultError
from engine.review.acts import PERSONS, FrameState
from engine.review.editing.brush import stroked
from engine.review.edits import Edits
from engine.review.places import Places
from engine.review.sam.ways import WAYS
from engine.review.store import open_side_car
from engine.sources import parse_source
from engine.types import Frame, Presentation
from tests.fixtures.clips import CLIPS, HEIGHT_PX, WIDTH_PX, number_in, variable, write
from tests.fixtures.watch import window_stays_quick

FRAMES = 30
WAIT_MS = 20_000  # a busy machine
ZOOM = 4  # of the picture on the canvas
LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
ACTIONS = [*(f"mask-{name}" for name in TOOLS), *BACK_AND_AGAIN, *chain(*WHOLE_FRAME), *JUDGED]


class Page:
    """What the review page does for the tools: it stands at a frame, and goes to the next one."""

    def __init__(self, clip):
        self.path = clip
        with closing(open_recording(parse_source(str(clip)))) as source:
            self.pictures = [(one.index, one.pts_s, one.bgra()) for one in iter(source.read, None)]
        self.canvas = Canvas()
        self.canvas.resize(ZOOM * WIDTH_PX, ZOOM * HEIGHT_PX)
        self.rank = 0
        self.plays = False
        self.read_only = ""
        self.weights = ""
        self.editing = None

    def why_read_only(self):
        return self.read_only

    def spec(self):
        return parse_source(str(self.path))

    def label_for(self, rank):
        return None

    def marks_of(self, rank):
        return None

    def sam_weights(self):
        return self.weights

    def name_of(self, label):
        return f"polyp {label}"

    def next_rank(self, rank, *, goes_on):
        return rank + 1 if rank + 1 < len(self.pictures) else None

    def range_from(self, rank, *, back):
        return 0 if back else len(self.pictures) - 1

    def pause(self):
        was, self.plays = self.plays, False
        return was

    def go_to_rank(self, rank, result=None):
        index, pts_s, image = self.pictures[rank]
        frame = Frame(rank, index, pts_s, 0.0, 0.0, image.shape[1], image.shape[0], image, None)
        shown = Presentation(frame, result, None)
        self.rank = rank
        self.canvas.show_presentation(shown)
        self.editing.show(shown)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write(replace(CLIPS["variable.mp4"], times_ms=variable(FRAMES)), tmp_path_factory.mktemp("clip"))


@pytest.fixture
def car(clip, tmp_path):
    with open_side_car([clip], Places(tmp_path / "library", beside=False)) as opened:
        yield opened


@pytest.fixture
def page(qtbot, clip, car):
    page = Page(clip)
    qtbot.addWidget(page.canvas)
    edits = Edits(car.database)

    def ask(work, done=None):
        answer = work(edits)
        if done is not None:
            done(answer)

    page.editing = MaskEditing(page.canvas, ask, page, {name: QAction(name) for name in ACTIONS}, page.canvas)
    qtbot.addWidget(page.editing.panel)
    page.editing.begin()
    page.canvas.show()
    page.go_to_rank(0)
    assert page.editing.toggle() == "Correction"
    yield page
    page.editing.close()


def at(x, y):
    """Frame pixels as the layer's."""
    return QPoint(round(x * ZOOM), round(y * ZOOM))


def stroke(page, *points, button=LEFT):
    layer = page.editing.layer
    QTest.mousePress(layer, button, pos=at(*points[0]))
    for point in points[1:]:
        QTest.mouseMove(layer, at(*point))
    QTest.mouseRelease(layer, button, pos=at(*points[-1]))


def kept(car, rank):
    """As another program would read it from the disk."""
    return Edits(car.database).frame(rank)


def only_mask(edits):
    (one,) = edits.masks.values()
    return decode(one.rle)


def test_a_brush_stroke_is_on_the_disk_when_the_button_comes_up_and_lies_where_the_mouse_was(page, car):
    stroke(page, (40, 60), (80, 60))

    edits = kept(car, 0)
    assert edits.state is FrameState.TOUCHED
    empty = np.zeros((HEIGHT_PX, WIDTH_PX), np.uint8)
    assert np.array_equal(only_mask(edits), stroked(empty, [(40, 60), (80, 60)], page.editing.radius_px, 1))
    assert list(edits.masks) == [PERSONS + 1]


def test_the_frame_that_was_seen_is_the_frame_that_was_edited(page, car):
    for rank in (3, 17, 29):
        page.go_to_rank(rank)
        stroke(page, (30 + rank, 50), (60 + rank, 70))

    for rank in (3, 17, 29):
        assert number_in(page.pictures[rank][2]) == rank
        assert only_mask(kept(car, rank))[60, 45 + rank]
    assert sorted(Edits(car.database).frames) == [3, 17, 29]


def test_the_right_button_erases_and_the_wheel_changes_the_size(page, car):
    before = page.editing.radius_px
    wheel(page.editing.layer, 5)
    assert page.editing.radius_px == pytest.approx(before * 1.2**5)
    stroke(page, (80, 60))
    area = int(only_mask(kept(car, 0)).sum())

    stroke(page, (80, 60 - page.editing.radius_px), button=RIGHT)

    assert area == pytest.approx(np.pi * page.editing.radius_px**2, rel=0.05)
    assert int(only_mask(kept(car, 0)).sum()) < 0.7 * area


def test_a_polygon_is_closed_at_its_first_corner_and_a_corner_can_be_taken_back(page, car):
    page.editing.polygon()
    for corner in ((30, 40), (90, 40), (150, 10)):
        stroke(page, corner)
    page.editing.undo()  # the last corner alone
    for corner in ((90, 80), (30, 80), (30, 40)):
        stroke(page, corner)

    mask = only_mask(kept(car, 0))
    assert mask[40:80, 30:90].all()
    assert mask.sum() == 40 * 60
    (one,) = kept(car, 0).masks.values()
    assert one.outlines == (((30.0, 40.0), (90.0, 40.0), (90.0, 80.0), (30.0, 80.0)),)


def test_a_polygon_is_traced_with_the_button_held_and_a_click_that_slips_is_a_corner(page, car):
    page.editing.polygon()
    stroke(page, (30, 40), (90, 40), (90, 80), (30, 80))  # closed where the button comes up
    mask = only_mask(kept(car, 0))
    assert mask[41:79, 31:89].all()
    assert mask.sum() == pytest.approx(40 * 60, rel=0.05)

    page.go_to_rank(1)
    stroke(page, (30, 40), (30, 42))
    assert page.editing.masks.is_stroking
    assert kept(car, 1).state is FrameState.MACHINE


def test_an_outline_is_pulled_and_what_is_far_stays(page, car):
    page.editing.polygon()
    for corner in ((30, 40), (90, 40), (90, 80), (30, 80), (30, 40)):
        stroke(page, corner)
    before = only_mask(kept(car, 0))
    page.editing.drag()

    stroke(page, (89.5, 60), (100, 60))

    after = only_mask(kept(car, 0))
    assert after[60, 98]
    assert np.array_equal(after[:, :70], before[:, :70])


def test_a_click_finds_the_digits_and_the_right_button_takes_them_away_again(page, car, qtbot):
    page.editing.click()
    page.editing.clicking.use("flood")
    stroke(page, (130, 60))
    with window_stays_quick():
        qtbot.waitUntil(lambda: bool(kept(car, 0).masks), timeout=WAIT_MS)
    assert only_mask(kept(car, 0))[60, 130]

    stroke(page, (130, 60), button=RIGHT)
    qtbot.waitUntil(lambda: not kept(car, 0).masks or not only_mask(kept(car, 0))[60, 130], timeout=WAIT_MS)


def test_undo_and_redo_go_through_all_that_was_done_to_the_frame_that_is_seen(page, car):
    seen = []
    for x in (30, 60, 90):
        stroke(page, (x, 60))
        seen.append(kept(car, 0))
    page.go_to_rank(1)
    stroke(page, (50, 50))
    page.go_to_rank(0)

    for expected in (seen[1], seen[0]):
        page.editing.undo()
        assert kept(car, 0) == expected
    page.editing.undo()
    assert kept(car, 0).state is FrameState.MACHINE
    for expected in seen:
        page.editing.redo()
        assert kept(car, 0) == expected
    assert kept(car, 1).masks


def test_enter_verifies_and_goes_on_and_what_a_frame_before_had_is_taken_over_in_one_key(page, car):
    stroke(page, (40, 60), (80, 60))
    mask = only_mask(kept(car, 0))

    assert page.editing.verify() == "Verified"
    assert page.rank == 1
    page.editing.same()
    page.editing.verify()
    assert "No polyp is marked" in page.editing.verify()  # what has no mask is not taken for looked at
    page.editing.verify_empty()

    assert page.rank == 3
    assert [kept(car, rank).state for rank in range(3)] == [
        FrameState.VERIFIED,
        FrameState.VERIFIED,
        FrameState.EMPTY,
    ]
    assert np.array_equal(only_mask(kept(car, 1)), mask)
    assert not kept(car, 2).masks


def test_another_polyp_has_a_label_of_its_own_and_a_stroke_goes_to_the_one_that_it_begins_on(page, car):
    stroke(page, (30, 60))
    page.editing.another()
    stroke(page, (90, 60))
    stroke(page, (30, 60), (40, 60))

    first, second = (
        decode(one.rle) for one in (kept(car, 0).masks[label] for label in sorted(kept(car, 0).masks))
    )
    assert first[60, 40]
    assert second[60, 90]
    assert not second[60, 40]


def test_polyps_are_listed_by_number_chosen_by_key_click_or_button_and_taken_away_alone(page, car):
    stroke(page, (30, 60))
    page.editing.another()
    stroke(page, (90, 60))
    first, second = sorted(kept(car, 0).masks)
    one, two = page.editing.panel.polyps.buttons
    assert (one.text(), two.text()) == (f"1  polyp {first}", f"2  polyp {second}")
    assert (one.isChecked(), two.isChecked()) == (False, True)

    assert page.editing.choose(1) == "Polyp 1"
    stroke(page, (60, 20))  # on none of them: of the one that is chosen
    assert decode(kept(car, 0).masks[first].rle)[20, 60]
    two.click()
    assert page.editing.remove() == "Removed"
    assert list(kept(car, 0).masks) == [first]
    assert page.editing.choose(2) == "There is no polyp 2 in this frame"
    page.editing.undo()
    assert sorted(kept(car, 0).masks) == [first, second]


def test_every_state_of_a_frame_is_seen_and_reached_by_a_key_and_undone(page, car):
    stroke(page, (40, 60))
    page.editing.verify()
    page.go_to_rank(0)
    states = [page.editing.masks.state]
    for act in (page.editing.unverify, page.editing.verify_empty, page.editing.untouched):
        act()
        page.go_to_rank(0)
        states.append(page.editing.masks.state)
        assert page.editing.panel.state == STATES[states[-1]]

    assert states == [FrameState.VERIFIED, FrameState.TOUCHED, FrameState.EMPTY, FrameState.MACHINE]
    for expected in reversed(states[:-1]):
        page.editing.undo()
        assert kept(car, 0).state is expected


def test_a_polyp_that_is_followed_by_hand_from_frame_to_frame_is_one_and_the_same(page, car):
    for rank in (3, 4, 5):
        page.go_to_rank(rank)
        stroke(page, (40 + rank, 60))
        page.editing.verify()

    assert len({label for rank in (3, 4, 5) for label in kept(car, rank).masks}) == 1


def test_masks_are_carried_on_and_taken_back_in_all_frames_at_once(page, car, qtbot):
    stroke(page, (130, 70), (140, 75))
    page.go_to_rank(6)
    page.editing.verify_empty()
    page.go_to_rank(0)

    page.editing.follow()
    with window_stays_quick():
        qtbot.waitUntil(lambda: not page.editing.carrying.is_running, timeout=WAIT_MS)

    edits = Edits(car.database)
    assert sorted(edits.frames) == [0, 1, 2, 3, 4, 5, 6]
    assert edits.frame(6).state is FrameState.EMPTY
    assert edits.frame(3).state is FrameState.TOUCHED
    assert np.mean(only_mask(edits.frame(5)) != only_mask(edits.frame(0))) < 0.01
    page.editing.panel.undo_all.click()
    assert sorted(Edits(car.database).frames) == [0, 6]


def test_what_is_carried_on_can_be_cancelled_and_then_nothing_of_it_is_kept(page, car, qtbot):
    stroke(page, (130, 70))
    page.editing.follow()
    assert page.editing.escape()

    qtbot.waitUntil(lambda: not page.editing.carrying.is_running, timeout=WAIT_MS)

    assert sorted(Edits(car.database).frames) == [0]


def test_a_stroke_is_ended_on_its_own_frame_when_another_one_comes_while_it_is_drawn(page, car):
    layer = page.editing.layer
    QTest.mousePress(layer, LEFT, pos=at(40, 60))
    QTest.mouseMove(layer, at(60, 60))
    page.go_to_rank(1)
    QTest.mouseMove(layer, at(120, 20))
    QTest.mouseRelease(layer, LEFT, pos=at(120, 20))
    page.editing.polygon()
    for corner in ((30, 40), (90, 40), (90, 80)):
        stroke(page, corner)
    page.editing.brush()  # another tool closes it
    page.editing.polygon()
    page.editing.another()
    stroke(page, (10, 10))
    page.go_to_rank(2)  # one corner is nothing yet

    assert sorted(Edits(car.database).frames) == [0, 1]
    assert only_mask(kept(car, 0))[60, 50]
    assert not only_mask(kept(car, 0))[20, 120]
    assert only_mask(kept(car, 1)).sum() == pytest.approx(60 * 40 / 2, rel=0.05)


def test_clicks_are_masks_of_the_frame_that_they_were_made_on_also_of_one_that_has_gone(page, car):
    page.editing.click()
    for rank in (0, 1):  # the second is clicked on while the first is looked at
        page.go_to_rank(rank)
        stroke(page, (130, 60))
        stroke(page, (40, 20))
    page.go_to_rank(2)
    page.editing.close()

    assert sorted(Edits(car.database).frames) == [0, 1]
    for rank in (0, 1):
        masks = [decode(one.rle) for one in kept(car, rank).masks.values()]
        assert any(mask[60, 130] for mask in masks)
        assert any(mask[20, 40] for mask in masks)


class Answers:
    """A helper of its own process, as the window sees one: it answers once, and then it is gone."""

    def __init__(self, weights):
        self.weights, self.asked, self.closed = weights, 0, False

    def __call__(self, picture, before, clicks):
        self.asked += 1
        if self.asked > 1 or not self.weights:
            raise FaultError(
                FaultCode.INFERENCE, expected="", got="", remedy="", said="The helper was ended."
            )
        return np.ones(picture.shape[:2], np.uint8)

    def close(self):
        self.closed = True


def test_where_a_helper_is_gone_that_is_told_and_the_built_in_way_answers_the_same_click(
    page, car, qtbot, monkeypatch
):
    made, told = [], []
    monkeypatch.setitem(WAYS, "sam", lambda weights: made.append(Answers(weights)) or made[-1])
    page.editing.failed.connect(lambda fault: told.append(fault.sentence))
    page.weights = "weights"
    page.editing.click()
    page.editing.panel.way_chosen.emit("sam")
    stroke(page, (130, 60))
    qtbot.waitUntil(lambda: bool(kept(car, 0).masks), timeout=WAIT_MS)
    assert only_mask(kept(car, 0)).all()

    page.go_to_rank(1)
    stroke(page, (130, 60))
    qtbot.waitUntil(lambda: bool(kept(car, 1).masks), timeout=WAIT_MS)
    assert 0 < only_mask(kept(car, 1)).mean() < 0.5
    assert told == ["The helper was ended."]
    assert made[0].closed
    assert page.editing.panel.way.currentData() == "outline"


def test_a_press_while_it_plays_stops_it_and_paints_nothing(page, car):
    page.plays = True
    stroke(page, (40, 60))

    assert not page.plays
    assert kept(car, 0).state is FrameState.MACHINE


def test_what_can_only_be_read_says_why_and_gives_no_tools(page):
    page.editing.toggle()
    assert not page.editing.panel.isVisibleTo(page.canvas.parentWidget())
    page.read_only = "Another window has this recording open."

    assert page.editing.toggle() == "Another window has this recording open."
    assert not page.editing.is_on


def wheel(widget, notches):
    centre = QPointF(widget.rect().center())
    none = Qt.KeyboardModifier.NoModifier
    event = QWheelEvent(
        centre, widget.mapToGlobal(centre), QPoint(), QPoint(0, 120 * notches), Qt.MouseButton.NoButton, none,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(widget, event)
