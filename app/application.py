"""The QApplication around the window: environment, signals, start order, and a clean end."""

from __future__ import annotations

import gc
import importlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING

from PySide6.QtCore import QBuffer, QIODevice, QObject, QSocketNotifier, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QScreen
from PySide6.QtWidgets import QApplication

from app.environment import qt_environment
from app.launch import Launch
from app.start.recent import RecentItems
from app.widgets import theme
from app.widgets.task import Task
from app.window import Window
from engine.faults import Fault, FaultCode, fault_of
from engine.files.whole import write_bytes, write_json
from engine.sources.base import SourceSpec

if TYPE_CHECKING:
    from engine.live.pipeline import Pipeline

EXIT_OK, EXIT_INPUT = 0, 2
# Everything that start-up made stays for ever: the collector need not look at it during the video.
FREEZE_AFTER_MS = 3000
UNUSABLE = {FaultCode.SOURCE_MISSING, FaultCode.SOURCE_UNREADABLE, FaultCode.ARGUMENT}
OWN_THREADS = "polyplive-"
SCALE_VARIABLE = "QT_SCALE_FACTOR"


def make_application() -> QApplication:
    """The one QApplication, in the project's theme."""
    qt_environment(os.environ)
    QGuiApplication.setHighDpiScaleFactorRoundingPolicy(Qt.HighDpiScaleFactorRoundingPolicy.PassThrough)
    application = QApplication(["polyplive"])
    if (scale := _missing_scale(application.primaryScreen())) > 1.0:
        # Qt takes a scale only at birth.
        application.shutdown()
        os.environ[SCALE_VARIABLE] = f"{scale:g}"
        application = QApplication(["polyplive"])
    application.setApplicationName("polyplive")
    application.setDesktopFileName("polyplive")
    theme.apply(application)
    return application


def _missing_scale(screen: QScreen) -> float:
    """How much larger everything must be on a screen of many lines whose desktop does not scale at all.

    A desktop that scales, and whoever sets QT_SCALE_FACTOR, knows better.
    """
    if SCALE_VARIABLE in os.environ or screen.devicePixelRatio() != 1.0:
        return 1.0
    lines = screen.size().height()
    return round(lines / theme.REFERENCE_LINES * 4) / 4 if lines >= theme.UNSCALED_LINES else 1.0


def run(launch: Launch) -> int:
    """Show the window until it is closed. Returns the exit code."""
    application = make_application()
    session = _Session(launch)
    with _quit_on_signals(session.window.close), _bugs_as_faults(session.window):
        application.exec()
    _leave_what_is_stuck(session.exit_code)
    return session.exit_code


