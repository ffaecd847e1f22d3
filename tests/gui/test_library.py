"""The library: folders queued for analysis, recordings sought, opened, said to be elsewhere and removed."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtTest import QTest

from app.library.listing import Column, Only, Row, Shown, listed, rows_of
from app.library.page import LibraryPage
from app.widgets.notice_row import NoticeRow
from engine.files.whole import HOME_VARIABLE
from engine.review.library.index import Entry, Library
from engine.review.library.queue import Item, Queue, State, Wanted
from engine.review.places import Places
from engine.review.store import open_side_car
from engine.sources.base import SourceSpec
from tests.fixtures.recorder import following_model, recorder_clip

FRAMES = 100


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A library of its own."""
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def until(qtbot):
    return partial(qtbot.waitUntil, timeout=120_000)


@pytest.fixture
def library(make_window, until):
    """A window with the library in front, and its page."""

    def show(**launch):
        window = make_window(**launch)
        window.places.show("library")
        until(lambda: window.library.browsing is not None)
        return window, window.library.browsing.page

    return show


def noted(folder: Path, *names: str) -> list[Path]:
    """Recordings that nobody can play, each with a side-car in the list."""
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_bytes(name.encode())
        with open_side_car([folder / name], Places(folder / "kept")) as car:
            Library().note(car)
    return [folder / name for name in names]


def titles(page) -> list[str]:
    return [row.title for row in page.table.rows]


def row_of(page, title: str) -> Row:
    return next(row for row in page.table.rows if row.title == title)


def choose(page, title: str) -> None:
    page.table.setCurrentIndex(page.table.model().index(titles(page).index(title), 0))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recorder")
    return recorder_clip(folder / "clip.mp4", FRAMES, range(30, 90), -1), following_model(folder)


@pytest.mark.slow
def test_a_dropped_folder_is_analysed_in_the_background_and_a_bad_file_says_why(
    library, made, tmp_path, until, monkeypatch, press
):
    clip, model = made
    folder = tmp_path / "folder"
    folder.mkdir()
    shutil.copy(clip, folder / "good.mp4")
    (folder / "bad.mp4").write_bytes(b"no video at all" * 1000)
    window, page = library()
    monkeypatch.setattr(window.library.browsing, "_model", lambda: model)
    dropped = QMimeData()
    dropped.setUrls([QUrl.fromLocalFile(str(folder))])
    window.shelf.drop(dropped)

    until(lambda: sorted(titles(page)) == ["bad.mp4", "good.mp4"])
    until(lambda: row_of(page, "bad.mp4").state is Shown.FAILED)
    assert "bad.mp4" in row_of(page, "bad.mp4").why
    until(lambda: row_of(page, "good.mp4").state is Shown.DONE)
    assert (row_of(page, "good.mp4").findings, page.queue_text) == (1, "1 cannot be analysed")

    choose(page, "good.mp4")
    page.table.setFocus()
    press(window, Qt.Key.Key_Return)
    until(lambda: window.review.has_recording)
    assert window.review.paths == (folder / "good.mp4",)
    assert window.page is window.review


def test_what_waits_can_be_paused_and_taken_out_and_is_there_at_the_next_start(library, tmp_path, until):
    waiting = [tmp_path / "a.mp4", tmp_path / "b.mp4"]
    Queue().add([Wanted((path,)) for path in waiting], tmp_path / "model", "standard")
    Queue().pause(True)
    window, page = library()
    until(lambda: titles(page) == ["b.mp4", "a.mp4"] or titles(page) == ["a.mp4", "b.mp4"])
    assert page.queue_text == "The analysis is paused · 2 to be analysed"
    assert {row.state for row in page.table.rows} == {Shown.WAITING}
    choose(page, "a.mp4")
    page.buttons["cancel"].click()
    until(lambda: titles(page) == ["b.mp4"])
    window.close()
    assert [one.paths for one in Queue().items()] == [(waiting[1],)]


def test_words_a_choice_and_a_heading_narrow_and_order_the_list(library, tmp_path, until, press):
    noted(tmp_path / "v", "left 10.mp4", "left 9.mp4", "right.mp4")
    _, page = library()
    until(lambda: len(titles(page)) == 3)
    page.table.header().setSortIndicator(0, Qt.SortOrder.AscendingOrder)
    assert titles(page) == ["left 9.mp4", "left 10.mp4", "right.mp4"]
    page.search.setFocus()
    QTest.keyClicks(page.search, "10.MP4 left")
    until(lambda: titles(page) == ["left 10.mp4"])
    assert page.count_text == "1 of 3 recordings"
    QTest.keyClick(page.search, Qt.Key.Key_Return)
    assert page.table.chosen is not None, "the next Enter opens it"
    page.search.clear()
    until(lambda: len(titles(page)) == 3)


