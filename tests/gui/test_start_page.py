"""The start page: recent items to open and to forget, names that can be hidden, an address, small screens."""

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QContextMenuEvent, QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QMenu

from app.start.recent_list import Shortened
from app.widgets import theme, words
from engine.faults import Fault, FaultCode
from engine.settings import read_settings
from engine.sources.base import SourceSpec
from engine.types import AiState, StateWord
from tests.fixtures.fakes import FakeSource

PATIENT = SourceSpec("file", "/films/Schmidt_Anna_1961-02-03.mp4")
OTHER = SourceSpec("file", "/films/other.mp4")


@pytest.fixture
def start(make_window, recent):
    """A window with two recent items, the newest of them with a patient's name and a thumbnail."""

    def start(**launch):
        for spec in (OTHER, PATIENT):
            recent.opened(spec, spec.address.rpartition("/")[2], 65.0)
        recent.items[0].thumbnail.parent.mkdir(parents=True, exist_ok=True)
        picture = QPixmap(320, 180)
        picture.fill(Qt.GlobalColor.red)
        assert picture.save(str(recent.items[0].thumbnail), "JPG")
        return make_window(FakeSource(frames=10_000, rate_hz=50), **launch)

    return start


def everything_said(window):
    labels = [label.text() for label in window.start.findChildren(QLabel)]
    rows = [text for row in window.start.rows for text in (row.accessibleName(), row.toolTip())]
    return " ".join((window.windowTitle(), *labels, *rows))


def colour(row):
    return row.picture.pixmap().toImage().pixelColor(20, 20)


def test_delete_forgets_a_recent_item_and_the_next_one_has_the_focus(start, recent):
    window = start()
    window.start.rows[0].setFocus()
    QTest.keyClick(window.start.rows[0], Qt.Key.Key_Delete)

    assert [row.item.spec for row in window.start.rows] == [OTHER]
    assert window.start.rows[0].hasFocus()
    assert [item.spec for item in recent.items] == [OTHER]


def test_the_menu_of_a_recent_item_removes_it(start, qtbot):
    window = start()
    row = window.start.rows[0]
    QApplication.sendEvent(
        row,
        QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, row.rect().center(), row.mapToGlobal(row.pos())),
    )
    qtbot.waitUntil(lambda: QApplication.activePopupWidget() is not None)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    next(action for action in menu.actions() if "Remove" in action.text()).trigger()
    menu.close()

    assert [left.item.spec for left in window.start.rows] == [OTHER]


def test_clearing_asks_once_and_takes_all(start, recent, qtbot):
    window = start()
    QTest.mouseClick(button(window, "Clear…"), Qt.MouseButton.LeftButton)
    assert len(window.start.rows) == 2
    assert window.focusWidget().text() == "Keep them"
    QTest.mouseClick(window.start.recent.really, Qt.MouseButton.LeftButton)

    assert window.start.rows == []
    assert recent.items == ()
    assert "What you open appears here" in everything_said(window)


def test_hidden_names_stand_nowhere_and_stay_hidden(start, tmp_path, qtbot):
    path = tmp_path / "settings.toml"
    window = start(keeps=path)
    assert "Schmidt" in everything_said(window)
    assert colour(window.start.rows[0]).red() > 200
    window.actions_by_id["names"].trigger()

    assert "Schmidt" not in everything_said(window)
    assert "Recording" in everything_said(window)
    assert colour(window.start.rows[0]).red() < 200
    window.close()
    assert read_settings(path).settings.screen.names is False


def test_a_window_that_starts_with_hidden_names_shows_none(start):
    window = start(names=False)

    assert "Schmidt" not in everything_said(window)
    window.opening.open(PATIENT)
    assert window.windowTitle() == "polyplive"


def test_hidden_names_hide_the_one_that_stands_in_the_players_row(playing, qtbot):
    window = playing(FakeSource(title="Schmidt", frames=10_000, rate_hz=50))
    window.transport.play_pause()
    row = window.operator.status

    def said():
        return " ".join(label.text() + label.toolTip() for label in row.findChildren(QLabel))

    qtbot.waitUntil(lambda: row.word.word is StateWord.PAUSED and "Schmidt" in said())
    window.actions_by_id["names"].trigger()

    qtbot.waitUntil(lambda: "Schmidt" not in said())
    assert "64×48 · 50 Hz" in said()


def test_what_is_being_opened_is_said_before_there_is_news_of_it(make_window):
    window = make_window(FakeSource())
    window.opening.open(OTHER)

    assert window.operator.status.word.word is StateWord.OPENING
    assert window.operator.canvas.message == "Opening other.mp4…"


def test_the_window_is_called_as_the_recording_is(start):
    window = start()
    assert window.windowTitle() == "polyplive"
    window.opening.open(OTHER)
    assert window.windowTitle() == "other.mp4 – polyplive"
    window.opens.close_source()
    assert window.windowTitle() == "polyplive"


def test_a_password_in_an_address_is_not_in_the_title(start):
    window = start()
    window.opening.open(SourceSpec("stream", "rtsp://user:secret@10.0.0.4:554/endo"))

    assert window.windowTitle() == "rtsp://10.0.0.4:554/endo – polyplive"


def test_after_closing_a_source_the_focus_is_on_it_in_the_list(playing, qtbot):
    window = playing(FakeSource(frames=10_000, rate_hz=50, title="colon.mp4"))
    window.opens.close_source()

    assert window.focusWidget() is window.start.rows[0]
    assert window.start.rows[0].item.title == "colon.mp4"


