"""Marks of an earlier frame are drawn where the picture has moved them; those of its own stay."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from engine.drawing.components import find_components
from engine.live.board import Board
from engine.live.pacing import NetworkPace
from engine.live.presenter import KEPT_RESULTS, Presenter
from engine.live.stats import StatsRecorder
from engine.types import (
    AiState,
    Field,
    OperatingPoint,
    Pacing,
    Rect,
    Size,
    SourceInfo,
    SourceState,
    TrackState,
)
from engine.view.looks import KEPT, Looks
from engine.view.motion import STILL
from tests.fixtures.values import frame, result

SIZE = Size(320, 240)
BOX = Rect(0, 0, 320, 240)
ROUGH = np.random.default_rng(1).random((24, 24, 3)).astype(np.float32)
WIDE = (cv2.resize(ROUGH, (480, 480), interpolation=cv2.INTER_CUBIC).clip(0, 1) * 255).astype(np.uint8)


def picture(moved_px):
    """320 x 320 of something that has moved to the right by so many pixels."""
    return np.ascontiguousarray(WIDE[80:400, 80 - moved_px : 400 - moved_px])


def test_motion_between_any_two_of_the_last_pictures():
    looks = Looks()
    for number, moved_px in enumerate((0, 16, 32)):
        looks.add(number, picture(moved_px), BOX)

    assert looks.between(0, 2).dx_frac == pytest.approx(0.1, abs=0.01)
    assert looks.between(1, 2).dx_frac == pytest.approx(0.05, abs=0.01)


def test_of_pictures_that_are_forgotten_or_of_another_part_no_motion_is_known():
    looks = Looks()
    looks.add(0, picture(0), BOX)
    looks.add(1, picture(16), Rect(0, 0, 200, 240))
    assert looks.between(0, 1) == STILL

    for number in range(2, KEPT + 3):
        looks.add(number, picture(16), BOX)
    assert looks.between(0, KEPT + 2) == STILL


def shown(number, moved_px):
    seen = frame(number, size=SIZE)
    return replace(seen, network_image=picture(moved_px), field=Field(BOX))


def mask_of(number):
    """Two findings, 1 and 2."""
    probability = np.zeros((60, 80), np.uint8)
    probability[20:30, 30:40] = probability[40:50, 30:40] = 230
    raw = result(number, probability=probability)
    mask = replace(raw.mask, roi=BOX)
    found = sorted(find_components(mask, 320, 240, raw.point), key=lambda component: component.box.y)
    tracked = tuple(replace(c, track=i, state=TrackState.CONFIRMED) for i, c in enumerate(found, 1))
    return replace(raw, size=SIZE, mask=mask, field=Field(BOX), components=tracked)


@pytest.fixture
def presenter():
    board = Board(lambda: None)
    info = SourceInfo("one", "one", 320, 240, 30.0, None, None, False, True, "bt709")
    point = OperatingPoint(0.5, 0.0)
    board.change(
        ai_state=AiState.ON,
        pacing=Pacing.LIVE,
        info=info,
        source_state=SourceState.RUNNING,
        model_id="test",
        point=point,
    )
    return Presenter(board, StatsRecorder(), lambda: None, NetworkPace), board


def marks(board):
    found = board.status.presentation.result.components
    return [component.box for component in sorted(found, key=lambda one: one.track)]


def test_a_late_mask_is_drawn_where_the_picture_has_moved_it_and_its_own_mask_where_it_is(presenter):
    presenter, board = presenter
    for number, moved_px in ((1, 0), (2, 0), (3, 20)):
        presenter.offer_frame(shown(number, moved_px))
        presenter.offer_result(mask_of(min(number, 2)))
        presenter.tick()
        if number == 2:
            still = marks(board)

    late = marks(board)
    assert board.status.presentation.result.number == 2
    for was, is_at in zip(still, late, strict=True):
        assert (is_at.x - was.x, is_at.y - was.y) == (pytest.approx(20, abs=3), pytest.approx(0, abs=2))
    for number in range(10, 10 + KEPT_RESULTS):  # of frames to come: the mask that is drawn is kept no longer
        presenter.offer_result(mask_of(number))
    board.dismiss({2})
    presenter.tick()
    assert marks(board) == late[:1]

    presenter.offer_result(mask_of(3))
    presenter.tick()
    assert marks(board) == still[:1]