def _leave_what_is_stuck(exit_code: int) -> None:
    """End at once where a thread of ours is still in a compiler or driver.

    Nobody can stop it there, and libraries that are taken down under it end the process by a signal. All that
    is to be kept has been written: the window's closing waits for it.
    """
    if any(thread.name.startswith(OWN_THREADS) for thread in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(exit_code)


class _Session(QObject):
    """One run: the window first, then what is slow to import, then the source and the model."""

    def __init__(self, launch: Launch) -> None:
        super().__init__()
        self.exit_code = EXIT_OK
        self._launch = launch
        self._asked: SourceSpec | None = None
        self._reviewed: tuple[Path, ...] = ()
        self._pipeline: Pipeline | None = None
        self.window = Window(launch, RecentItems())
        self.window.opening.decode = launch.options.decode
        self.window.closing.connect(self._before_closing)
        if launch.source is not None:
            self.window.opening.failed_at_once.connect(self._source_failed)
            self.window.opening.first_picture.connect(self._source_shown)
            self.window.opening.open(launch.source, launch.options)
            self._asked = self.window.opening.spec
        self.window.review.use(launch.options)
        if launch.review:
            self.window.review.faulted.connect(self._review_failed)
            self.window.review.shown.connect(self._review_shown)
            self._reviewed = tuple(path.absolute() for path in launch.review)
            self.window.places.open_paths(launch.review)
        self.window.show()
        if launch.full_screen:
            self.window.full_screen.enter()
        if launch.quit_after_s is not None:
            QTimer.singleShot(round(launch.quit_after_s * 1000), self.window.close)
        # cv2 and pydantic beside the window's first painting, not before it.
        self._import = Task("pipeline", lambda: importlib.import_module("engine.live.pipeline"), self)
        self._import.done.connect(self._attach)
        self._import.failed.connect(self.window.tell)
        self._import.start()
        QTimer.singleShot(FREEZE_AFTER_MS, gc.freeze)

    def _attach(self, module: ModuleType) -> None:
        self._pipeline = module.Pipeline(self.window.bridge.ring)
        self.window.attach(self._pipeline)

    def _source_failed(self, fault: Fault) -> None:
        """Said where the command was typed; the window stays, with the reason and a way on."""
        if self.window.opening.spec == self._asked:  # another one's failure belongs to the window
            self._fail(fault)

    def _source_shown(self) -> None:
        self._asked = None
        self.exit_code = EXIT_OK

    def _review_failed(self, fault: Fault) -> None:
        """What is wrong with its side-car or its analysis is said in the window, where the video goes on."""
        if fault.code in UNUSABLE and self.window.review.paths == self._reviewed:
            self._fail(fault)

    def _review_shown(self, *_: object) -> None:
        self._reviewed = ()
        self.exit_code = EXIT_OK

    def _fail(self, fault: Fault) -> None:
        if self.exit_code != EXIT_OK:
            return  # said already
        print(fault.sentence, file=sys.stderr, flush=True)
        self.exit_code = EXIT_INPUT
        if self._launch.quit_after_s is not None:  # a smoke test: nobody looks
            self.window.close()

    def _before_closing(self) -> None:
        self._import.forget()
        if self._launch.quit_after_s is not None:
            self._tell_silence()
        if self.exit_code != EXIT_OK:
            return
        try:
            if self._launch.screenshot is not None:
                write_bytes(self._launch.screenshot, _png_of(self.window))
            if self._launch.stats is not None and self._pipeline is not None:
                report = self._pipeline.run_report()
                picture_px = self.window.operator.canvas.picture_px()
                write_json(
                    self._launch.stats,
                    report | {"window_at_s": self.window.painted_at_s, "picture_px": picture_px},
                )
        except OSError as error:
            print(f"The file cannot be written ({error}). Choose another place.", file=sys.stderr)
            self.exit_code = EXIT_INPUT

    def _tell_silence(self) -> None:
        """A live source is tried to the end of a timed run; one that gave no picture at all has failed."""
        if self._pipeline is None or self._asked is None or self.window.opening.spec != self._asked:
            return
        if (faults := self._pipeline.snapshot().faults) and self.exit_code == EXIT_OK:
            print(faults[-1].sentence, file=sys.stderr, flush=True)
            self.exit_code = EXIT_INPUT


def _png_of(window: Window) -> bytes:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    window.grab().save(buffer, "PNG")
    return bytes(buffer.data().data())


@contextmanager
def _bugs_as_faults(window: Window) -> Iterator[None]:
    """An error of our own in a handler is logged and told; the window and the video go on."""
    before = sys.excepthook

    def tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if isinstance(error, Exception):
            window.tell(fault_of(error.with_traceback(trace), "window"))
        else:
            before(kind, error, trace)

    sys.excepthook = tell
    try:
        yield
    finally:
        sys.excepthook = before


@contextmanager
def _quit_on_signals(close: Callable[[], object]) -> Iterator[None]:
    """Ctrl-C and SIGTERM close the window as its own button does.

    Python looks at signals between two of its own instructions; inside Qt's loop there are none. The byte
    that the interpreter writes into a socket wakes it up.
    """
    reading, writing = socket.socketpair()
    reading.setblocking(False)
    writing.setblocking(False)
    notifier = QSocketNotifier(reading.fileno(), QSocketNotifier.Type.Read)
    notifier.activated.connect(lambda: reading.recv(64))
    wakeup_before = signal.set_wakeup_fd(writing.fileno())
    wanted = (signal.SIGINT, signal.SIGTERM)
    before = {one: signal.signal(one, lambda *_: QTimer.singleShot(0, close)) for one in wanted}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
        signal.set_wakeup_fd(wakeup_before)
        notifier.setEnabled(False)
        reading.close()
        writing.close()
