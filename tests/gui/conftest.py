"""A themed application, and windows over the real pipeline with a source and a network that do as told."""

from __future__ import annotations

import gc
import shutil

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.launch import Launch
from app.network.catalogue import Machine
from app.start.recent import RecentItems
from app.widgets import theme
from app.window import Window
from engine.jobs.events import RunFolder
from engine.live.pipeline import Pipeline
from engine.model_folder import load_model_folder
from engine.review.analysis import analyse_into, begin, run_folder, spec_of
from engine.review.places import Places
from engine.review.store import open_side_car
from engine.runtime import RUNTIMES
from engine.runtime.live import only
from engine.sources import open_source
from engine.sources.base import SourceSpec
from tests.fixtures.fakes import HalfSure
from tests.fixtures.models import red_model
from tests.fixtures.recorder import following_model, recorder_clip

FRAMES, SEEN = 120, range(40, 90)
FAKE = SourceSpec("file", "/fake/clip.mp4")


@pytest.fixture(scope="session")
def qapp(qapp):
    theme.apply(qapp)
    # What is loaded by now (torch, often) is neither collected nor looked through for timers after each test,
    # which takes a quarter of a second.
    gc.collect()
    gc.freeze()
    yield qapp
    gc.unfreeze()


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    return red_model(tmp_path_factory.mktemp("models"), threshold=0.4)


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    """OpenVINO is asked for its devices by one test alone: the import takes a second."""
    found = Machine(dict.fromkeys(RUNTIMES, ""), {})
    monkeypatch.setattr("app.network.commands.read_machine", lambda: found)


@pytest.fixture
def recent(tmp_path):
    items = RecentItems(tmp_path / "recent.json")
    yield items
    items.close()


@pytest.fixture
def make_window(qtbot, model, recent):
    """A window that is shown and attached. It opens `source`, or what `opener` gives, or real sources.

    `loads(runtime, model)` is called while a network is made ready; the window is then given before that.
    """
    made = []

    def make(source=None, runtime=None, opener=open_source, loads=None, **launch):
        runtime = runtime or HalfSure()

        def opened(name, folder, options):
            if loads is not None:
                loads(name, folder)
            return runtime

        window = Window(Launch(model=str(model), **launch), recent)
        pipeline = Pipeline(
            window.bridge.ring,
            open_source=opener if source is None else lambda spec, options: source,
            open_live=only(opened),
        )
        made.append(window)
        window.show()
        window.attach(pipeline)
        if loads is None:
            qtbot.waitUntil(lambda: "Ready" in window.start.readiness)
        return window

    yield make
    for window in made:
        window.close()  # and with it the pipeline: its threads would be found
        window.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def playing(make_window, qtbot):
    """Opens `source` in a window and waits for its first picture with its marks."""

    def play(source, spec=FAKE, **options):
        window = make_window(source, **options)
        window.opening.open(spec)
        canvas = window.operator.canvas
        qtbot.waitUntil(lambda: canvas.presentation is not None and canvas.presentation.result is not None)
        return window

    return play


@pytest.fixture
def press(qapp):
    """Sends a key to whatever has the focus, as the keyboard would: shortcuts first."""

    def press(window, key, modifiers=Qt.KeyboardModifier.NoModifier):
        QTest.keyClick(window.focusWidget() or window, key, modifiers)

    return press


@pytest.fixture(scope="session")
def following(tmp_path_factory):
    """A model whose findings are followed over time."""
    return following_model(tmp_path_factory.mktemp("following"))


@pytest.fixture(scope="session")
def analysed(tmp_path_factory, following):
    """A clip with its side-car beside it, all of it analysed; to be copied."""
    folder = tmp_path_factory.mktemp("analysed")
    clip = recorder_clip(folder / "clip.mp4", FRAMES, SEEN, -1)
    with open_side_car([clip], Places(folder / "library")) as car:
        analysis = begin(car, load_model_folder(following))
        job = RunFolder(run_folder(car.folder, analysis.id))
        assert analyse_into(car.database, analysis, spec_of(car), job)
    return folder


@pytest.fixture
def clip(analysed, tmp_path):
    return shutil.copytree(analysed, tmp_path / "recordings") / "clip.mp4"
