"""The time line by itself: what is painted again, and what is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.review.along.lanes import LANES
from app.review.along.timeline import Timeline


@pytest.fixture
def line(qtbot):
    """A time line of a minute, and how often its lanes were painted."""
    painted = []
    timeline = Timeline()
    qtbot.addWidget(timeline)
    lane = replace(LANES[0], paint=lambda *_: painted.append(1))
    timeline.set_lanes([lane])
    timeline.set_length(60.0)
    timeline.resize(800, timeline.height())
    with qtbot.waitExposed(timeline):
        timeline.show()
    qtbot.waitUntil(lambda: bool(painted))
    return timeline, painted


def test_lanes_are_not_painted_again_while_the_cursor_moves_along(line, qtbot):
    timeline, painted = line
    timeline.grab()
    before = len(painted)
    pictures = set()
    for at_s in (10.0, 20.0, 30.0):
        timeline.set_cursor(at_s)
        pictures.add(timeline.grab().toImage().constBits().tobytes())
    assert len(pictures) == 3
    assert len(painted) == before

    timeline.show_content(threshold=0.7)
    timeline.grab()
    assert len(painted) == before + 1
    timeline.see(0.0, 30.0)
    timeline.grab()
    assert len(painted) == before + 2


def test_what_is_seen_goes_along_with_the_picture_unless_a_person_looks_elsewhere(line):
    timeline, _ = line
    timeline.see(10.0, 20.0)
    timeline.set_cursor(15.0)
    timeline.set_cursor(21.0)
    assert timeline.seen == pytest.approx((16.0, 26.0))
    timeline.set_cursor(59.0)
    assert timeline.seen == pytest.approx((50.0, 60.0)), "as near as it was looked at before"
    timeline.see(0.0, 10.0)
    timeline.set_cursor(58.0)
    assert timeline.seen == pytest.approx((0.0, 10.0))
