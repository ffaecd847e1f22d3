"""For every test: no screen, folders of its own, nothing left running, no warning that nobody expected."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import threading
import time
import traceback
from collections import Counter
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from app.environment import qt_environment
from engine.files.whole import HOME_VARIABLE, json_line
from engine.jobs import events
from engine.jobs.events import schema_errors
from engine.jobs.folder import EVENTS

os.environ["QT_QPA_PLATFORM"] = "offscreen"
qt_environment(os.environ)
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts what runs in its background like that, and programs started here would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)

OWN_LOGGERS = ("app", "engine", "distill")
ENDS_WITHIN_S = 2.0
QT_FIXTURES = frozenset({"qtbot", "qapp"})
# Threads of libraries, one a process, that are never joined.
LIBRARY_THREADS = ("TMonitor",)
OWN_THREADS = Path("/proc/self/task")


@pytest.fixture(scope="session", autouse=True)
def folders_of_its_own(tmp_path_factory):
    """Caches, settings and recent items go where no user's are."""
    folder = tmp_path_factory.mktemp("home")
    before = os.environ.get(HOME_VARIABLE)
    os.environ[HOME_VARIABLE] = str(folder)
    yield folder
    if before is None:
        del os.environ[HOME_VARIABLE]
    else:
        os.environ[HOME_VARIABLE] = before


@pytest.fixture(autouse=True)
def nothing_is_left(monkeypatch, request):
    """Threads, processes, running QThreads, active timers and windows: as many after the test as before."""
    starters: dict[int, str] = {}
    # Looking through all objects for timers takes a quarter of a second once torch is loaded.
    with_qt = not QT_FIXTURES.isdisjoint(request.fixturenames)
    start = threading.Thread.start

    def remember(thread):
        caller = traceback.extract_stack(limit=2)[0]
        starters[id(thread)] = f"{caller.filename}:{caller.lineno}"
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", remember)
    before = _everything(starters, with_qt)
    yield
    deadline_s = time.monotonic() + ENDS_WITHIN_S
    while (left := _everything(starters, with_qt) - before) and time.monotonic() < deadline_s:
        _let_qt_finish()
        time.sleep(0.01)
    if left:
        pytest.fail("left behind: " + "; ".join(sorted(left)), pytrace=False)


@pytest.fixture(autouse=True)
def no_unexpected_warning(caplog):
    """A test that expects a warning of ours says so with `caplog.clear()` after looking at it."""
    yield
    loud = [
        f"{record.name}: {record.getMessage()}"
        for record in caplog.get_records("call")
        if record.levelno >= logging.WARNING and record.name.partition(".")[0] in OWN_LOGGERS
    ]
    if loud:
        pytest.fail("unexpected warnings: " + "; ".join(loud), pytrace=False)


@pytest.fixture(autouse=True)
def every_event_is_of_a_kind(monkeypatch):
    """What a job tells in any test is of `engine.jobs.events.KINDS`."""

    def told(path, line):
        if path.name == EVENTS and (wrong := schema_errors(json_line(line))):
            pytest.fail(f"{line} is not of the schema: {'; '.join(wrong)}", pytrace=False)
        append(path, line)

    append = events.append_json_line
    monkeypatch.setattr(events, "append_json_line", told)


def _everything(starters: dict[int, str], with_qt: bool) -> Counter[str]:
    """What is running now, in words."""
    running = Counter(
        f"thread {thread.name} started at {starters.get(id(thread), 'some time before')}"
        for thread in threading.enumerate()
        if type(thread).__name__ not in LIBRARY_THREADS
    )
    running.update(f"process {_command(child)}" for child in _children())
    return running + _of_qt() if with_qt else running


def _children() -> list[psutil.Process]:
    """Linux tells them; psutil looks through all processes of the machine, 2 ms before and after a test."""
    if not OWN_THREADS.is_dir():
        return psutil.Process().children()
    found = []
    for path in OWN_THREADS.glob("*/children"):
        with suppress(OSError, psutil.NoSuchProcess):  # a thread or a child that has just ended
            found += [psutil.Process(int(pid)) for pid in path.read_text().split()]
    return found


def _command(process: psutil.Process) -> str:
    try:
        return f"{process.pid} {' '.join(process.cmdline())}"
    except psutil.Error:
        return f"{process.pid}"


def _of_qt() -> Counter[str]:
    if (widgets := sys.modules.get("PySide6.QtWidgets")) is None or widgets.QApplication.instance() is None:
        return Counter()
    core = sys.modules["PySide6.QtCore"]
    here = core.QThread.currentThread()
    found = Counter(
        f"window {type(window).__name__} {window.windowTitle()!r}"
        for window in widgets.QApplication.topLevelWidgets()
        if window.isVisible()
    )
    kinds = (core.QTimer, core.QThread)
    for one in gc.get_objects():
        if not isinstance(one, kinds):
            continue
        try:
            if isinstance(one, core.QTimer) and one.isActive():
                found[f"timer of {type(one.parent()).__name__}, every {one.interval()} ms"] += 1
            elif isinstance(one, core.QThread) and one.isRunning() and one is not here:
                found[f"QThread {one.objectName()!r}"] += 1
        except RuntimeError:  # Qt has deleted it already
            continue
    return found


def _let_qt_finish() -> None:
    if (widgets := sys.modules.get("PySide6.QtWidgets")) is not None and widgets.QApplication.instance():
        widgets.QApplication.sendPostedEvents(None, sys.modules["PySide6.QtCore"].QEvent.Type.DeferredDelete)
        widgets.QApplication.processEvents()
