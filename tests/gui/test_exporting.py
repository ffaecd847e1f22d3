"""What was found and corrected leaves by the window: looked at first, whole, while the picture goes on."""

from __future__ import annotations

import json
import shutil
import time
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer

from app.review.exporting.choices import There, free_folder, usual_only, what_is_missed, why_nothing
from distill.data.index import load_index
from engine.review.edits import Edits
from engine.review.exports.formats import FORMATS, Look, Only
from tests.fixtures.recorder import following_model, recorder_clip
from tests.fixtures.reviewed import EMPTY, OWN, RING, analysed, correct

SHIFT = Qt.KeyboardModifier.ShiftModifier
MOST_BUSY_S = 0.1  # of one thing, so that the picture goes on


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return following_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory, model):
    folder = tmp_path_factory.mktemp("reviewed")
    clip = recorder_clip(folder / "Mrs Smith.mp4", 60, range(15, 45), -1)
    with analysed(clip, folder, model) as car:
        correct(Edits(car.database))
        shutil.copytree(car.folder, folder / "Mrs Smith.mp4.review", ignore=shutil.ignore_patterns("*.lock"))
    return folder


@pytest.fixture
def until(qtbot):
    return partial(qtbot.waitUntil, timeout=30_000)


@pytest.fixture
def exporting(make_window, until, reviewed, tmp_path):
    """A corrected recording, open; exports go below `tmp_path`."""
    for name in ("Mrs Smith.mp4", "Mrs Smith.mp4.review"):
        copy = shutil.copytree if name.endswith("review") else shutil.copy
        copy(reviewed / name, tmp_path / name)
    window = make_window()
    window.preferences.keep(
        {"review.exports": str(tmp_path / "out"), "review.data_set": str(tmp_path / "set")}
    )
    window.places.open_path(tmp_path / "Mrs Smith.mp4")
    place = window.review
    until(lambda: place.has_recording and place.reviewing.known is not None)
    return window


def asked(window, press, until, verified=3):
    """The window of exports, open."""
    press(window, Qt.Key.Key_E, SHIFT)
    dialog = window.review.desk.exporting.dialog
    until(lambda: f"({verified})" in dialog.form.only.itemText(0))
    return dialog


def choose(choice, value) -> None:
    choice.select(value)
    choice.chosen.emit(value)


class Watch:
    """The most work that the window's thread did at once, in seconds of its own: others share the machine."""

    def __init__(self, parent) -> None:
        self.most_s, self._last_s = 0.0, time.thread_time()
        self.timer = QTimer(parent)
        self.timer.timeout.connect(self._tick)
        self.timer.start(0)

    def _tick(self) -> None:
        now_s = time.thread_time()
        self.most_s, self._last_s = max(self.most_s, now_s - self._last_s), now_s


def test_an_export_is_looked_at_before_it_is_there_while_the_picture_goes_on(
    exporting, press, until, tmp_path, monkeypatch
):
    opened: list[str] = []
    monkeypatch.setattr(
        "app.review.exporting.dialog.QDesktopServices.openUrl", lambda url: opened.append(url.toLocalFile())
    )
    dialog = asked(exporting, press, until)
    choose(dialog.form.format, "coco")
    assert (dialog.state, dialog.form.wanted_only, dialog.form.hint) == ("form", Only.VERIFIED, "")

    press(exporting, Qt.Key.Key_Space)  # it plays meanwhile
    watch = Watch(exporting)
    dialog.export.click()
    until(lambda: dialog.state == "looking")
    watch.timer.stop()
    assert watch.most_s < MOST_BUSY_S
    assert dialog.sheet.image.width() == 3 * 192
    assert [path for path in (tmp_path / "out").iterdir() if not path.name.startswith(".")] == []

    dialog.keep.click()
    until(lambda: dialog.state == "told")
    assert dialog.told == "Exported: 3 frames, 3 masks."
    (folder,) = (tmp_path / "out").iterdir()
    assert folder.name.startswith("coco-")
    assert json.loads((folder / "export.json").read_text())["only"] == "verified"
    dialog.open_folder.click()
    assert opened == [str(folder)]