def test_a_moved_recording_is_told_and_found_again(library, tmp_path, until, monkeypatch):
    (path,) = noted(tmp_path / "v", "a.mp4")
    moved = path.rename(tmp_path / "elsewhere.mp4")
    _, page = library()
    until(lambda: titles(page) == ["a.mp4"] and row_of(page, "a.mp4").state is Shown.MISSING)
    asked = []

    def answer(window, folder, then, title):
        asked.append(title)
        then(str(moved))

    monkeypatch.setattr("app.places.library_commands.ask_for_recording", answer)
    choose(page, "a.mp4")
    page.buttons["relink"].click()
    until(lambda: page.table.rows[0].state is Shown.PARTLY)
    assert asked == ["Where is a.mp4 now?"]
    assert page.table.rows[0].paths == (moved,)


def test_removing_asks_what_is_deleted_and_never_deletes_the_recording(library, tmp_path, until, press):
    (path,) = noted(tmp_path / "v", "a.mp4")
    window, page = library()
    until(lambda: titles(page) == ["a.mp4"])
    page.table.setFocus()
    choose(page, "a.mp4")
    press(window, Qt.Key.Key_Delete)
    until(lambda: "Delete what is known of a.mp4?" in page.question.text)
    assert "The recording itself stays" in page.question.text
    press(window, Qt.Key.Key_Escape)
    assert (page.question.text, titles(page)) == ("", ["a.mp4"])

    press(window, Qt.Key.Key_Delete)
    until(lambda: page.question.text != "")
    press(window, Qt.Key.Key_Backtab)
    press(window, Qt.Key.Key_Return)
    until(lambda: not titles(page))
    assert path.exists()
    assert not path.with_name("a.mp4.review").exists()


def test_a_list_that_was_lost_is_made_again_of_where_recordings_were_opened(library, tmp_path, until, recent):
    (path,) = noted(tmp_path / "v", "a.mp4")
    recent.opened(SourceSpec("file", str(path)), "a.mp4", 1.0)
    (tmp_path / "home" / "data" / "library.db").unlink()
    _, page = library()
    until(lambda: titles(page) == ["a.mp4"])


def entry(number: int, **changes) -> Entry:
    known = {
        "folder": Path(f"/r/{number}.review"),
        "title": f"recording {number}.mp4",
        "paths": (Path(f"/r/{number}.mp4"),),
        "sha256": f"{number:064x}",
        "duration_s": 60.0,
        "findings": number % 7,
        "verified": 0,
        "model": "light",
        "done": True,
        "opened_utc": f"2026-01-{1 + number % 28:02}",
    }
    return Entry(**(known | changes))


def test_each_recording_has_one_row_whatever_is_known_of_it():
    waits = Item(1, (Path("/r/1.mp4"),), Path("/m/light"), "standard", State.WORKING, "", None, 50, 200)
    failed = Item(2, (Path("/r/9.mp4"),), Path("/m/light"), "standard", State.FAILED, "why", None, 0, None)
    rows = rows_of([entry(1, done=False), entry(2)], [waits, failed], {Path("/r/2.review")})
    assert [(row.title, row.state, row.share, row.why) for row in rows] == [
        ("9.mp4", Shown.FAILED, None, "why"),
        ("recording 1.mp4", Shown.WORKING, 0.25, ""),
        ("recording 2.mp4", Shown.MISSING, None, ""),
    ]
    assert [row.title for row in listed(rows, only=Only.QUEUED)] == ["recording 1.mp4"]
    assert [row.title for row in listed(rows, "recording 2")] == ["recording 2.mp4"]
    assert listed(rows, by=Column.FINDINGS)[0].title == "recording 2.mp4"


def test_of_five_thousand_recordings_only_pictures_of_rows_in_sight_are_fetched(qtbot, make_window):
    asked: set[Path | None] = set()
    page = LibraryPage(make_window().actions_by_id, lambda folder: asked.add(folder), NoticeRow(hides=True))
    qtbot.addWidget(page)
    page.resize(1200, 700)
    page.show()
    page.show_rows(rows_of([entry(number) for number in range(5000)], [], set()), is_paused=False)
    qtbot.waitUntil(lambda: len(asked) > 5)
    assert len(asked) < 30
    assert len(page.table.rows) == 5000
    assert page.count_text == "5,000 recordings"


@pytest.mark.slow
def test_who_reviews_a_recording_takes_its_analysis_over_from_the_queue(
    library, made, tmp_path, until, monkeypatch
):
    window, page = library()
    clip = recorder_clip(tmp_path / "long.mp4", 400, range(30, 90), -1)
    monkeypatch.setattr(window.library.browsing, "_model", lambda: made[1])
    monkeypatch.setattr(window.review, "_model", lambda: made[1])
    window.library.add([clip])
    until(lambda: titles(page) == ["long.mp4"] and page.table.rows[0].state is Shown.WORKING)
    window.places.open_path(clip)
    until(lambda: window.review.reviewing is not None and window.review.desk.known is not None)
    desk = window.review.desk
    until(lambda: desk.opened.job.is_running or desk.known.progress.is_done)
    assert not desk.known.why_read_only
    until(lambda: desk.known.progress.is_done)
    window.review.close_review()
    window.places.show("library")
    until(lambda: page.table.rows[0].state is Shown.DONE)
    assert window.review.notice.notice is None
