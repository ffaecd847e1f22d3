"""The side panel: what a person chooses reaches the picture."""

import json
import shutil

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton, QToolButton

from tests.fixtures.fakes import FakeSource, HalfSure
from tests.fixtures.models import red_model


@pytest.fixture
def paused(playing, qtbot):
    """A window with a paused picture; `runtime.calls` counts inferences."""
    runtime = HalfSure()
    window = playing(FakeSource(frames=10_000, rate_hz=50), runtime=runtime)
    window.handler("play_pause")()
    qtbot.waitUntil(lambda: window.operator.status.word.word.value == "PAUSED")
    qtbot.waitUntil(lambda: components(window) and own_mask(window))
    return window, runtime


def own_mask(window):
    shown = window.operator.canvas.presentation
    return shown.result is not None and shown.result.number == shown.frame.number


def components(window):
    return window.operator.canvas.presentation.result.components


def test_the_threshold_moves_without_another_inference(paused, qtbot):
    window, runtime = paused
    calls = runtime.calls
    slider = window.operator.panel.threshold
    slider.setFocus()
    before = slider.value()
    while slider.value() < 60:  # the network says 0.5
        QTest.keyClick(slider, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: components(window) == ())
    window.handler("threshold_down")()
    for _ in range(10):
        window.handler("threshold_down")()
    qtbot.waitUntil(lambda: len(components(window)) == 1)

    assert before == 40
    assert runtime.calls == calls


def test_a_threshold_of_ones_own_is_called_that_and_the_preset_brings_its_own_back(paused, qtbot):
    window, _ = paused
    panel = window.operator.panel
    assert panel.preset.currentText() == "Standard"
    window.handler("threshold_up")()
    assert panel.preset.currentText() == "Own threshold"

    panel.preset.setCurrentIndex(0)
    panel.preset.activated.emit(0)
    assert panel.threshold.value() == 40


def test_the_overlay_keys_press_the_segment_that_they_name(paused):
    window, _ = paused
    for key, style in (("2", "fill"), ("3", "box"), ("4", "corners"), ("1", "contour")):
        QTest.keyClick(window.operator.canvas, key)
        assert window.operator.panel.overlay.selected == style


def test_a_pressed_segment_stays_pressed(paused):
    window, _ = paused
    contour = next(b for b in window.operator.panel.findChildren(QToolButton) if b.text() == "Contour")
    QTest.mouseClick(contour, Qt.MouseButton.LeftButton)

    assert window.operator.panel.overlay.selected == "contour"
    assert contour.isChecked()


def test_the_button_under_the_overlays_holds_the_marks_back(paused):
    window, _ = paused
    button = next(b for b in window.operator.panel.findChildren(QPushButton) if "hold" in b.text())
    QTest.mousePress(button, Qt.MouseButton.LeftButton)
    held = window.operator.canvas.raw
    QTest.mouseRelease(button, Qt.MouseButton.LeftButton)

    assert (held, window.operator.canvas.raw) == (True, False)


def test_a_model_folder_that_a_person_points_to_is_used(make_window, qtbot, tmp_path):
    window = make_window(FakeSource())
    other = red_model(tmp_path, model_id="other-red", threshold=0.3)
    window.ai.use_folder(other)

    qtbot.waitUntil(lambda: "other-red" in window.start.readiness)
    assert window.operator.panel.model.currentText() == "other-red"


def test_a_model_can_be_chosen_before_anything_is_open(make_window):
    window = make_window(FakeSource())
    window.handler("choose_model")()
    panel = window.operator.panel
    panel.model.hidePopup()

    assert panel.model.isVisible()
    assert "Nothing is open" in window.operator.canvas.message
    window.handler("close_source")()
    assert window.page is window.start


def test_a_folder_that_is_no_model_is_told_and_the_old_one_stays(make_window, qtbot, tmp_path):
    window = make_window(FakeSource())
    window.ai.use_folder(tmp_path)

    assert "model.json" in window.start.notice.text
    assert window.operator.panel.model.currentText() == "red"


def test_a_damaged_model_says_so_and_the_one_that_runs_goes_on(make_window, qtbot, tmp_path, model):
    damaged = shutil.copytree(model, tmp_path / "red")
    card = json.loads((damaged / "model.json").read_text())
    card["files"]["student.onnx"]["sha256"] = "0" * 64
    (damaged / "model.json").write_text(json.dumps(card))
    window = make_window(FakeSource())
    window.ai.use_folder(damaged)

    qtbot.waitUntil(lambda: "sha256" in window.start.notice.text)
    assert "red goes on" in window.start.notice.text
    assert "Ready" in window.start.readiness


def test_every_stage_has_its_percentiles_under_latency(playing, qtbot):
    window = playing(FakeSource(frames=10_000, rate_hz=50))
    fold = window.operator.panel.latency_fold
    fold.set_open(True)
    qtbot.waitUntil(lambda: sum(label.text().endswith(" ms") for label in fold.findChildren(QLabel)) >= 8)


def test_the_latency_window_is_made_when_it_is_asked_for(playing, qtbot):
    window = playing(FakeSource(frames=10_000, rate_hz=50))
    window.handler("show_latency")()
    qtbot.waitUntil(lambda: window.side_windows.latency is not None)
    page = window.side_windows.latency

    qtbot.waitUntil(lambda: any("with own mask" in label.text() for label in page.findChildren(QLabel)))
    assert page.isVisible()


def test_the_latency_window_opened_while_paused_shows_the_last_figures_and_says_so(paused, qtbot):
    window, _ = paused
    window.handler("show_latency")()
    qtbot.waitUntil(lambda: window.side_windows.latency is not None)
    page = window.side_windows.latency

    def says(words):
        return any(words in label.text() for label in page.findChildren(QLabel))

    qtbot.waitUntil(lambda: says(" ms") and says("last figures known"))
