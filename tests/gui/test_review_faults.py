"""What can be wrong with what is known of a recording: one sentence, the video goes on, nothing is lost."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from app.review.panel import UNOPENED, UNREADABLE
from engine.model_folder import load_model_folder
from engine.review.acts import Verdict
from engine.review.database import DATABASE
from engine.review.schema import CURRENT, Version
from tests.gui.conftest import FRAMES


@pytest.fixture(scope="module")
def model(following):
    """That of the windows here, too."""
    return following


@pytest.fixture
def until(qtbot):
    return partial(qtbot.waitUntil, timeout=20_000)


def damaged(clip: Path) -> None:
    path = clip.with_name("clip.mp4.review") / DATABASE
    path.write_bytes(b"no database at all, but long enough to be one" * 999)


def newer(clip: Path) -> None:
    with closing(sqlite3.connect(clip.with_name("clip.mp4.review") / DATABASE)) as connection:
        connection.execute(f"PRAGMA user_version = {Version(CURRENT.major + 1).number}")


def gone(clip: Path) -> None:
    clip.unlink()


def shown(window) -> bool:
    desk = window.review.reviewing
    return desk is not None and desk.page.canvas.presentation is not None


def kept(clip: Path) -> bytes:
    return (clip.with_name("clip.mp4.review") / DATABASE).read_bytes()


def test_whatever_is_wrong_with_a_side_car_is_one_sentence_and_the_video_goes_on(
    make_window, analysed, tmp_path, until, press
):
    window = make_window()
    for number, (wrong, sentence, answer, plays) in enumerate(
        (
            (damaged, "What is known of this recording cannot be read", "Start anew", True),
            (newer, "was written by a newer polyplive", "Show faults", True),
            (gone, "clip.mp4", "Choose another…", False),
        )
    ):
        clip = shutil.copytree(analysed, tmp_path / str(number)) / "clip.mp4"
        wrong(clip)
        before = kept(clip)
        window.places.open_path(clip)
        until(lambda: window.review.notice.notice is not None)
        notice = window.review.notice
        assert sentence in notice.text
        assert notice.notice.answer[0] == answer
        if plays:
            until(lambda: shown(window))
            assert window.review.desk.page.panel.nothing_text == UNOPENED
            assert window.review.desk.editing.toggle() == UNOPENED
        else:
            until(lambda: window.review.desk.page.panel.nothing_text == UNREADABLE)
        window.review.close_review()
        assert kept(clip) == before

    window.places.open_path(clip)
    until(lambda: window.review.notice.notice is not None)
    shutil.copy(analysed / "clip.mp4", clip)
    press(window, Qt.Key.Key_F5)
    until(lambda: shown(window))


def test_without_its_model_what_was_analysed_is_shown_and_the_model_is_told(
    make_window, clip, until, monkeypatch, tmp_path
):
    window = make_window()
    monkeypatch.setattr("app.review.job.load_model_folder", lambda path: load_model_folder(tmp_path / "gone"))
    window.places.open_path(clip)
    until(lambda: window.review.reviewing is not None and window.review.desk.known is not None)
    assert len(window.review.desk.page.panel.rows) == 1
    until(lambda: window.review.notice.notice is not None)
    assert window.review.notice.notice.answer[0] == "Choose model"
    assert str(tmp_path / "gone") in window.review.notice.text


def test_on_a_full_disk_a_verdict_is_refused_with_the_reason_and_the_next_one_is_kept(
    make_window, clip, until
):
    window = make_window()
    window.places.open_path(clip)
    place = window.review
    until(lambda: place.reviewing is not None and place.desk.known is not None)
    desk, row = place.desk, place.desk.page.panel.rows[0]
    _limit(desk, 0)
    desk.opened.job.act(lambda edits: edits.note(row.anchor, "x" * 4_000_000))
    until(lambda: place.notice.notice is not None)
    assert "Nothing more can be kept in" in place.notice.text
    assert "the disk is full" in place.notice.text
    assert shown(window)

    _limit(desk, 10_000)
    desk.opened.job.act(lambda edits: edits.judge(row.anchor, Verdict.KEEP))
    until(lambda: desk.page.panel.rows[0].verdict is Verdict.KEEP)
    assert desk.page.panel.rows[0].note == ""
    until(lambda: place.notice.notice is None)  # it is true no more
    desk.opened.pipeline.seek_frame(FRAMES - 1)
    until(lambda: desk.snapshot.presentation.frame.index == FRAMES - 1)


def _limit(desk, more_pages: int) -> None:
    """As SQLite itself says that the disk is full."""

    def limit(car) -> None:
        pages = car.database.row("PRAGMA page_count")[0]
        car.database.rows(f"PRAGMA max_page_count = {pages + more_pages}")

    desk.opened.side_car.ask(limit)
