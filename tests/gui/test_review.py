"""A recording reviewed: its findings jumped to, kept and rejected, and all of it there again."""

from __future__ import annotations

import shutil

import pytest
from PySide6.QtCore import Qt

from app.review.panel import NONE
from engine.jobs.events import RunFolder
from engine.model_folder import load_model_folder
from engine.review.acts import Verdict
from engine.review.analysis import analyse_into, begin, run_folder, spec_of
from engine.review.places import Places
from engine.review.store import open_side_car
from engine.types import SourceState
from tests.fixtures.fakes import FakeSource
from tests.fixtures.recorder import following_model, recorder_clip

FRAMES, SEEN = 120, range(40, 90)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return following_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def analysed(tmp_path_factory, model):
    """A clip with its side-car beside it, all of it analysed."""
    folder = tmp_path_factory.mktemp("analysed")
    clip = recorder_clip(folder / "clip.mp4", FRAMES, SEEN, -1)
    with open_side_car([clip], Places(folder / "library")) as car:
        analysis = begin(car, load_model_folder(model))
        job = RunFolder(run_folder(car.folder, analysis.id))
        assert analyse_into(car.database, analysis, spec_of(car), job)
    return folder


@pytest.fixture
def clip(analysed, tmp_path):
    return shutil.copytree(analysed, tmp_path / "recordings") / "clip.mp4"


@pytest.fixture
def review(make_window, qtbot):
    """Opens a recording for review, and waits for its picture and its findings."""

    def review(clip, window=None):
        window = window or make_window()
        window.places.open_path(clip)
        place = window.review
        qtbot.waitUntil(lambda: place.has_recording and place.reviewing.known is not None, timeout=15_000)
        return window

    return review


def shown_rank(window) -> int:
    presentation = window.review.desk.page.canvas.presentation
    return -1 if presentation is None else presentation.frame.index


def test_findings_are_jumped_to_judged_with_one_key_and_there_again(review, clip, press, qtbot):
    window = review(clip)
    panel = window.review.desk.page.panel
    assert panel.count_text == "1 finding: 1 open"
    (row,) = panel.rows

    press(window, Qt.Key.Key_N)
    qtbot.waitUntil(lambda: shown_rank(window) == row.first_rank)
    assert panel.findings.chosen == row
    for key, verdict in (
        (Qt.Key.Key_Return, Verdict.KEEP),
        (Qt.Key.Key_U, Verdict.UNSURE),
        (Qt.Key.Key_Delete, Verdict.REJECT),
    ):
        press(window, key)
        qtbot.waitUntil(lambda verdict=verdict: panel.rows[0].verdict is verdict)
    press(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: panel.rows[0].verdict is Verdict.UNSURE)

    window.review.close_review()
    review(clip, window)
    assert window.review.desk.page.panel.rows[0].verdict is Verdict.UNSURE
    assert window.review.desk.page.head.analysed.startswith("analysed ·")


def test_a_recording_under_review_stands_and_its_marks_are_those_of_the_frame_that_is_seen(
    review, clip, press, qtbot
):
    window = review(clip)
    page = window.review.desk.page
    qtbot.waitUntil(lambda: window.review.desk.snapshot.source_state is SourceState.PAUSED)

    for _ in range(2):
        press(window, Qt.Key.Key_Period)
    qtbot.waitUntil(lambda: shown_rank(window) == 2)
    page.timeline.seek_to(60 / 25)
    qtbot.waitUntil(lambda: shown_rank(window) == 60 and page.canvas.presentation.result is not None)

    assert page.canvas.presentation.result.index == 60
    assert page.canvas.presentation.result.components
    assert page.transport.frame_text == f"frame 60 / {FRAMES}"


def test_findings_follow_the_preset_without_the_network_and_stay_as_they_were_left(
    review, clip, press, qtbot
):
    window = review(clip)
    page = window.review.desk.page
    press(window, Qt.Key.Key_N)
    qtbot.waitUntil(lambda: shown_rank(window) == page.panel.rows[0].first_rank)
    left_at = shown_rank(window)
    page.timeline.see(1.0, 3.0)

    page.panel.point.preset.chosen.emit("quiet")  # hits of 4 s, and the polyp is seen for 2
    qtbot.waitUntil(lambda: not page.panel.rows)
    assert page.panel.nothing_text == NONE
    assert page.canvas.presentation.frame.index == left_at

    review(clip, window)
    page = window.review.desk.page
    qtbot.waitUntil(lambda: shown_rank(window) == left_at)
    assert page.panel.point.preset.currentData() == "quiet"
    assert page.panel.nothing_text == NONE
    assert page.timeline.part == pytest.approx((1.0, 3.0), abs=0.01)

    page.panel.point.preset.chosen.emit("standard")
    qtbot.waitUntil(lambda: len(page.panel.rows) == 1)


def test_a_second_window_can_look_and_says_why_it_keeps_nothing(review, make_window, clip, press, qtbot):
    with open_side_car([clip], Places(clip.parent / "library")):  # as another window has it
        window = review(clip)
        page = window.review.desk.page
        press(window, Qt.Key.Key_N)
        press(window, Qt.Key.Key_Return)

        assert "Another window has this recording open" in page.answer.text
        assert page.panel.rows[0].verdict is Verdict.OPEN


def test_live_video_goes_on_behind_and_its_word_stays_in_sight(playing, clip, qtbot):
    window = playing(FakeSource(live=True, rate_hz=50))
    window.places.open_path(clip)
    place = window.review
    qtbot.waitUntil(lambda: place.has_recording, timeout=15_000)
    before = window.operator.canvas.presentation.frame.number

    assert window.page is place
    word = window.operator.status.word  # LIVE, or STALE where the machine is slow
    qtbot.waitUntil(lambda: window.strip.word.text() == word.word.value != "READY")
    window.places.show_live()
    qtbot.waitUntil(lambda: window.operator.canvas.presentation.frame.number > before)
    assert window.page is window.operator
    assert place.has_recording  # and is as it was left when one comes back
