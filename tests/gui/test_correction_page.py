"""Masks corrected in the window, by keys and mouse: of the very frames that were seen, and there again."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace

import av
import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtTest import QTest

from engine.analysis.judged import open_recording
from engine.drawing.rle import decode
from engine.faults import FaultCode, FaultError
from engine.model_folder import load_model_folder
from engine.review.acts import FrameState
from engine.review.analysis import begin, spec_of
from engine.review.edits import Edits
from engine.review.places import Places
from engine.review.store import open_side_car
from tests.fixtures.clips import CLIPS, Clip, constant, number_in, variable, write

SHIFT, CONTROL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
SECONDS_A_FRAME = 1.0  # of the window's thread; the rest of 5 s is the person's
SHORT = 48  # frames


def short(name, times_ms, like=""):
    return replace(CLIPS[like or name], name=name, times_ms=times_ms(SHORT))


# Each container, of constant and of variable rate; AVI has no other than a constant one.
SHORT_CLIPS = (
    short("constant.mp4", constant),
    short("variable.mp4", variable),
    short("constant.mkv", constant, like="variable.mkv"),
    short("variable.mkv", variable),
    short("constant.ts", constant, like="transport.ts"),
    short("transport.ts", variable),
    short("packed.avi", constant),
    short("untimed.avi", constant),
    short("hevc.mkv", variable),
    short("fragmented.mp4", variable),
    short("one_gop.mp4", variable),
    short("open_gop.ts", variable),
)
QUICK = ("variable.mp4", "variable.mkv", "constant.ts", "packed.avi")


def named(clip):
    return pytest.param(clip, id=clip.name, marks=() if clip.name in QUICK else pytest.mark.slow)


@pytest.fixture
def recording(tmp_path, model):
    """Numbered clips, one recording, of which an analysis found nothing, so that none begins."""

    def make(*clips):
        paths = [write(clip, tmp_path) for clip in clips]
        with open_side_car(paths, Places(tmp_path / "library")) as car:
            begin(car, load_model_folder(model))
            with car.database.change() as change:
                change.run("UPDATE analysis SET done = 1")
        return paths

    return make


@pytest.fixture
def correcting(make_window, qtbot, press):
    """Opens a recording for review with the tools in hand."""

    def correct(clip, window=None):
        window = window or make_window()
        if clip is not None:
            window.places.open_path(clip)
        place = window.review
        qtbot.waitUntil(
            lambda: (
                place.has_recording
                and place.desk.known is not None
                and place.desk.editing.frames.is_known
                and seen(window) >= 0
            ),
            timeout=15_000,
        )
        press(window, Qt.Key.Key_E)
        qtbot.waitUntil(lambda: place.is_correcting)
        return window

    return correct


def seen(window):
    presentation = window.review.desk.page.canvas.presentation
    return -1 if presentation is None else presentation.frame.index


def go_to(window, qtbot, rank):
    window.review.desk.opened.pipeline.seek_frame(rank)
    qtbot.waitUntil(lambda: seen(window) == rank)


def place_of(window, x, y):
    """Frame pixels as the layer's."""
    canvas = window.review.desk.page.canvas
    frame, target = canvas.presentation.frame, canvas.picture_rect()
    return QPointF(
        target.x() + x * target.width() / frame.width_px, target.y() + y * target.height() / frame.height_px
    ).toPoint()


def stroke(window, *points):
    layer = window.review.desk.editing.layer
    QTest.mousePress(layer, Qt.MouseButton.LeftButton, pos=place_of(window, *points[0]))
    for point in points:
        QTest.mouseMove(layer, place_of(window, *point))
    QTest.mouseRelease(layer, Qt.MouseButton.LeftButton, pos=place_of(window, *points[-1]))


def kept(clip):
    """As another program would read it."""
    with open_side_car([clip], Places(clip.parent / "library"), write=False) as car:
        return Edits(car.database).frames


@pytest.mark.parametrize("made", [named(clip) for clip in SHORT_CLIPS])
def test_what_was_edited_is_the_frame_that_was_seen(made, recording, correcting, qtbot, press):
    (clip,) = recording(made)
    window = correcting(clip)
    ranks = (40, 7, 23)
    numbers = {}
    for rank in ranks:
        go_to(window, qtbot, rank)
        numbers[rank] = number_in(window.review.desk.page.canvas.presentation.frame.image)
        stroke(window, (rank, 50), (rank + 20, 70))
        press(window, Qt.Key.Key_Return)
    window.review.close_review()

    frames = kept(clip)
    with av.open(str(clip)) as container:
        decoded = list(container.decode(video=0))  # in the order in which they are shown
        pictures = [decoded[rank].to_ndarray(format="rgb24") for rank in ranks]
    assert sorted(frames) == sorted(ranks)
    for rank, picture in zip(ranks, pictures, strict=True):
        assert numbers[rank] == number_in(picture)
        (one,) = frames[rank].masks.values()
        assert decode(one.rle)[60, rank + 10]
        assert frames[rank].state is FrameState.VERIFIED


