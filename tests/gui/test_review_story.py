"""A recording from its first opening to its second: analysed, corrected, judged, exported, as it was left."""

from __future__ import annotations

import os
import shutil
import threading
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest

from engine.model_folder import default_model
from engine.review.acts import FrameState, Verdict
from engine.review.exports.export import export
from engine.review.exports.formats import FORMATS, Only
from engine.review.places import Places
from engine.review.review import Review
from engine.review.rows import PERSON
from engine.review.store import open_side_car
from tests.fixtures.recorder import following_model, recorder_clip
from tests.fixtures.watch import window_stays_quick

CONTROL = Qt.KeyboardModifier.ControlModifier
LEFT = Qt.MouseButton.LeftButton
REAL = Path(os.environ.get("POLYP_DATA", "data")) / "clips" / "polyp_sequence_a.mp4"
WAIT_MS = 120_000  # a busy machine


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return following_model(tmp_path_factory.mktemp("model"))


@pytest.fixture
def until(qtbot):
    return partial(qtbot.waitUntil, timeout=WAIT_MS)


def generated(folder: Path) -> Path:
    return recorder_clip(folder / "clip.mp4", 64, range(10, 50), -1)


def real(folder: Path) -> Path:
    if not REAL.is_file():
        pytest.skip("POLYP_DATA has no such clip")
    return Path(shutil.copy(REAL, folder / "clip.mp4"))


def shown(window):
    presentation = window.review.desk.page.canvas.presentation
    return -1 if presentation is None else presentation.frame.index


def on_layer(window, x, y):
    """Shares of the picture."""
    target = window.review.desk.page.canvas.picture_rect()
    return QPointF(target.x() + x * target.width(), target.y() + y * target.height()).toPoint()


@pytest.mark.slow  # a process analyses it, and it is exported in every format
@pytest.mark.parametrize(("make", "own_model"), [(generated, True), (real, False)], ids=["generated", "real"])
def test_a_recording_is_analysed_corrected_judged_exported_and_is_as_it_was_left(
    make, own_model, make_window, press, until, tmp_path, monkeypatch, recent
):
    clip = make(tmp_path)
    window = make_window()
    place = window.review
    if not own_model:
        monkeypatch.setattr(place, "_model", default_model)

    # Open, and let it be analysed by its process.
    window.places.open_path(clip)
    until(lambda: place.has_recording and place.reviewing.known is not None and shown(window) >= 0)
    desk = place.desk
    panel, editing = desk.page.panel, desk.editing
    with window_stays_quick():
        until(lambda: desk.known.progress.is_done)
        until(lambda: bool(panel.rows) and editing.frames.is_known)

    # Jump, and correct three frames; the rest of the finding follows the last of them.
    press(window, Qt.Key.Key_N)
    row = panel.rows[0]
    until(lambda: shown(window) == row.first_rank)
    press(window, Qt.Key.Key_E)
    corrected = range(row.first_rank, row.first_rank + 3)
    for rank in corrected:
        until(lambda rank=rank: shown(window) == rank)
        QTest.mousePress(editing.layer, LEFT, pos=on_layer(window, 0.5, 0.5))
        QTest.mouseMove(editing.layer, on_layer(window, 0.6, 0.55))
        QTest.mouseRelease(editing.layer, LEFT, pos=on_layer(window, 0.6, 0.55))
        press(window, Qt.Key.Key_Return)
    press(window, Qt.Key.Key_Comma)
    until(lambda: shown(window) == corrected[-1])
    press(window, Qt.Key.Key_A)
    with window_stays_quick():
        until(lambda: not editing.carrying.is_running)
    until(lambda: editing.frames.vouched_ranks == set(corrected))
    press(window, Qt.Key.Key_E)

    # Keep, reject, add, change one's mind.
    for key, verdict in (
        (Qt.Key.Key_U, Verdict.UNSURE),
        (Qt.Key.Key_Delete, Verdict.REJECT),
        (Qt.Key.Key_Return, Verdict.KEEP),
    ):
        press(window, key)
        until(lambda verdict=verdict: panel.rows[0].verdict is verdict)
    count = len(panel.rows)
    press(window, Qt.Key.Key_M)
    QTest.mouseClick(desk.page.canvas, LEFT, pos=on_layer(window, 0.3, 0.4))
    until(lambda: len(panel.rows) == count + 1)
    press(window, Qt.Key.Key_Delete)  # the one that was added is chosen
    rejected = lambda: [one for one in panel.rows if one.who == PERSON and one.verdict is Verdict.REJECT]  # noqa: E731
    until(lambda: bool(rejected()))
    press(window, Qt.Key.Key_Z, CONTROL)
    until(lambda: not rejected())
    press(window, Qt.Key.Key_Z, CONTROL | Qt.KeyboardModifier.ShiftModifier)
    until(lambda: bool(rejected()))

    # Hand it on in every format, while the window has it open.
    out, failed = tmp_path / "out", []

    def hand_on():
        try:
            with open_side_car([clip], Places(tmp_path / "library"), write=False) as car:
                review = Review(car, car.analyses[0])
                for name, row in FORMATS.items():
                    only = Only.KEPT if Only.KEPT in row.only else row.only[0]
                    export(review, name, out / name, only=only)
        except Exception as error:
            failed.append(error)

    worker = threading.Thread(target=hand_on)
    worker.start()
    with window_stays_quick():
        until(lambda: not worker.is_alive())
    assert not failed
    assert sorted(path.name for path in out.iterdir()) == sorted(FORMATS)

    # Close it and open it again.
    at, rows, frames = shown(window), panel.rows, {rank: editing.frames.of(rank) for rank in corrected}
    place.close_review()
    window.places.open_path(clip)
    until(lambda: place.has_recording and place.reviewing.known is not None)
    desk = place.desk
    until(lambda: shown(window) == at and desk.editing.frames.is_known)
    assert desk.page.panel.rows == rows
    assert {rank: desk.editing.frames.of(rank) for rank in corrected} == frames
    assert all(one.state is FrameState.VERIFIED for one in frames.values())
    assert desk.page.head.analysed.startswith("analysed ·")
    assert [item.title for item in recent.items] == ["clip.mp4"]
    press(window, Qt.Key.Key_Z, CONTROL)
    until(lambda: any(one.who == PERSON and one.verdict is Verdict.KEEP for one in desk.page.panel.rows))
