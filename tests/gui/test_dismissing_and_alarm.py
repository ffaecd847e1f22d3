"""Findings that are followed over time: dismissed by a person, heard as an alarm."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QAction, QMouseEvent
from PySide6.QtWidgets import QApplication

from app.player.alarm_button import AlarmButton, Heard
from app.player.alarm_sound import AlarmSound, player_for
from engine.sources.base import SourceSpec
from engine.types import StateWord, TrackState
from tests.fixtures.fakes import FakeSource, HalfSure
from tests.fixtures.models import IDENTITY, red_model, write_card
from tests.gui.conftest import FAKE

LEFT = Qt.MouseButton.LeftButton
OTHER = SourceSpec("file", "/fake/other.mp4")
# Notes in a file, named by its first argument, that it was called.
NOTING = (sys.executable, "-S", "-c", "import sys; open(sys.argv[1], 'a').write(sys.argv[2] + '\\n')")
FAILING = (sys.executable, "-S", "-c", "raise SystemExit('no sound card')")


class Leaving(HalfSure):
    """Marks until `is_there` is taken away."""

    is_there = True

    def infer(self, image):
        return super().infer(image) * np.uint8(self.is_there)


@pytest.fixture(autouse=True)
def good_view(monkeypatch):
    """A plain red picture is none: on a busy machine the gates close before a finding is confirmed."""
    monkeypatch.setattr("engine.tracking.follow.faults_of", lambda measures: frozenset())


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Its findings are followed."""
    path = red_model(tmp_path_factory.mktemp("followed"))
    over_time = {"threshold": 0.4, "keep": 0.2, "min_area_frac": 0.001, "hit_peak": 0.4}
    times = {"hit_ms": 100, "window_ms": 165}
    write_card(path, size=(96, 96), threshold=0.4, norm=IDENTITY, presets={"standard": over_time | times})
    return path


def findings(window):
    shown = window.operator.canvas.presentation
    return [] if shown is None or shown.result is None else list(shown.result.components)


@pytest.fixture
def marked(playing, qtbot):
    """A window with a recording whose finding is confirmed."""
    window = playing(FakeSource(frames=10_000, rate_hz=50))
    qtbot.waitUntil(lambda: [f.state for f in findings(window)] == [TrackState.CONFIRMED])
    return window


@pytest.fixture
def standing(marked, qtbot):
    """The same, paused."""
    marked.transport.play_pause()
    qtbot.waitUntil(lambda: marked.operator.status.word.word is StateWord.PAUSED and bool(findings(marked)))
    return marked


def on_finding(window):
    """The finding's middle, in the canvas."""
    box, canvas = findings(window)[0].box, window.operator.canvas
    frame, target = canvas.presentation.frame, canvas.picture_rect()
    return QPointF(
        target.x() + (box.x + box.w / 2) * target.width() / frame.width_px,
        target.y() + (box.y + box.h / 2) * target.height() / frame.height_px,
    )


def mouse(window, kind, at):
    canvas = window.operator.canvas
    held = Qt.MouseButton.NoButton if kind is QEvent.Type.MouseButtonRelease else LEFT
    where = QPointF(canvas.mapToGlobal(at))
    QApplication.sendEvent(canvas, QMouseEvent(kind, at, where, LEFT, held, Qt.KeyboardModifier.NoModifier))


def click(window, at, to=None):
    mouse(window, QEvent.Type.MouseButtonPress, at)
    mouse(window, QEvent.Type.MouseButtonRelease, to or at)


def test_d_takes_a_finding_off_the_picture_that_stands_and_it_stays_away(standing, qtbot, press):
    picture = standing.operator.canvas.presentation.frame.number

    press(standing, Qt.Key.Key_D)

    qtbot.waitUntil(lambda: not findings(standing))
    assert standing.operator.canvas.presentation.frame.number == picture
    assert standing.operator.answer.text.startswith("Finding dismissed")
    standing.transport.play_pause()
    seen = []
    qtbot.waitUntil(lambda: seen.append(len(findings(standing))) or _number(standing) > picture + 40)
    assert set(seen) == {0}


def test_shift_d_brings_it_back_on_the_picture_that_stands(standing, qtbot, press):
    press(standing, Qt.Key.Key_D)
    qtbot.waitUntil(lambda: not findings(standing))

    press(standing, Qt.Key.Key_D, Qt.KeyboardModifier.ShiftModifier)

    qtbot.waitUntil(lambda: len(findings(standing)) == 1)
    press(standing, Qt.Key.Key_D, Qt.KeyboardModifier.ShiftModifier)
    assert standing.operator.answer.text == "Nothing was dismissed"


def test_a_picture_that_stands_is_not_marked_by_what_only_the_one_before_it_showed(playing, qtbot):
    network = Leaving()
    window = playing(FakeSource(frames=10_000, rate_hz=50), runtime=network)
    qtbot.waitUntil(lambda: [f.state for f in findings(window)] == [TrackState.CONFIRMED])
    window.transport.play_pause()
    qtbot.waitUntil(lambda: window.operator.status.word.word is StateWord.PAUSED and bool(findings(window)))
    before = _number(window)
    network.is_there = False

    window.transport.step_on()

    shown = window.operator.canvas
    qtbot.waitUntil(lambda: _number(window) > before and shown.presentation.mask_age_s == 0.0)
    assert findings(window) == []