@pytest.mark.slow
def test_what_is_thrown_away_cancelled_or_left_open_leaves_nothing(exporting, press, until, tmp_path):
    dialog = asked(exporting, press, until)
    choose(dialog.form.only, Only.ALL)
    dialog.export.click()
    dialog.cancel.click()
    until(lambda: dialog.state == "told")
    assert dialog.told == "Cancelled: nothing was written."
    dialog.again.click()
    dialog.export.click()
    until(lambda: dialog.state == "looking")
    dialog.discard.click()
    until(lambda: dialog.state == "told")
    assert list((tmp_path / "out").iterdir()) == []
    dialog.again.click()
    dialog.export.click()
    until(lambda: dialog.state == "looking")

    exporting.review.close_review()
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.slow
def test_every_format_leaves_by_the_window(exporting, press, until, tmp_path):
    dialog = asked(exporting, press, until)
    for name, row in FORMATS.items():
        choose(dialog.form.format, name)
        dialog.export.click()
        until(lambda: dialog.state in ("looking", "told"))
        if row.pictures:
            assert dialog.state == "looking", dialog.told
            dialog.keep.click()
            until(lambda: dialog.state == "told")
        assert dialog.told.startswith("Exported: "), dialog.told
        dialog.again.click()

    made = {json.loads((path / "export.json").read_text())["format"] for path in (tmp_path / "out").iterdir()}
    assert made == set(FORMATS)


@pytest.mark.slow
def test_a_list_has_no_pictures_to_look_at_and_what_went_wrong_is_one_sentence(
    exporting, press, until, tmp_path
):
    dialog = asked(exporting, press, until)
    choose(dialog.form.format, "csv")
    assert dialog.form.full_frame.isHidden()
    dialog.export.click()
    until(lambda: dialog.state == "told")
    assert dialog.told.startswith("Exported: ")

    (tmp_path / "file").write_text("no folder")
    exporting.preferences.keep({"review.exports": str(tmp_path / "file")})
    dialog.again.click()
    dialog.export.click()
    until(lambda: dialog.state == "told")
    assert "cannot be written" in dialog.told
    assert dialog.where == ""


def test_one_click_adds_the_verified_frames_to_the_data_set(exporting, press, until, tmp_path):
    exporting.review.desk.page.panel.data_set.click()
    dialog = exporting.review.desk.exporting.dialog
    until(lambda: dialog.state == "told")

    assert dialog.told == "Version v1 of the data set has the verified frames now."
    index = load_index(tmp_path / "set" / "v1")
    assert sorted(one.frame for one in index.records) == [RING, OWN, EMPTY]


def test_a_full_frame_is_a_switch_with_its_warning(exporting, press, until):
    form = asked(exporting, press, until).form
    assert not form.full_frame.isChecked()
    form.full_frame.click()
    assert form._warning.isVisible()
    choose(form.format, "clip")
    assert form.look.isVisible()
    looks = [form.look.itemData(row) for row in range(form.look.count())]
    assert looks == [Look.OVERLAY, Look.SIDE, Look.RAW]


# Pure.


@pytest.mark.parametrize(
    ("format_", "only", "there", "said"),
    [
        ("coco", Only.VERIFIED, There(found=3), "No frame is verified yet. Correct the masks of a finding"),
        ("dataset", Only.VERIFIED, There(found=3), "verify each frame that is right."),
        ("csv", Only.KEPT, There(found=3), "No finding is kept yet. Choose one in the list and keep it"),
        ("masks", Only.ALL, There(), "Nothing was found yet. Wait for the analysis"),
        ("clip", Only.ALL, There(), ""),
        ("coco", Only.VERIFIED, There(verified=1), ""),
    ],
)
def test_where_nothing_would_come_it_is_said_what_to_do(format_, only, there, said):
    found = why_nothing(format_, only, there)
    assert said in found
    assert bool(found) is bool(said)


def test_the_most_careful_choice_that_has_something_in_it_is_the_usual_one():
    assert usual_only("coco", There(verified=2, kept=1, found=9)) is Only.VERIFIED
    assert usual_only("coco", There(kept=1, found=9)) is Only.KEPT
    assert usual_only("coco", There(found=9)) is Only.ALL
    assert usual_only("dataset", There()) is Only.VERIFIED
    assert {usual_only(name, There(9, 9, 9)) for name in FORMATS} == {Only.VERIFIED, Only.KEPT}


def test_a_folder_is_new_and_what_is_not_analysed_is_said(tmp_path):
    from datetime import datetime

    now = datetime(2026, 11, 30, 9, 5)
    (tmp_path / "csv-2026-11-30-0905").mkdir()
    assert free_folder(tmp_path, "csv", now) == Path(tmp_path / "csv-2026-11-30-0905-2")
    assert what_is_missed(There(share=0.63)) == "63 % is analysed: the rest is left out."
    assert "until it is done" in what_is_missed(There(share=0.63, is_other_point=True))
    assert what_is_missed(There()) == ""
