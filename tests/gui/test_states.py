"""What stands on the screen in every state: the word, the strips, the last picture."""

import threading

import pytest
from PySide6.QtCore import QRect
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from app.player import full_screen
from app.player.arrangement import Wanted, over
from app.player.page import LOOKS
from app.player.painter import Look
from app.player.word_label import STYLES, StateWordLabel
from app.player.zoom import Placement, place
from app.widgets import theme
from app.widgets.theme import WORD_PX, word_px
from app.widgets.words import RESEARCH_ONLY
from engine.faults import FaultCode, FaultError
from engine.sources.live.signal import Signal
from engine.types import SourceState, StateWord
from tests.fixtures.fakes import FakeRuntime, FakeSource, HalfSure
from tests.gui.conftest import FAKE


def test_every_word_has_a_look_and_no_two_share_colour_and_shape():
    assert set(STYLES) == set(StateWord)
    assert len(set(STYLES.values())) >= len(STYLES) - 1, "NO SIGNAL and FAILED are both crossed"


def test_nothing_beside_the_word_moves_when_it_changes(qtbot):
    label = StateWordLabel()
    qtbot.addWidget(label)
    widths = set()
    for word in StateWord:
        label.set_word(word)
        widths.add(label.sizeHint().width())

    assert len(widths) == 1


@pytest.mark.parametrize(("lines", "px"), [(720, 28), (1080, 28), (2160, 56)])
def test_the_word_is_never_smaller_than_28_px_and_grows_with_the_screen(lines, px):
    assert word_px(lines) == px >= WORD_PX


def test_what_is_wrong_and_whether_an_alarm_is_heard_grow_with_the_word(make_window):
    status = make_window().operator.status
    status.set_late("View: blurred")

    def sizes():
        late = status.findChild(QLabel, "late")
        return status.alarm.iconSize().height(), late.sizeHint().width()

    status.set_word_px(28)
    near = sizes()
    status.set_word_px(40)

    assert all(far > 1.2 * size for far, size in zip(sizes(), near, strict=True))


def test_a_lost_signal_is_crossed_a_failed_one_dimmed_and_what_has_ended_neither():
    assert LOOKS[SourceState.NO_SIGNAL] is Look.CROSSED
    assert LOOKS[SourceState.FAILED] is Look.DIMMED
    assert SourceState.ENDED not in LOOKS, "its last picture is as good as any other"


def test_a_recording_plays_pauses_and_ends_and_the_word_says_so(playing, qtbot, press):
    window = playing(FakeSource(frames=10_000))
    word = window.operator.status.word

    qtbot.waitUntil(lambda: word.word is StateWord.PLAYING)
    window.transport.play_pause()
    qtbot.waitUntil(lambda: word.word is StateWord.PAUSED)
    window.transport.seek(99.8)
    window.transport.play_pause()
    qtbot.waitUntil(lambda: word.word is StateWord.ENDED)
    assert "ENDED" in word.accessibleName()


def test_a_live_source_that_stalls_says_no_signal_and_goes_on_when_it_comes_back(playing, qtbot):
    source = FakeSource(live=True)
    window = playing(source)
    word = window.operator.status.word
    qtbot.waitUntil(lambda: word.word is StateWord.LIVE)
    source.stall.set()
    qtbot.waitUntil(lambda: word.word is StateWord.NO_SIGNAL)
    button = window.operator.status.first_focus
    qtbot.waitUntil(lambda: not button.isChecked())  # no picture is marked: nothing is green
    source.stall.clear()
    qtbot.waitUntil(lambda: word.word is StateWord.LIVE)


def test_without_the_ai_strips_and_words_say_that_nothing_is_marked(playing, qtbot):
    window = playing(FakeSource(frames=1000, rate_hz=50))
    page = window.operator
    before = page.canvas.geometry()
    assert [hatch.tone for hatch in page.hatches] == ["", ""]

    window.ai.toggle_ai()
    qtbot.waitUntil(lambda: page.hatches[0].tone == "attention")
    assert page.status.word.word is StateWord.AI_OFF
    assert page.hatches[1].tone == "attention"
    assert "nothing is marked" in page.notice.text
    assert page.canvas.geometry() == before, "the picture does not move"

    window.ai.toggle_ai()
    qtbot.waitUntil(lambda: page.hatches[0].tone == "")


def test_paused_without_the_ai_still_says_that_nothing_is_marked(playing, qtbot):
    window = playing(FakeSource(frames=1000, rate_hz=50))
    window.transport.play_pause()
    window.ai.toggle_ai()

    qtbot.waitUntil(lambda: window.operator.hatches[0].tone == "attention")
    assert window.operator.status.word.word is StateWord.PAUSED