def test_what_was_dismissed_in_another_source_cannot_be_brought_back(standing, qtbot, press):
    press(standing, Qt.Key.Key_D)
    qtbot.waitUntil(lambda: not findings(standing))

    standing.opening.open(OTHER)
    press(standing, Qt.Key.Key_D, Qt.KeyboardModifier.ShiftModifier)

    assert standing.operator.answer.text == "Nothing was dismissed"


def test_another_threshold_does_not_bring_back_what_was_dismissed(standing, qtbot, press):
    press(standing, Qt.Key.Key_D)
    qtbot.waitUntil(lambda: not findings(standing))

    standing.ai.threshold_down()

    qtbot.waitUntil(lambda: standing.operator.canvas.presentation.result.point.threshold < 0.4)
    assert findings(standing) == []


def test_a_picture_that_stands_after_a_jump_keeps_its_marks_at_another_threshold(standing, qtbot):
    standing.transport.seek(50.0)
    qtbot.waitUntil(lambda: _number(standing) > 0 and [f.track for f in findings(standing)] == [None])

    standing.ai.threshold_down()

    qtbot.waitUntil(lambda: standing.operator.canvas.presentation.result.point.threshold < 0.4)
    assert len(findings(standing)) == 1


def test_a_click_on_a_finding_dismisses_it_and_one_beside_it_or_a_drag_does_not(standing, qtbot):
    at, target = on_finding(standing), standing.operator.canvas.picture_rect()

    click(standing, QPointF(target.right() - 5, at.y()))
    click(standing, at, to=at + QPointF(0, 60))
    assert standing.operator.answer.text == ""

    click(standing, at)
    qtbot.waitUntil(lambda: not findings(standing))


def test_a_double_click_on_a_finding_is_for_full_screen_alone(standing, qtbot):
    at = on_finding(standing)

    click(standing, at)
    mouse(standing, QEvent.Type.MouseButtonDblClick, at)
    mouse(standing, QEvent.Type.MouseButtonRelease, at)

    assert standing.full_screen.is_on
    assert standing.operator.answer.text == "Finding is back"
    qtbot.waitUntil(lambda: len(findings(standing)) == 1)


def test_without_a_finding_d_says_so(standing, qtbot, press):
    press(standing, Qt.Key.Key_D)
    qtbot.waitUntil(lambda: not findings(standing))

    press(standing, Qt.Key.Key_D)

    assert standing.operator.answer.text == "Nothing is marked"


def _number(window):
    return window.operator.canvas.presentation.frame.number


# The alarm's sound


@pytest.fixture
def alarm(qtbot):
    """An `AlarmSound` and its button, off."""
    button = AlarmButton(QAction("Alarm"))
    qtbot.addWidget(button)
    made = AlarmSound(False, button, button)
    yield made, button
    made.close()


def alarms(count):
    return SimpleNamespace(alarms=count)


def test_an_alarm_of_the_live_path_is_heard_once(make_window, qtbot, tmp_path):
    window = make_window(FakeSource(frames=10_000, rate_hz=50), alarm_sound=True)
    heard = tmp_path / "heard"
    window.alarm.player = (*NOTING, str(heard))
    window.opening.open(FAKE)

    qtbot.waitUntil(heard.exists)
    qtbot.waitUntil(lambda: len(findings(window)) == 1 and _number(window) > 60)
    assert [line.endswith("alarm.wav") for line in heard.read_text().splitlines()] == [True]


def test_nothing_is_heard_while_it_is_off_and_the_button_says_so(alarm, tmp_path):
    sound, button = alarm
    heard = tmp_path / "heard"
    sound.player = (*NOTING, str(heard))

    sound.take(alarms(0))
    sound.take(alarms(1))
    sound.close()  # a process would have been waited for or killed

    assert not heard.exists()
    assert button.accessibleName() == Heard.OFF.value


def test_switching_it_on_is_heard_kept_and_seen_in_form_and_words(alarm, qtbot, tmp_path):
    sound, button = alarm
    heard, kept = tmp_path / "heard", []
    sound.player = (*NOTING, str(heard))
    sound.chosen.connect(kept.append)
    off = button.icon().pixmap(16).toImage()

    assert sound.toggle() == "Alarm sound on"

    qtbot.waitUntil(heard.exists)
    assert button.accessibleName() == Heard.ON.value
    assert button.icon().pixmap(16).toImage() != off
    assert sound.toggle() == "Alarm sound off"
    assert button.accessibleName() == Heard.OFF.value
    assert kept == [{"alarm.sound": True}, {"alarm.sound": False}]


@pytest.mark.parametrize("player", [None, ("/no/such/player",), FAILING])
def test_where_nothing_can_play_it_that_is_said_once_and_seen(alarm, qtbot, player):
    sound, button = alarm
    told = []
    sound.player = player
    sound.failed.connect(told.append)

    sound.toggle()
    qtbot.waitUntil(lambda: button.accessibleName() == Heard.MUTE.value)
    sound.take(alarms(0))
    sound.take(alarms(1))
    qtbot.waitUntil(lambda: not sound.sounding)

    assert [fault.place for fault in told] == ["alarm"]


def test_the_first_player_that_is_installed_is_taken():
    assert player_for("linux", {"paplay", "aplay"}.__contains__) == ("paplay",)
    assert player_for("linux", {"aplay"}.__contains__) == ("aplay", "-q")
    assert player_for("darwin", {"afplay"}.__contains__) == ("afplay",)
    assert player_for("linux", set().__contains__) is None
