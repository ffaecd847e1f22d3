"""Opening: start page, drops, messages, what is remembered."""

from fractions import Fraction

import numpy as np
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel

from app.player.places import Place
from app.widgets.notice_row import ANSWERS, newest
from app.widgets.words import short_clock
from engine.faults import Fault, FaultCode, FaultError
from engine.sources.base import SourceSpec
from engine.sources.live.devices import DeviceInfo
from engine.types import StateWord
from tests.fixtures.clips import Clip, constant, made, write
from tests.fixtures.fakes import FakeSource


def drop(window, *paths, text=""):
    data = QMimeData()
    if paths:
        data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    elif text:
        data.setText(text)
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(100, 100), copy, data, left, none)
    QApplication.sendEvent(window, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(window, QDropEvent(QPointF(100, 100), copy, data, left, none))


def fault(code, *, at_s=0.0, fatal=True, place="source"):
    return Fault(code, place, "this", f"that ({code})", "do something", at_s, fatal)


def test_a_dropped_video_plays(make_window, qtbot, tmp_path_factory):
    window = make_window()
    drop(window, made("constant.mp4", tmp_path_factory))

    assert window.page is window.operator
    qtbot.waitUntil(lambda: window.operator.canvas.presentation is not None)


def test_a_wrong_drop_says_what_can_be_opened_and_what_plays_goes_on(playing, qtbot, tmp_path):
    window = playing(FakeSource(frames=10_000, rate_hz=50))
    drop(window, tmp_path / "letter.docx")

    assert "a video (MP4" in window.operator.notice.text
    assert "letter.docx" in window.operator.notice.text
    assert window.operator.status.word.word is StateWord.PLAYING
    window.notices.close_notice()
    assert window.operator.notice.notice is None


def test_a_wrong_drop_on_the_start_page_is_told_there(make_window, tmp_path):
    window = make_window(FakeSource())
    drop(window, tmp_path / "a.mp4", tmp_path / "b.mp4")

    assert "2 files" in window.start.notice.text
    assert window.start.notice.isVisible()
    assert window.page is window.start


def test_a_file_that_is_no_video_is_one_sentence_with_one_answer(make_window, qtbot, tmp_path):
    renamed = tmp_path / "text.mp4"
    renamed.write_text("Dear colleague, please find attached")
    window = make_window()
    drop(window, renamed)
    word, notice = window.operator.status.word, window.operator.notice
    qtbot.waitUntil(lambda: word.word is StateWord.FAILED)

    assert "text.mp4" in notice.text
    assert notice.notice.answer == ("Choose another…", "open-recording")
    assert "No picture" in window.operator.canvas.message


def test_a_message_never_moves_the_picture(playing):
    window = playing(FakeSource(frames=10_000, rate_hz=50))
    before = window.operator.canvas.geometry()
    window.tell(fault(FaultCode.INTERNAL, place="test"))

    assert window.operator.notice.notice is not None
    assert window.operator.canvas.geometry() == before


def test_the_newest_fault_is_shown_but_a_fatal_one_first_and_the_others_counted():
    old, fatal, new = (
        fault(FaultCode.SEEK, at_s=1.0, fatal=False),
        fault(FaultCode.MODEL_HASH, at_s=2.0),
        fault(FaultCode.SEEK, at_s=3.0, fatal=False),
    )

    assert newest([old, fatal, new]).fault is fatal
    assert newest([old, new]).fault is new
    assert newest([old, fatal, new]).others == 2
    assert newest([]) is None


def test_every_answer_of_a_message_is_an_action(make_window):
    window = make_window(FakeSource())

    assert {action for _, action in ANSWERS.values()} <= set(window.actions_by_id)


def test_a_closed_message_of_the_pipeline_is_dismissed_there_too(make_window, qtbot):
    def no_such_device(spec, options):
        raise FaultError(FaultCode.DEVICE_MISSING, "a device", "none", "plug it in")

    window = make_window(opener=no_such_device)
    window.opening.open(SourceSpec("capture", "v4l2:/dev/video9"))
    qtbot.waitUntil(lambda: "Plug it in" in window.operator.notice.text)
    assert window.operator.notice.notice.answer[1] == "retry"
    window.notices.close_notice()

    qtbot.waitUntil(lambda: window.operator.notice.notice is None)


def test_closing_a_source_comes_back_to_a_start_page_that_remembers_it(playing, qtbot, recent, tmp_path):
    window = playing(FakeSource(frames=10_000, rate_hz=50, title="colon.mp4"))
    qtbot.waitUntil(lambda: window.opening.watched_s > 0)
    window.opens.close_source()

    assert window.page is window.start
    (row,) = window.start.rows
    assert row.item.title == "colon.mp4"
    qtbot.waitUntil(row.item.thumbnail.is_file)
    assert "Marks in" in row.item.findings


def test_a_recent_row_opens_its_source_again(playing, qtbot):
    window = playing(FakeSource(frames=10_000, rate_hz=50))
    window.opens.close_source()
    QTest.mouseClick(window.start.rows[0], Qt.MouseButton.LeftButton)

    assert window.page is window.operator
    assert window.opening.spec.address == "/fake/clip.mp4"


def test_the_thumbnail_is_the_picture(playing, qtbot):
    window = playing(FakeSource(frames=10_000, rate_hz=50))
    window.opens.close_source()
    thumbnail = window.start.rows[0].item.thumbnail
    qtbot.waitUntil(thumbnail.is_file)
    picture = QPixmap(str(thumbnail)).toImage()
    middle = picture.pixelColor(picture.width() // 2, picture.height() // 2)

    assert np.allclose((middle.red(), middle.green(), middle.blue()), (255, 0, 0), atol=12)


def test_without_a_device_the_start_page_says_so_and_with_one_it_can_be_opened(make_window, qtbot):
    window = make_window(FakeSource(live=True))
    form = window.start.device_form
    form.show_devices(())
    assert "No capture device" in form.state_text
    form.show_devices((DeviceInfo("v4l2:/dev/video0", "Grabber"),))
    with qtbot.waitSignal(form.asked) as asked:
        form.pixel_format.select("MJPG")
        QTest.mouseClick(form.open_button, Qt.MouseButton.LeftButton)

    spec, options = asked.args
    assert spec == SourceSpec("capture", "v4l2:/dev/video0")
    assert (options.pixel_format, options.size, options.rate_hz) == ("MJPG", None, None)


def test_a_wrong_address_is_told_under_the_field(make_window):
    window = make_window(FakeSource())
    window.opens.open_stream()
    form = window.start.stream_form
    QTest.keyClicks(form.address, "gopher://somewhere")
    QTest.keyClick(form.address, Qt.Key.Key_Return)

    assert "gopher" in form.complaint
    assert window.page is window.start


def test_letters_typed_into_the_address_are_not_shortcuts(make_window):
    window = make_window(FakeSource())
    window.opens.open_stream()
    QTest.keyClicks(window.start.stream_form.address, "fjhkl?1")

    assert window.start.stream_form.address.text() == "fjhkl?1"
    assert not window.isFullScreen()


def test_the_start_page_says_which_model_and_runtime_are_ready(make_window):
    window = make_window(FakeSource())

    assert window.start.readiness.startswith("Ready: red · fake f32")


def test_an_empty_list_of_recent_items_says_what_will_be_there(make_window):
    window = make_window(FakeSource())
    said = " ".join(label.text() for label in window.start.findChildren(QLabel) if label.isVisible())

    assert window.start.rows == []
    assert "What you open appears here" in said


def test_a_recording_goes_on_where_it_was_left_and_says_so(make_window, qtbot, tmp_path):
    long = Clip("long.mp4", constant(400), time_base=Fraction(1, 25))  # 16 s
    spec = SourceSpec("file", str(write(long, tmp_path)))
    window = make_window()
    canvas = window.operator.canvas
    window.opening.open(spec)
    qtbot.waitUntil(lambda: canvas.presentation is not None)
    window.transport.go_to_place(Place(200, None, ""))
    qtbot.waitUntil(lambda: canvas.presentation.frame.index >= 200)
    window.transport.play_pause()
    qtbot.waitUntil(lambda: window.operator.status.word.word is StateWord.PAUSED)
    left_at = canvas.presentation.frame.index
    window.opens.close_source()

    window.opening.open(spec)
    qtbot.waitUntil(lambda: canvas.presentation is not None and canvas.presentation.frame.index >= left_at)
    assert window.operator.answer.text == f"Resumed at {short_clock(left_at / 25)}, Home = beginning"
    window.opens.open_again()
    qtbot.waitUntil(lambda: canvas.presentation is not None and canvas.presentation.frame.index < 100)