def test_files_that_were_dropped_together_are_one_recording_and_edits_land_on_the_frame_that_is_seen(
    recording, make_window, correcting, tmp_path, qtbot, press
):
    first, second = 30, 22
    paths = recording(Clip("case_01.mp4", constant(first)), Clip("case_02.mp4", variable(second)))
    window = make_window()
    window.places.show("review")
    dropped = QMimeData()
    dropped.setUrls([QUrl.fromLocalFile(str(path)) for path in reversed(paths)])
    window.places.drop(dropped)
    assert window.review.question.text == "case_01.mp4 to case_02.mp4: are these 2 files one recording?"
    press(window, Qt.Key.Key_Return)
    correcting(None, window)

    ranks = (first - 1, first, first + 5)
    for rank in ranks:
        go_to(window, qtbot, rank)
        number = number_in(window.review.desk.page.canvas.presentation.frame.image)
        assert number == (rank if rank < first else rank - first)
        stroke(window, (rank, 50), (rank + 20, 70))
        press(window, Qt.Key.Key_Return)
    window.review.close_review()

    with (
        open_side_car(paths, Places(tmp_path / "library"), write=False) as car,
        closing(open_recording(spec_of(car))) as source,
    ):
        frames, pictures = Edits(car.database).frames, {one.index: one for one in iter(source.read, None)}
        for rank in ranks:
            (mask,) = frames[rank].masks.values()
            assert decode(mask.rle)[60, rank + 10]
            assert number_in(pictures[rank].bgra()) == (rank if rank < first else rank - first)


def test_frames_are_corrected_in_seconds_by_keys_and_mouse_and_are_there_again(
    recording, correcting, qtbot, press
):
    (clip,) = recording(CLIPS["variable.mp4"])
    window = correcting(clip)
    editing = window.review.desk.editing
    go_to(window, qtbot, 10)
    press(window, Qt.Key.Key_V)
    assert editing.tool == "polygon"
    for corner in ((30, 40), (90, 40), (90, 80), (30, 80), (30, 40)):
        stroke(window, corner)
    press(window, Qt.Key.Key_D)
    start_s = time.thread_time()
    for rank in range(11, 15):
        go_to(window, qtbot, rank)
        assert number_in(window.review.desk.page.canvas.presentation.frame.image) == rank
        press(window, Qt.Key.Key_S)
        stroke(window, (90, 60), (95 + rank, 60))
        press(window, Qt.Key.Key_Return)
    worked_s = (time.thread_time() - start_s) / 4
    go_to(window, qtbot, 20)
    press(window, Qt.Key.Key_Return, SHIFT)
    press(window, Qt.Key.Key_Z, CONTROL)
    press(window, Qt.Key.Key_Z, CONTROL | SHIFT)
    window.review.close_review()

    frames = kept(clip)
    assert [frames[rank].state for rank in (10, 12, 20)] == [
        FrameState.TOUCHED,
        FrameState.VERIFIED,
        FrameState.EMPTY,
    ]
    assert worked_s < SECONDS_A_FRAME
    correcting(clip, window)
    go_to(window, qtbot, 14)
    qtbot.waitUntil(lambda: bool(window.review.desk.editing.masks.masks))
    (mask,) = window.review.desk.editing.masks.masks.values()
    assert mask[60, 105]
    assert np.array_equal(mask, decode(next(iter(frames[14].masks.values())).rle))
    press(window, Qt.Key.Key_Z, CONTROL)
    qtbot.waitUntil(lambda: window.review.desk.editing.masks.state is FrameState.TOUCHED)


def test_escape_ends_the_stroke_then_the_correction_and_its_keys_go_back_to_findings(
    recording, correcting, qtbot, press
):
    window = correcting(*recording(CLIPS["constant.mp4"]))
    place = window.review
    press(window, Qt.Key.Key_V)
    stroke(window, (30, 40))
    assert place.desk.editing.masks.is_stroking
    QTest.keyPress(window, Qt.Key.Key_H)
    assert place.desk.editing.layer.isHidden()
    QTest.keyRelease(window, Qt.Key.Key_H)
    assert not place.desk.editing.layer.isHidden()
    assert place.desk.page.canvas.raw

    press(window, Qt.Key.Key_Escape)
    assert not place.desk.editing.masks.is_stroking
    assert place.is_correcting
    press(window, Qt.Key.Key_Escape)
    assert not place.is_correcting
    assert window.actions_by_id["keep"].isEnabled()
    assert not window.actions_by_id["mask-verify"].isEnabled()
    assert place.desk.editing.panel.isHidden()


def test_a_stroke_that_cannot_be_kept_is_told_and_taken_back(recording, correcting, qtbot, monkeypatch):
    window = correcting(*recording(CLIPS["constant.mp4"]))
    masks = window.review.desk.editing.masks

    def full(*_):
        raise FaultError(FaultCode.OUTPUT, expected="room", got="none", remedy="make some", said="Disk full.")

    monkeypatch.setattr(Edits, "do", full)
    stroke(window, (30, 40), (60, 40))

    qtbot.waitUntil(lambda: masks.state is FrameState.MACHINE and "Disk full." in window.review.notice.text)
