"""Two analyses of one recording in the window: chosen, seen, told apart, jumped through, and there again."""

from __future__ import annotations

import csv
import json
import shutil
import struct
from functools import partial

import numpy as np
import psutil
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest

from app.player.zoom import View as Part
from app.review.compare.offers import Offer
from app.review.compare.said import NOBODY_KNOWS, SAME
from app.review.compare.views import View
from engine.files.whole import sha256_of
from engine.model_card import CARD, WEIGHTS
from engine.model_folder import load_model_folder
from engine.review.analysis import begin
from engine.review.edits import Edits
from engine.review.maps import StoredFrame, write_chunk
from engine.review.places import Places
from engine.review.remaking.blobs import Blobs
from engine.review.remaking.remake import Wanted, keep, made_again
from engine.review.store import open_side_car
from engine.review.timeline import EMPTY
from engine.types import Field, Rect, Size
from engine.view.motion import Motion
from tests.fixtures.clips import CLIPS, HEIGHT_PX, WIDTH_PX, write
from tests.fixtures.recorder import following_model

SIZE = Size(WIDTH_PX, HEIGHT_PX)
CLIP = "constant.mp4"
SEEN_A, SEEN_B = range(5, 45), range(25, 45)  # by the first model, by the second
SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return following_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def other(model, tmp_path_factory):
    """Another model, by its weights."""
    path = shutil.copytree(model, tmp_path_factory.mktemp("other") / "other")
    (path / WEIGHTS).write_bytes(struct.pack("<Q", 8) + b"{}      ")
    card = json.loads((path / CARD).read_text())
    card["files"][WEIGHTS] = {"sha256": sha256_of(path / WEIGHTS), "bytes": 16}
    (path / CARD).write_text(json.dumps(card | {"id": "other"}))
    return path


def stored(rank, seen):
    """A blob in the middle of the map, in the frames in which it is seen."""
    found = np.zeros((24, 24), np.uint8)
    if rank in seen:
        found[8:16, 8:16] = 250
    field = Field(Rect(0, 0, WIDTH_PX, HEIGHT_PX))
    return StoredFrame(rank, rank / 25, found, Motion(0.0, 0.0), False, 0, field)


