"""A recording reviewed: its findings jumped to, kept and rejected, and all of it there again."""

from __future__ import annotations

import shutil
import threading
from functools import partial

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from app.review.panel import NONE
from engine.files.whole import HOME_VARIABLE
from engine.review.acts import Verdict
from engine.review.places import Places
from engine.review.rows import PERSON
from engine.review.store import open_side_car
from engine.sources.file.cursor import FrameCursor
from engine.types import SourceState, TrackState
from tests.fixtures.fakes import FakeSource
from tests.fixtures.recorder import recorder_clip
from tests.gui.conftest import FRAMES, SEEN


@pytest.fixture(scope="module")
def model(following):
    """That of the windows here, too."""
    return following


@pytest.fixture
def until(qtbot):
    """A recording is opened by threads, which a busy machine may let wait."""
    return partial(qtbot.waitUntil, timeout=20_000)


@pytest.fixture
def review(make_window, until):
    """Opens a recording for review, and waits for its picture and its findings."""

    def review(clip, window=None):
        window = window or make_window()
        window.places.open_path(clip)
        place = window.review
        until(lambda: place.has_recording and place.reviewing.known is not None)
        return window

    return review


def shown_rank(window) -> int:
    presentation = window.review.desk.page.canvas.presentation
    return -1 if presentation is None else presentation.frame.index