def test_strips_do_not_flicker_for_a_mask_that_is_late_now_and_then(playing, qtbot):
    # A mask is drawn until it is 120 ms old, here for some 45 ms of each 75.
    window = playing(FakeSource(frames=10_000, rate_hz=50, live=True), runtime=FakeRuntime(delay_s=0.075))
    page = window.operator
    words, tones = set(), set()
    qtbot.waitUntil(lambda: page.hatches[0].tone == "")
    for _ in range(100):
        qtbot.wait(10)
        words.add(page.status.word.word)
        tones.add(page.hatches[0].tone)

    assert StateWord.STALE in words
    assert tones == {""}


def test_strips_say_when_masks_stay_away(playing, qtbot):
    runtime = FakeRuntime(delay_s=0.01)
    window = playing(FakeSource(frames=10_000, rate_hz=50, live=True), runtime=runtime)
    page = window.operator
    runtime.delay_s = 0.3  # each mask is too old when it comes
    qtbot.waitUntil(lambda: page.hatches[0].tone == "attention")
    assert page.status.word.word is StateWord.STALE
    runtime.delay_s = 0.01
    qtbot.waitUntil(lambda: page.hatches[0].tone == "")


def test_a_network_that_throws_costs_the_marks_and_not_the_picture(playing, qtbot, caplog):
    runtime = FakeRuntime()
    window = playing(FakeSource(frames=10_000), runtime=runtime)
    page = window.operator
    runtime.broken.set()
    qtbot.waitUntil(lambda: page.status.word.word is StateWord.AI_FAULT)
    shown = page.canvas.presentation
    qtbot.waitUntil(lambda: page.canvas.presentation.frame.number > shown.frame.number)

    assert page.canvas.presentation.result is None
    assert page.hatches[0].tone == "fault"
    assert page.notice.notice.fault.code is FaultCode.INFERENCE
    caplog.clear()  # the traceback is in the log


def test_figures_say_how_fast_it_runs(playing, qtbot):
    window = playing(FakeSource(frames=10_000, rate_hz=50))

    qtbot.waitUntil(lambda: "fps" in window.operator.status.numbers)
    assert "ms" in window.operator.status.numbers
    assert "dropped" in window.operator.status.numbers
    assert "fake f32" in window.operator.status.numbers  # what computes, and in which precision


def test_the_window_always_says_what_it_is_not(playing):
    window = playing(FakeSource(frames=10_000))
    said = []
    for change in ("fit", "full-screen", "leave", "close"):
        window.actions_by_id[change].trigger()
        said.append(
            any(label.text() == RESEARCH_ONLY and label.isVisible() for label in window.findChildren(QLabel))
        )

    assert said == [True] * 4


def test_in_full_screen_the_picture_has_the_whole_screen_and_what_is_over_it_fades(playing, qtbot):
    window = playing(FakeSource(frames=10_000, rate_hz=50))
    page = window.operator
    window.view.toggle_full_screen()
    qtbot.waitUntil(lambda: page.size() == window.size() == page.canvas.size())
    assert page.transport.isVisible()
    assert not page.panel.isVisible()
    picture = page.canvas.picture_rect()
    page.status.set_late("")  # a busy machine's masks may be late
    page.fade(True)

    assert page.canvas.picture_rect() == picture, "nothing moves the picture"
    assert page.status.word.isVisible()
    assert page.status.alarm.isVisible(), "whether an alarm is heard is always told"
    assert page.status.width() < page.width() * 0.4, "only the word and the alarm, on a ground of their own"
    assert not page.transport.isVisible()
    page.fade(False)
    assert page.transport.isVisible()
    assert page.status.width() == page.width()
    window.view.leave()
    assert page.canvas.height() < page.height()


def test_a_picture_of_the_screens_size_is_shown_pixel_for_pixel_in_full_screen(playing, qtbot):
    window = playing(FakeSource(live=True, rate_hz=50))
    page = window.operator
    page.fill(True)
    page.resize(1920, 1080)

    assert page.canvas.size() == page.size()
    canvas_px = (page.canvas.width(), page.canvas.height())
    assert place((1920, 1080), 1.0, canvas_px) == Placement(0, 0, 1920, 1080)