@pytest.fixture(scope="module")
def analysed(tmp_path_factory, model, other):
    """A clip with its side-car, in which both models have judged all of it; no network was asked."""
    folder = tmp_path_factory.mktemp("compared")
    clip = write(CLIPS[CLIP], folder)
    with open_side_car([clip], Places(folder / "library")) as car:
        with car.database.change() as change:
            change.run(
                "UPDATE recording SET width_px = ?, height_px = ?, rate_hz = 25, frames = 60",
                SIZE.width_px,
                SIZE.height_px,
            )
        for path, seen in ((model, SEEN_A), (other, SEEN_B)):
            analysis = begin(car, load_model_folder(path))
            with car.database.change() as change:
                write_chunk(change, analysis.id, [stored(rank, seen) for rank in range(60)])
                change.run("UPDATE analysis SET done = 1 WHERE id = ?", analysis.id)
            wanted = Wanted(analysis, car.recording, EMPTY, analysis.point)
            *_, made = made_again(car.database, wanted, Blobs())
            assert keep(car.database, analysis.id, made())
        edits = Edits(car.database)
        inside = np.zeros((HEIGHT_PX, WIDTH_PX), np.uint8)
        inside[HEIGHT_PX // 3 : 2 * HEIGHT_PX // 3, WIDTH_PX // 3 : 2 * WIDTH_PX // 3] = 1
        edits.mask(10, 1, inside, "brush")
        edits.verify(10)
    return folder


@pytest.fixture
def clip(analysed, tmp_path):
    return shutil.copytree(analysed, tmp_path / "recordings") / CLIP


@pytest.fixture
def until(qtbot):
    return partial(qtbot.waitUntil, timeout=20_000)


@pytest.fixture
def comparing(make_window, until, press):
    """Opens a recording for review with the panel of the comparison."""

    def compare(clip, window=None):
        window = window or make_window()
        window.places.open_path(clip)
        place = window.review
        until(lambda: place.has_recording and place.desk.known is not None)
        press(window, Qt.Key.Key_C)
        until(lambda: place.desk.comparing.panel.offers.count() > 1)
        return window, place.desk.comparing

    return compare


def choose(comparing, path, until):
    comparing.second.choose(Offer("", path))
    until(lambda: comparing.second.second is not None and not comparing.is_busy)


def shown_rank(window):
    presentation = window.review.desk.page.canvas.presentation
    return -1 if presentation is None else presentation.frame.index


def go_to(window, rank, until):
    window.review.desk.opened.pipeline.seek_frame(rank)
    until(lambda: shown_rank(window) == rank)


def values(comparing):
    return {line.name.strip(): (line.a, line.b) for line in comparing.panel.table.lines}


def test_a_second_model_has_a_lane_figures_and_disagreements_and_is_there_again(
    comparing, clip, other, press, until, tmp_path
):
    window, compare = comparing(clip)
    choose(compare, other, until)
    timeline, panel = window.review.desk.page.timeline, compare.panel

    (bar,) = timeline.content.second
    assert bar.start_s == pytest.approx(SEEN_B.start / 25)
    assert [(one.is_first, one.start_s) for one in timeline.content.alone] == [(True, SEEN_A.start / 25)]
    assert values(compare)["Sensitivity"] == ("1 of 1", "0 of 1")  # frame 10, which the second has not seen
    assert values(compare)["IoU of A and B"] == ("1.00", None)
    assert "1 verified frame " in panel.standing.text()
    press(window, Qt.Key.Key_N, SHIFT)
    until(lambda: shown_rank(window) == SEEN_A.start)
    assert window.review.desk.page.answer.text == "A alone: following · 0.8 s · 1 of 1"
    press(window, Qt.Key.Key_N, SHIFT)
    assert window.review.desk.page.answer.text == "No disagreement behind this"

    compare.save(tmp_path / "table.csv")
    until((tmp_path / "table.csv").exists)
    with (tmp_path / "table.csv").open(newline="") as file:
        assert {row["side"] for row in csv.DictReader(file)} == {"A", "B", "A and B"}

    window.review.close_review()
    window, again = comparing(clip, window)
    until(lambda: again.second.second is not None and not again.is_busy)
    assert again.second.second.side.analysis.model_id == "other"
    assert values(again)["Sensitivity"] == ("1 of 1", "0 of 1")


def test_both_masks_are_of_the_frame_that_is_seen_and_zoom_and_line_go_together(
    comparing, clip, other, press, until
):
    window, compare = comparing(clip)
    choose(compare, other, until)
    first, views = window.review.desk.page.canvas, compare.views
    press(window, Qt.Key.Key_6)
    for rank in (10, 30):
        go_to(window, rank, until)
        until(lambda: views.second.presentation is not None and views.second.presentation.result is not None)
        until(lambda rank=rank: views.second.presentation.result.index == rank)
        assert views.second.presentation.frame is first.presentation.frame
        assert bool(views.second.presentation.result.components) is (rank in SEEN_B)
        assert first.presentation.result.components
    assert views.second.isVisible()
    views.second.viewed.emit(Part(4.0, 0.3, 0.6))
    assert first.view == Part(4.0, 0.3, 0.6)
    first.fit()
    assert views.second.view == first.view

    press(window, Qt.Key.Key_7)
    assert not views.second.isVisible()
    assert first.raw  # the line divides what is drawn over it
    layer, before = views.layer, views.layer.at_frac
    middle = first.picture_rect().center()
    QTest.mousePress(layer, Qt.MouseButton.LeftButton, pos=middle.toPoint())
    QTest.mouseMove(layer, QPointF(middle.x() + 60, middle.y()).toPoint())
    QTest.mouseRelease(layer, Qt.MouseButton.LeftButton, pos=QPointF(middle.x() + 60, middle.y()).toPoint())
    assert layer.at_frac > before + 0.05

    press(window, Qt.Key.Key_8)
    assert views.view is View.COLOURS
    press(window, Qt.Key.Key_C)  # the findings again, as they were
    assert views.view is View.FIRST
    assert not first.raw
    press(window, Qt.Key.Key_C)
    assert compare.is_on
    press(window, Qt.Key.Key_Escape)
    assert not compare.is_on


def test_figures_follow_the_sliders_and_nothing_is_said_that_they_do_not_carry(comparing, clip, press, until):
    with open_side_car([clip], Places(clip.parent / "library")) as car, car.database.change() as change:
        change.run("DELETE FROM act")  # nothing is verified
    window, compare = comparing(clip)
    press(window, Qt.Key.Key_C)
    press(window, Qt.Key.Key_N, SHIFT)  # there is none to disagree: it is asked for
    assert compare.is_on
    same, *_ = (compare.panel.offers.itemData(row) for row in range(1, compare.panel.offers.count()))
    compare.second.choose(same)
    until(lambda: compare.second.second is not None and not compare.is_busy)

    assert compare.second.second.is_first  # no network is asked: the same maps at another preset
    assert not compare.second.is_running
    assert values(compare)["Findings a minute"] == ("25.4", "0.0")  # quiet wants hits of 4 s
    assert NOBODY_KNOWS in compare.panel.standing.text()
    assert values(compare)["Sensitivity"] == ("–", "–")
    compare.panel.second_point.chosen.emit(compare.second.second.points["standard"])
    until(lambda: not compare.is_busy)
    assert compare.panel.note.text() == SAME
    assert compare.panel.list.found == ()


def test_a_second_model_that_is_gone_or_cannot_be_read_is_said_and_what_it_analysed_is_compared(
    comparing, clip, model, other, until, tmp_path
):
    gone = shutil.copytree(other, tmp_path / "gone")
    with open_side_car([clip], Places(clip.parent / "library")) as car:
        with car.database.change() as change:
            change.run("UPDATE analysis SET model_path = ?, done = 0 WHERE id = 2", str(gone))
        Edits(car.database).compare_with(2, car.analysis(2).point)
    shutil.rmtree(gone)
    window, compare = comparing(clip)
    until(lambda: compare.second.second is not None and not compare.is_busy)

    assert "gone" in compare.panel.note.text()
    assert compare.panel.note.text().endswith("What it has analysed can be compared.")
    assert not compare.second.can_run
    assert len(compare.panel.list.found) == 1
    compare.panel.offers.setCurrentIndex(0)
    compare.second.choose(Offer("", tmp_path))
    until(lambda: window.review.notice.notice is not None)
    assert compare.panel.offers.currentText() == "other"
    assert str(tmp_path) in window.review.notice.text
    assert len(compare.panel.list.found) == 1  # as it was


@pytest.mark.slow
def test_a_second_analysis_is_a_process_that_may_be_killed_and_goes_on(
    make_window, clip, model, other, press, qtbot
):
    """The recording is opened with the first one done; the second model has not seen it."""
    until = partial(qtbot.waitUntil, timeout=120_000)
    with open_side_car([clip], Places(clip.parent / "library")) as car, car.database.change() as change:
        for table in ("maps", "sighting", "track", "chunk"):
            of = "chunk IN (SELECT id FROM chunk WHERE analysis = 2)" if table == "maps" else "analysis = 2"
            change.run(f"DELETE FROM {table} WHERE {of}")
        change.run("DELETE FROM analysis WHERE id = 2")
    window = make_window()
    window.places.open_path(clip)
    until(lambda: window.review.has_recording and window.review.desk.known is not None)
    press(window, Qt.Key.Key_C)
    second = window.review.desk.comparing.second
    second.choose(Offer("", other))
    until(lambda: second.is_running)
    analysing_process().kill()
    until(lambda: not second.is_running)

    assert window.review.notice.text.startswith("The second analysis was ended")
    assert "What was analysed is kept." in window.review.notice.text
    assert window.review.desk.comparing.panel.pause.text() == "Go on"
    window.review.desk.comparing.panel.pause.click()
    until(lambda: second.second.progress.is_done and not second.is_running)
    assert second.second.progress.done == second.second.progress.total


def analysing_process():
    """The one that this window has started; the first analysis is done and has none."""
    (found,) = (one for one in psutil.Process().children() if "engine.review.analysis" in one.cmdline())
    return found
