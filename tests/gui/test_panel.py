"""The side panel: what a person chooses reaches the picture."""

import json
import shutil
import threading

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton, QToolButton

from app.network.catalogue import Machine
from app.widgets.controls import NOTE_ROLE
from tests.fixtures.fakes import FakeSource, HalfSure
from tests.fixtures.models import red_model
from tests.gui.conftest import FAKE


@pytest.fixture
def paused(playing, qtbot):
    """A window with a paused picture; `runtime.calls` counts inferences."""
    runtime = HalfSure()
    window = playing(FakeSource(frames=10_000, rate_hz=50), runtime=runtime)
    window.transport.play_pause()
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
    slider = window.operator.panel.point.threshold
    slider.setFocus()
    before = slider.value()
    while slider.value() < 60:  # the network says 0.5
        QTest.keyClick(slider, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: components(window) == ())
    window.ai.threshold_down()
    for _ in range(10):
        window.ai.threshold_down()
    qtbot.waitUntil(lambda: len(components(window)) == 1)

    assert before == 40
    assert runtime.calls == calls


def test_a_threshold_of_ones_own_is_a_fine_adjustment_of_its_preset(paused):
    window, _ = paused
    panel = window.operator.panel
    assert panel.point.preset.currentText() == "Standard"
    window.ai.threshold_up()
    assert panel.point.preset.currentText() == "Standard"
    assert "threshold of 0.40" in panel.point.meaning

    panel.point.preset.setCurrentIndex(0)
    panel.point.preset.activated.emit(0)
    assert panel.point.threshold.value() == 40
    assert "threshold of" not in panel.point.meaning


def test_the_same_threshold_gives_the_same_marks_whatever_the_way_there(make_window, qtbot, tmp_path):
    strict = red_model(tmp_path, model_id="strict", threshold=0.4)
    card = json.loads((strict / "model.json").read_text())
    card["presets"]["standard"]["min_peak"] = 0.9  # the network says 0.5
    (strict / "model.json").write_text(json.dumps(card))
    window = make_window(FakeSource(frames=10_000, rate_hz=50))
    window.ai.use_folder(strict)
    window.opening.open(FAKE)
    qtbot.waitUntil(lambda: window.operator.panel.model.currentText() == "strict")
    shown = window.operator.canvas
    qtbot.waitUntil(lambda: shown.presentation is not None and own_mask(window))
    for action in ("threshold-up", "threshold-down"):
        before = shown.presentation.result.point
        window.actions_by_id[action].trigger()
        qtbot.waitUntil(lambda before=before: shown.presentation.result.point != before)
        assert components(window) == ()


def test_a_preset_is_shown_by_what_was_measured_of_it(make_window, qtbot, tmp_path):
    measured = {
        "sensitivity_iou_0.1": 0.9203,
        "false_detections_per_polyp_image": 0.0168,
        "false_detections_per_polyp_free_image": 0.0427,
        "polyp_free_s": 26.0,
        "false_activations": 0.0,
        "first_confirmed_ms": 320.0,
    }
    told = red_model(tmp_path, model_id="told")
    card = json.loads((told / "model.json").read_text())
    card["presets"]["standard"]["measured"] = measured
    (told / "model.json").write_text(json.dumps(card))
    window = make_window(FakeSource())
    window.ai.use_folder(told)
    panel = window.operator.panel
    qtbot.waitUntil(lambda: panel.model.currentText() == "told")

    assert panel.point.preset.currentData(NOTE_ROLE).startswith(
        "0 false marks in 26 s, first mark after 0.3 s"
    )
    assert "No polyp: 0 false marks in 26 s." in panel.point.meaning
    assert "92 of 100 polyps met" in panel.point.meaning


def test_the_boxes_show_what_runs_while_another_model_is_made_ready(make_window, qtbot, tmp_path):
    ready = threading.Event()
    ready.set()
    window = make_window(FakeSource(), loads=lambda name, folder: ready.wait(5.0))
    panel = window.operator.panel
    qtbot.waitUntil(lambda: "Ready" in window.start.readiness)
    ready.clear()
    window.ai.use_folder(red_model(tmp_path, model_id="other-red"))
    window.operator.show_panel(True)
    qtbot.waitUntil(lambda: "other-red is being made ready" in panel.executing)
    meanwhile = panel.model.currentText()
    ready.set()
    qtbot.waitUntil(lambda: panel.model.currentText() == "other-red")

    assert meanwhile == "red"
    qtbot.waitUntil(lambda: "made ready" not in panel.executing)


def test_a_runtime_that_cannot_run_here_is_greyed_with_its_reason(make_window, qtbot):
    window = make_window(FakeSource())
    box = window.operator.panel.runtime
    window.operator.panel.set_machine(
        Machine({"openvino": "", "cuda": "no NVIDIA GPU here"}, {"CPU": ("FP32",), "GPU": ("FP16",)})
    )
    cuda = box.model().item(box.findData("cuda"))
    precision = window.operator.panel.precision
    bf16 = precision.model().item(precision.findData("bf16"))

    assert (cuda.isEnabled(), cuda.toolTip()) == (False, "no NVIDIA GPU here")
    assert box.model().item(box.findData("openvino:GPU")).text() == "OpenVINO on GPU"
    assert (bf16.isEnabled(), bf16.toolTip()) == (False, "not on this processor")


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
    qtbot.waitUntil(lambda: window.operator.panel.model.currentText() == "other-red")


def test_a_model_can_be_chosen_before_anything_is_open(make_window):
    window = make_window(FakeSource())
    window.view.choose_model()
    panel = window.operator.panel
    panel.model.hidePopup()

    assert panel.model.isVisible()
    assert "Nothing is open" in window.operator.canvas.message
    window.opens.close_source()
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
    window.side_windows.show_latency()
    qtbot.waitUntil(lambda: window.side_windows.latency is not None)
    page = window.side_windows.latency

    qtbot.waitUntil(lambda: any("with own mask" in label.text() for label in page.findChildren(QLabel)))
    assert page.isVisible()


def test_the_latency_window_opened_while_paused_shows_the_last_figures_and_says_so(paused, qtbot):
    window, _ = paused
    window.side_windows.show_latency()
    qtbot.waitUntil(lambda: window.side_windows.latency is not None)
    page = window.side_windows.latency

    def says(words):
        return any(words in label.text() for label in page.findChildren(QLabel))

    qtbot.waitUntil(lambda: says(" ms") and says("last figures known"))