@pytest.mark.parametrize("rests", [False, True])
def test_what_lies_over_the_picture_leaves_its_middle_free(rests):
    wanted = Wanted((1920, 1080), (400, 88), notice_px=1500, transport_px=56, research_px=(260, 24))
    places = over(wanted, rests=rests)
    middle = QRect(0, 200, 1920, 680)

    for part in (places.status, places.notice, *places.hatches, places.transport, places.research):
        assert not part.intersects(middle)
        assert places.canvas.contains(part)


def test_a_state_that_is_not_live_is_twice_as_large_in_full_screen(playing, qtbot):
    window = playing(FakeSource(frames=10_000, rate_hz=50))
    page = window.operator
    window.view.toggle_full_screen()
    page.fade(True)
    qtbot.waitUntil(lambda: page.status.word.word is StateWord.PLAYING)
    calm_px = page.status.word.height_px
    window.transport.play_pause()
    qtbot.waitUntil(lambda: page.status.word.word is StateWord.PAUSED)

    assert page.status.word.height_px == 2 * calm_px
    qtbot.waitUntil(lambda: page.status.word.width() >= page.status.word.sizeHint().width(), timeout=1000)
    window.view.leave()
    assert page.status.word.height_px == calm_px


def test_a_fault_in_full_screen_is_a_banner_that_does_not_move_the_picture(playing, qtbot):
    window = playing(FakeSource(frames=10_000, rate_hz=50))
    page = window.operator
    window.view.toggle_full_screen()
    page.fade(True)
    before = page.canvas.picture_rect()
    missing = FaultError(FaultCode.SOURCE_MISSING, "a video file", "none", "choose another")
    window.tell(missing.as_fault("drop"))

    assert page.notice.isVisible()
    assert page.notice.width() > 200
    assert page.canvas.picture_rect() == before
    page.answer.say("Pause")
    assert not page.answer.geometry().intersects(page.notice.geometry())
    window.notices.close_notice()
    assert not page.notice.isVisible()


def test_what_the_banner_counts_is_all_in_the_list(playing, qtbot):
    window = playing(FakeSource(frames=10_000, rate_hz=50))
    panel = window.operator.panel
    for what in ("settings", "recent items"):
        window.tell(FaultError(FaultCode.INTERNAL, what, "none", "look").as_fault(what))
    window.view.show_faults()

    assert panel.faults_fold.isVisible()

    def listed():
        return [button for button in panel.findChildren(QPushButton) if button.text() == "Dismiss"]

    qtbot.waitUntil(lambda: len(listed()) == 2)
    listed()[0].click()
    assert window.operator.notice.notice.others == 0


def test_asked_for_the_faults_are_in_sight_in_a_small_window_too(playing, qtbot):
    window = playing(FakeSource(frames=10_000, rate_hz=50))
    window.resize(960, 600)
    window.tell(FaultError(FaultCode.INTERNAL, "settings", "none", "look").as_fault("settings"))
    window.view.show_faults()

    def is_in_sight():
        found = [b for b in window.operator.panel.findChildren(QPushButton) if b.text() == "Dismiss"]
        return len(found) == 1 and found[0].visibleRegion().boundingRect().height() == found[0].height()

    qtbot.waitUntil(is_in_sight)


def test_where_no_window_manager_does_it_the_window_fills_the_screen_by_itself(playing, qtbot, monkeypatch):
    window = playing(FakeSource(frames=10_000, rate_hz=50))
    before = window.geometry()
    lines = window.screen().geometry().height()
    monkeypatch.setattr(full_screen, "platform", lambda: "xcb")
    monkeypatch.setattr(window, "showFullScreen", lambda: None)  # asked for, and nobody does it
    window.view.toggle_full_screen()
    assert before.height() != lines

    qtbot.waitUntil(lambda: window.height() == lines)
    window.view.leave()
    qtbot.waitUntil(lambda: window.geometry() == before)


def test_fading_leaves_the_picture_where_it_is(playing, qtbot):
    window = playing(FakeSource(frames=10_000, rate_hz=50))
    before = window.operator.canvas.geometry()
    window.operator.fade(True)

    assert window.operator.canvas.geometry() == before


def test_masks_that_stay_late_are_said_in_words(make_window, qtbot):
    window = make_window(FakeSource(frames=10_000, rate_hz=50, live=True), runtime=FakeRuntime(delay_s=0.055))
    window.opening.open(FAKE)
    page = window.operator
    qtbot.waitUntil(lambda: page.status.late.startswith("Marks ") and page.status.late.endswith(" ms late"))

    assert page.canvas.presentation.late_s > 1 / 50