def test_findings_are_jumped_to_judged_with_one_key_and_there_again(review, clip, press, until, recent):
    window = review(clip)
    panel = window.review.desk.page.panel
    assert panel.count_text == "1 finding: 1 open"
    (row,) = panel.rows

    press(window, Qt.Key.Key_N)
    until(lambda: shown_rank(window) == row.first_rank)
    assert panel.findings.chosen == row
    for key, verdict in (
        (Qt.Key.Key_Return, Verdict.KEEP),
        (Qt.Key.Key_U, Verdict.UNSURE),
        (Qt.Key.Key_Delete, Verdict.REJECT),
    ):
        press(window, key)
        until(lambda verdict=verdict: panel.rows[0].verdict is verdict)
    window.review.desk.opened.pipeline.seek_frame(row.best_rank)
    until(lambda: shown_rank(window) == row.best_rank)
    drawn = window.review.desk.page.canvas
    until(lambda: {one.state for one in drawn.presentation.result.components} == {TrackState.TENTATIVE})
    press(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    until(lambda: panel.rows[0].verdict is Verdict.UNSURE)

    window.review.close_review()
    review(clip, window)
    assert window.review.desk.page.panel.rows[0].verdict is Verdict.UNSURE
    assert window.review.desk.page.head.analysed.startswith("analysed ·")
    assert [item.title for item in recent.items] == ["clip.mp4"]


def test_a_recording_under_review_stands_and_its_marks_are_those_of_the_frame_that_is_seen(
    review, clip, press, until
):
    window = review(clip)
    page = window.review.desk.page
    until(lambda: window.review.desk.snapshot.source_state is SourceState.PAUSED)

    for _ in range(2):
        press(window, Qt.Key.Key_Period)
    until(lambda: shown_rank(window) == 2)
    page.timeline.seek_to(60 / 25)
    until(lambda: shown_rank(window) == 60 and page.canvas.presentation.result is not None)

    assert page.canvas.presentation.result.index == 60
    assert page.canvas.presentation.result.components
    assert page.transport.frame_text == f"frame 60 / {FRAMES}"


def test_a_drag_along_the_time_line_shows_small_pictures_at_once_and_the_exact_frame_where_it_ends(
    review, clip, until, monkeypatch
):
    page = review(clip).review.desk.page
    stand_in, timeline = page.stand_in, page.timeline
    until(lambda: page.canvas.presentation is not None and timeline.content.thumbnail(2.0) is not None)
    before = page.canvas.presentation
    release = threading.Event()
    decode = FrameCursor.go_to

    def slow(cursor, table, rank):
        release.wait(20.0)
        decode(cursor, table, rank)

    monkeypatch.setattr(FrameCursor, "go_to", slow)
    try:
        for at_s in (2.0, 2.4, 3.0):
            timeline.drag_to(at_s)
        until(lambda: stand_in.image is not None)
        assert stand_in.isVisible()
        assert page.canvas.presentation is before
    finally:
        release.set()
    timeline.seek_to(70 / 25)
    until(lambda: page.canvas.presentation.frame.index == 70)
    until(lambda: stand_in.image is None)
    assert not stand_in.isVisible()


def test_findings_follow_the_preset_without_the_network_and_stay_as_they_were_left(
    review, clip, press, until
):
    window = review(clip)
    page = window.review.desk.page
    press(window, Qt.Key.Key_N)
    until(lambda: shown_rank(window) == page.panel.rows[0].first_rank)
    left_at = shown_rank(window)
    page.timeline.see(1.0, 3.0)

    page.panel.point.preset.chosen.emit("quiet")  # hits of 4 s, and the polyp is seen for 2
    until(lambda: not page.panel.rows)
    assert page.panel.nothing_text == NONE
    assert page.canvas.presentation.frame.index == left_at

    review(clip, window)
    page = window.review.desk.page
    until(lambda: shown_rank(window) == left_at)
    assert page.panel.point.preset.currentData() == "quiet"
    until(lambda: page.panel.nothing_text == NONE)
    assert page.timeline.part == pytest.approx((1.0, 3.0), abs=0.01)

    page.panel.point.preset.chosen.emit("standard")
    until(lambda: len(page.panel.rows) == 1)


def test_a_second_window_can_look_and_says_why_it_keeps_nothing(review, make_window, clip, press, until):
    with open_side_car([clip], Places(clip.parent / "library")):  # as another window has it
        window = review(clip)
        page = window.review.desk.page
        assert "Another window" in window.review.start_anew()
        press(window, Qt.Key.Key_N)
        press(window, Qt.Key.Key_Return)

        assert "Another window has this recording open" in page.answer.text
        assert page.panel.rows[0].verdict is Verdict.OPEN


def test_live_video_goes_on_behind_and_its_word_stays_in_sight(playing, clip, until):
    window = playing(FakeSource(live=True, rate_hz=50))
    window.places.open_path(clip)
    place = window.review
    until(lambda: place.has_recording)
    before = window.operator.canvas.presentation.frame.number

    assert window.page is place
    word = window.operator.status.word  # LIVE, or STALE where the machine is slow
    until(lambda: window.strip.word.text() == word.word.value != "READY")
    window.places.show("live")
    until(lambda: window.operator.canvas.presentation.frame.number > before)
    assert window.page is window.operator
    assert place.has_recording  # and is as it was left when one comes back


def test_a_finding_is_split_joined_deleted_and_all_of_it_undone(review, clip, press, until):
    window = review(clip)
    panel, acts = window.review.desk.page.panel, window.review.desk.acts
    whole = panel.rows
    press(window, Qt.Key.Key_N)
    window.review.desk.opened.pipeline.seek_frame(60)
    until(lambda: shown_rank(window) == 60)

    assert acts.split() == "Split"
    until(lambda: len(panel.rows) == 2)
    assert panel.rows[1].first_rank == 60
    until(lambda: panel.findings.chosen == panel.rows[1])  # keys are meant for what is seen
    window.review.desk.opened.pipeline.seek_frame(panel.rows[0].first_rank)
    until(lambda: panel.findings.chosen == panel.rows[0])
    assert acts.join() == "Joined"
    until(lambda: len(panel.rows) == 1)
    acts.delete()
    until(lambda: not panel.rows)
    for _ in range(3):
        press(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    until(lambda: panel.rows == whole)


def test_a_bookmark_has_a_note_is_taken_away_and_all_of_it_undone(review, clip, press, until):
    window = review(clip)
    desk = window.review.desk
    until(lambda: shown_rank(window) == 0)

    press(window, Qt.Key.Key_B)
    QTest.keyClicks(desk.page.note.field, "appendix")
    press(window, Qt.Key.Key_Return)
    until(lambda: desk.known.bookmarks == {0: "appendix"})
    assert [mark.note for mark in desk.page.timeline.content.marks] == ["appendix"]
    press(window, Qt.Key.Key_B, Qt.KeyboardModifier.ShiftModifier)
    until(lambda: not desk.known.bookmarks)
    for before in ({0: "appendix"}, {0: ""}, {}):
        press(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        until(lambda before=before: desk.known.bookmarks == before)
    assert desk.page.answer.text == "Undone: bookmark"
    window.review.start_anew()
    assert "anew?" in window.review.question.text, "nothing is set aside by one key"
    press(window, Qt.Key.Key_Escape)
    assert window.review.reviewing is desk
    assert window.review.question.text == ""


def test_what_nobody_found_is_added_by_a_drag_outlined_listed_and_deleted_with_its_masks(
    review, clip, press, until
):
    window = review(clip)
    desk = window.review.desk
    panel, canvas = desk.page.panel, desk.page.canvas
    desk.opened.pipeline.seek_frame(10)
    until(lambda: shown_rank(window) == 10)

    press(window, Qt.Key.Key_M)
    middle, step = canvas.picture_rect().center().toPoint(), QPoint(40, 30)
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=middle)
    QTest.mouseMove(canvas, middle + step)
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=middle + step)
    until(lambda: len(panel.rows) == 2)
    (added,) = (row for row in panel.rows if row.who == PERSON)
    assert (added.first_rank, added.last_rank, added.verdict) == (10, 10, Verdict.KEEP)
    assert panel.findings.chosen == added

    press(window, Qt.Key.Key_E)
    desk.opened.pipeline.seek_frame(12)
    until(lambda: shown_rank(window) == 12)
    desk.editing.masks.active = added.labels[0]
    QTest.mouseClick(desk.editing.layer, Qt.MouseButton.LeftButton, pos=middle)
    until(lambda: panel.rows[0].last_rank == 12)
    assert panel.rows[0].labels == added.labels
    panel.list_as("Found by a person", "Largest")
    assert [row.who for row in panel.rows] == [PERSON]
    assert panel.rows[0].field_frac > 0
    press(window, Qt.Key.Key_E)
    press(window, Qt.Key.Key_Delete, Qt.KeyboardModifier.ShiftModifier)
    until(lambda: not panel.rows and not desk.editing.frames.of(12).masks)
    press(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    until(lambda: bool(panel.rows and desk.editing.frames.of(12).masks))


def test_a_recording_that_has_changed_is_told_and_can_be_started_anew(review, clip, make_window, until):
    recorder_clip(clip, FRAMES, range(0), -1)  # another one under the same name
    window = make_window()
    window.places.open_path(clip)
    until(lambda: window.review.notice.notice is not None)
    assert "is not the recording that was analysed" in window.review.notice.text

    window.review.notice.answer()
    until(lambda: window.review.reviewing is not None and window.review.desk.known is not None)
    assert window.review.notice.notice is None
    assert window.review.desk.known.rows == ()
    assert list(clip.parent.glob("*.damaged-*"))  # what was known is kept


def test_every_frame_is_painted_where_that_is_asked_for(review, clip, press, until):
    window = review(clip)
    desk, canvas = window.review.desk, window.review.desk.page.canvas
    until(lambda: desk.snapshot.source_state is SourceState.PAUSED and shown_rank(window) == 0)
    ranks, painted = [], canvas.on_painted

    def note(presentation, *times):
        ranks.append(presentation.frame.index)
        painted(presentation, *times)

    canvas.on_painted = note
    press(window, Qt.Key.Key_Space, Qt.KeyboardModifier.ShiftModifier)
    press(window, Qt.Key.Key_Space)
    until(lambda: desk.snapshot.source_state is SourceState.ENDED)

    assert sorted(set(ranks) | {0}) == list(range(FRAMES))
    assert desk.page.transport.speed_text == "every"


@pytest.mark.slow
def test_opening_analyses_in_the_background_pauses_and_goes_on_where_it_was(
    make_window, analysed, tmp_path, qtbot, monkeypatch
):
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))  # no library that knows the recording
    until = partial(qtbot.waitUntil, timeout=120_000)
    clip = shutil.copy(analysed / "clip.mp4", tmp_path / "new.mp4")
    window = make_window()
    window.places.open_path(clip)
    until(lambda: window.review.reviewing is not None and window.review.desk.opened.job.is_running)
    desk = window.review.desk
    head = desk.page.head

    until(lambda: desk.known is not None and desk.known.progress.done > 0)
    desk.toggle_analysis()
    until(lambda: not desk.opened.job.is_running)
    if not desk.known.progress.is_done:  # of so short a clip the pause may come too late
        assert head.pause.text() == "Go on analysing"
        desk.toggle_analysis()
    until(lambda: desk.known.progress.is_done)
    assert [row.first_rank for row in desk.page.panel.rows] == [SEEN.start]