def test_enter_on_the_menu_button_opens_it(make_window, qtbot):
    window = make_window(FakeSource())
    menu = next(child for child in window.start.findChildren(type(button(window, "menu"))) if child.menu())
    menu.setFocus()
    seen = []

    def look():
        seen.append(menu.menu().isVisible())
        menu.menu().close()

    QTimer.singleShot(0, look)
    QTest.keyClick(menu, Qt.Key.Key_Return)

    assert seen == [True]


@pytest.mark.parametrize(
    "typed", ["host:554/path", "clip.mp4", "/films/clip.mp4", "rtsp://", "gopher://x", ""]
)
def test_what_is_no_address_is_said_with_examples_and_the_next_one_replaces_it(make_window, typed):
    window = make_window(FakeSource())
    window.opens.open_stream()
    form = window.start.stream_form
    QTest.keyClicks(form.address, typed)
    QTest.keyClick(form.address, Qt.Key.Key_Return)

    assert window.page is window.start
    assert "rtsp://host:554/path" in form.complaint
    assert typed in form.complaint
    QTest.keyClicks(form.address, "rtsp://host/1")
    assert form.address.text() == "rtsp://host/1"


def test_an_address_that_stands_there_is_replaced_when_the_form_is_opened_again(make_window):
    window = make_window(FakeSource())
    window.opens.open_stream()
    form = window.start.stream_form
    QTest.keyClicks(form.address, "rtsp://first/1")
    window.start.first_focus.setFocus()
    window.opens.open_stream()
    QTest.keyClicks(form.address, "rtsp://other/2")

    assert form.address.text() == "rtsp://other/2"


@pytest.mark.parametrize("screen", [(1024, 600), (1280, 720), (800, 600), (1366, 768)])
def test_the_window_with_its_lower_edge_lies_within_a_small_screen(make_window, screen):
    width, height = theme.window_px(theme.WINDOW_PX, screen)
    least = theme.window_px(theme.MINIMUM_PX, screen)
    window = make_window(FakeSource())
    window.setMinimumSize(*least)
    window.resize(width, height)
    QApplication.processEvents()
    labels = [label for label in window.findChildren(QLabel) if label.isVisible()]
    edge = next(label for label in labels if label.text() == words.RESEARCH_ONLY)
    lower = edge.mapTo(window, edge.rect().bottomLeft()).y()

    assert (window.width(), window.height()) == (width, height)
    assert lower <= screen[1] - theme.FRAME_PX


@pytest.mark.parametrize("size", [(960, 600), (1280, 720)])
@pytest.mark.parametrize("form", ["", "open-stream", "open-device"])
def test_no_text_of_the_start_page_is_cut(start, recent, qtbot, size, form):
    recent.opened(
        SourceSpec("file", "/films/a.mp4"), "a very long name of a recording " * 5 + ".mp4", 99_999.0
    )
    window = start()
    window.resize(*size)
    said = "A sentence that is long enough to need more than the two lines that the row has. " * 4
    window.tell(Fault(FaultCode.INTERNAL, "test", "", "", "", 0.0, said=said.strip()))
    if form:
        window.actions_by_id[form].trigger()
        qtbot.waitUntil(lambda: "Looking" not in window.start.device_form.state_text or form == "open-stream")
    QApplication.processEvents()

    assert window.start.notice.shown_text == said.strip()
    for label in window.start.findChildren(QLabel):
        if not label.isVisible() or not label.text():
            continue
        shortened = isinstance(label, Shortened) and label.text() != label.whole
        need = label.heightForWidth(label.width()) if label.wordWrap() else label.sizeHint().height()
        assert label.height() >= need, label.text()
        assert shortened or label.wordWrap() or label.width() >= label.sizeHint().width(), label.text()
        if shortened:
            assert "…" in label.text()


def test_a_long_message_over_the_picture_is_shortened_to_whole_lines(playing):
    window = playing(FakeSource(frames=10_000, rate_hz=50))
    said = "A sentence that is long enough to need more than the two lines that the row has. " * 6
    window.tell(Fault(FaultCode.INTERNAL, "test", "", "", "", 0.0, said=said.strip()))

    assert window.operator.notice.text == said.strip()
    assert window.operator.notice.shown_text.endswith("…")


def button(window, text):
    from PySide6.QtWidgets import QPushButton, QToolButton

    if text == "menu":
        return window.start.findChild(QToolButton)
    return next(one for one in window.start.findChildren(QPushButton) if one.text() == text)


def test_no_field_of_a_capture_device_is_cut_in_a_small_window(make_window):
    window = make_window()
    window.resize(960, 600)
    window.opens.open_device()
    form = window.start.device_form

    for box in (form.pixel_format, form.picture_size, form.rate):
        room = box.width() - 2 * theme.S - theme.XL
        assert all(box.fontMetrics().horizontalAdvance(box.itemText(i)) <= room for i in range(box.count()))


def test_what_is_ready_is_true_when_one_comes_back_from_another_place(make_window, qtbot):
    window = make_window(FakeSource())
    heard = []
    window.bridge.changed.connect(heard.append)
    window.places.show("review")
    window.ai.toggle_ai()
    qtbot.waitUntil(lambda: bool(heard) and heard[-1].ai_state is AiState.OFF)
    window.places.show("live")

    qtbot.waitUntil(lambda: "AI is off" in window.start.readiness)