@pytest.mark.parametrize("way", ["paused", "ended"])
def test_a_picture_that_stands_under_its_own_marks_is_not_said_to_be_late(make_window, qtbot, way):
    source = FakeSource(frames=80, rate_hz=40)
    window = make_window(source, runtime=FakeRuntime(delay_s=0.25))
    window.opening.open(FAKE)
    page = window.operator
    qtbot.waitUntil(lambda: page.status.late != "")
    if way == "paused":
        window.transport.play_pause()
    word = StateWord.PAUSED if way == "paused" else StateWord.ENDED
    qtbot.waitUntil(lambda: page.status.word.word is word)
    qtbot.waitUntil(lambda: page.canvas.presentation.mask_age_s == 0.0)

    qtbot.waitUntil(lambda: page.status.late == "")


def test_of_masks_that_are_on_time_nothing_is_said(playing, qtbot):
    window = playing(FakeSource(frames=10_000, rate_hz=20, live=True))
    qtbot.waitUntil(lambda: window.operator.canvas.presentation.frame.index > 10)

    assert window.operator.status.late == ""
    assert window.operator.canvas.presentation.late_s is None


def test_a_damaged_picture_has_no_marks_which_is_not_said_to_be_late(playing, qtbot):
    source = FakeSource(frames=10_000, rate_hz=20, live=True)
    window = playing(source)
    source.signal = Signal(damaged=True, lost_frac=0.05)
    canvas = window.operator.canvas
    qtbot.waitUntil(lambda: canvas.presentation.frame.damaged)
    first = canvas.presentation.frame.index
    qtbot.waitUntil(lambda: canvas.presentation.frame.index > first + 20)

    assert window.operator.status.late == ""
    assert window.operator.status.word.word is StateWord.DAMAGED


def test_the_ai_button_is_green_only_while_the_network_runs(make_window, qtbot):
    ready = threading.Event()
    runtime = HalfSure()
    window = make_window(
        FakeSource(frames=10_000, live=True), runtime, loads=lambda name, model: ready.wait(5.0)
    )
    window.opening.open(FAKE)
    button = window.operator.status.first_focus
    qtbot.waitUntil(lambda: button.text() == "AI starting")
    starting = button.isChecked()
    ready.set()
    qtbot.waitUntil(lambda: button.text() == "AI on" and button.isChecked())
    runtime.broken.set()
    qtbot.waitUntil(lambda: button.text() == "AI fault")

    assert not starting
    assert not button.isChecked()


def test_what_is_over_the_picture_stays_while_the_keyboard_is_in_it_then_fades(playing, qtbot, monkeypatch):
    monkeypatch.setattr(theme, "HIDE_AFTER_MS", full_screen.LOOK_EVERY_MS)
    window = playing(FakeSource(frames=10_000, rate_hz=50))
    page = window.operator
    window.view.toggle_full_screen()
    page.canvas.setFocus()
    qtbot.waitUntil(lambda: window.full_screen.is_resting and not page.transport.isVisible())
    window.view.next_area()
    qtbot.waitUntil(lambda: window.full_screen.is_resting)
    assert page.transport.isVisible(), "somebody is in the row"
    assert window.focusWidget() is page.status.first_focus
    page.canvas.setFocus()

    qtbot.waitUntil(lambda: not page.transport.isVisible())
    window.view.leave()


WORST = "Marks over 120 ms late · View: blurred, lens on the wall, water or bubbles"


def test_what_is_wrong_just_now_pushes_no_other_word_out_of_a_small_window(playing, qtbot):
    window = playing(FakeSource(frames=10_000, rate_hz=50))
    window.resize(960, 600)
    row = window.operator.status
    qtbot.waitUntil(lambda: bool(row.numbers))
    ai, word = row.first_focus, row.word
    window.bridge.blockSignals(True)  # no news takes the words away again
    QApplication.processEvents()
    before = [part.geometry() for part in (ai, word, row.alarm)]

    row.set_late(WORST)
    QApplication.processEvents()

    late, numbers = row.findChildren(QLabel, "late")[0], row.findChildren(QLabel, "numbers")[0]
    assert (window.width(), window.height()) == (960, 600)
    assert [part.geometry() for part in (ai, word, row.alarm)] == before
    assert row.width() <= window.width() >= row.least_px()
    assert late.toolTip().startswith(WORST)
    assert late.width() >= 260, "the figures give way first"
    assert not late.geometry().intersects(numbers.geometry())

    row.set_late("View: too dark")
    QApplication.processEvents()
    assert late.text() == "View: too dark", "short words are whole"
