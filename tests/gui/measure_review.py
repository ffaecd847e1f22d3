"""What a person waits for in the window of a review, of two hours and, for the sliders, of 20 minutes:

    python -m tests.gui.measure_review CLIP

The clip's own frames again and again, in video and side-car; times are those of pictures that were painted.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, QEventLoop, QObject, QTimer
from PySide6.QtWidgets import QApplication, QWidget

from app.launch import Launch
from app.start.recent import RecentItems
from app.widgets import theme
from app.window import Window
from engine.bench.long_recordings import Layout, lengthened
from engine.bench.timing import percentiles
from engine.files.whole import HOME_VARIABLE, user_data
from engine.jobs.events import RunFolder
from engine.live.pipeline import Pipeline
from engine.model_folder import default_model, load_model_folder
from engine.review.analysis import analyse_into, begin, run_folder, spec_of
from engine.review.places import Places
from engine.review.store import open_side_car

LONG, SHORT, SIXTH = 120, 20, 5  # minutes; and how much longer the rest is than what has findings
MOVES, NOTCHES, PATIENCE_S = 40, 60, 60.0


def long_video(clip: Path, path: Path, minutes: int) -> Path:
    """Of 30 Hz: the clip encoded once, and its packets again and again."""
    once = path.with_suffix(".once.mp4")
    small = ["-c:v", "libx264", "-crf", "32", "-preset", "veryfast", "-g", "250", "-r", "30"]
    run = ["ffmpeg", "-v", "error", "-y"]
    subprocess.run([*run, "-i", str(clip), *small, str(once)], check=True)
    loop = ["-stream_loop", "-1", "-i", str(once), "-t", str(minutes * 60), "-c", "copy"]
    subprocess.run([*run, *loop, str(path)], check=True)
    return path


def until(is_so: Callable[[], bool]) -> float:
    """Seconds until it is so, with the loop running."""
    began_s, beat = time.perf_counter(), QTimer()
    beat.start(2)  # it is looked that often, and slept between
    while not is_so():
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
        assert time.perf_counter() - began_s < PATIENCE_S
    return time.perf_counter() - began_s


class Paints(QObject):
    """Counts what widgets paint."""

    def __init__(self, *widgets: QWidget) -> None:
        super().__init__()
        self.count = 0
        for one in widgets:
            one.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.count += event.type() is QEvent.Type.Paint
        return False


@contextmanager
def longest_block_ms(found: dict[str, Any], name: str) -> Iterator[None]:
    """How late a timer of 5 ms ever was."""
    timer, last, worst = QTimer(), [time.perf_counter()], [0.0]

    def beat() -> None:
        now_s = time.perf_counter()
        worst[0] = max(worst[0], now_s - last[0])
        last[0] = now_s

    timer.timeout.connect(beat)
    timer.start(5)
    yield
    timer.stop()
    found[name] = round(worst[0] * 1000)


def measured(clip: Path, folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    model = load_model_folder(default_model())
    with open_side_car([clip], Places(folder / "short", beside=False)) as car:
        analysis = begin(car, model)
        analyse_into(car.database, analysis, spec_of(car), RunFolder(run_folder(car.folder, analysis.id)))
        for minutes in (LONG, SHORT):
            video = long_video(clip, folder / f"{minutes}.mp4", minutes)
            lengthened(car, analysis, Layout(minutes, SIXTH), user_data() / "library", video)
    window = Window(Launch(), RecentItems(folder / "recent.json"))
    window.resize(1920, 1080)
    window.show()
    window.attach(Pipeline(window.bridge.ring))
    for figures in ({}, found):  # when it was analysed, its packets were counted
        _open(figures, window, folder / f"{LONG}.mp4", LONG)
    page = window.review.reviewing.page
    _scrub(found, page)
    _zoom(found, page)
    _open({}, window, folder / f"{SHORT}.mp4", SHORT)
    _slide(found, window.review.reviewing)
    _analyse(found, window, Path(shutil.copy(clip, folder / "fresh.mp4")))
    window.close()
    return found


def _open(found: dict[str, Any], window: Window, video: Path, minutes: int) -> None:
    """Until there is a picture, a list, and a frame from the middle."""
    place = window.review
    place.close_review()
    began_s, used_s = time.perf_counter(), time.process_time()
    window.places.open_path(video)
    until(lambda: place.reviewing is not None and place.reviewing.page.canvas.presentation is not None)
    found["open_2h_picture_s"] = round(time.perf_counter() - began_s, 2)
    desk = place.reviewing
    page = desk.page
    until(lambda: desk.known is not None and bool(page.panel.rows) and bool(page.timeline.content.bars))
    found["open_2h_rows_s"] = round(time.perf_counter() - began_s, 2)
    found["open_2h_rows_cpu_s"] = round(time.process_time() - used_s, 2)
    middle_s = minutes * 30.0
    desk.opened.pipeline.seek(middle_s)
    until(lambda: page.canvas.presentation.frame.pts_s > middle_s - 1.0)
    found["open_2h_usable_s"] = round(time.perf_counter() - began_s, 2)
    found["open_2h_usable_cpu_s"] = round(time.process_time() - used_s, 2)


def _analyse(found: dict[str, Any], window: Window, clip: Path) -> None:
    """The loop while a recording is analysed by a process beside it, from when it is shown to its end."""
    place = window.review
    place.close_review()
    window.places.open_path(clip)
    until(lambda: place.reviewing is not None and place.reviewing.known is not None)
    with longest_block_ms(found, "analysis_longest_block_ms"):
        until(lambda: place.reviewing.known.progress.is_done)


def _scrub(found: dict[str, Any], page: QWidget) -> None:
    rng, paints = np.random.default_rng(3), Paints(page.stand_in, page.canvas)
    first, last, cpu = [], [], []
    for _ in range(MOVES):
        at_s = float(rng.uniform(0, LONG * 60))
        began_s, painted, used_s = time.perf_counter(), paints.count, time.process_time()
        page.timeline.drag_to(at_s)
        until(lambda painted=painted: paints.count > painted)
        first.append((time.perf_counter() - began_s) * 1000)
        cpu.append((time.process_time() - used_s) * 1000)
        until(lambda at_s=at_s: abs(page.canvas.presentation.frame.pts_s - at_s) < 0.1)
        last.append((time.perf_counter() - began_s) * 1000)
    found["scrub_picture_ms"] = percentiles(first)
    found["scrub_picture_cpu_ms"] = percentiles(cpu)
    found["scrub_exact_ms"] = percentiles(last)


def _zoom(found: dict[str, Any], page: QWidget) -> None:
    timeline, rng = page.timeline, np.random.default_rng(3)
    timeline.fit()
    until(lambda: timeline.seen[1] > LONG * 59)
    paints = Paints(timeline._plot.viewport())
    times, cpu = [], []
    for number in range(NOTCHES):
        first, last = timeline.seen
        at_s = first + (last - first) * float(rng.uniform(0.3, 0.7))
        by = 0.8 if number % 20 < 10 else 1.25
        began_s, painted, used_s = time.perf_counter(), paints.count, time.thread_time()
        timeline.see(at_s - (at_s - first) * by, at_s + (last - at_s) * by)
        until(lambda painted=painted: paints.count > painted)
        times.append((time.perf_counter() - began_s) * 1000)
        cpu.append((time.thread_time() - used_s) * 1000)
    found["zoom_frame_ms"] = percentiles(times)
    found["zoom_cpu_ms"] = percentiles(cpu)


def _slide(found: dict[str, Any], desk: QObject) -> None:
    """From a slider that moved to the first new rows, and to all of them."""
    points, panel = desk._points, desk.page.panel
    came: list[float] = []
    points._remaking.made.connect(lambda _: came.append(time.perf_counter()))
    for name, changes in (("threshold", {"threshold": 0.4}), ("peak", {"hit_peak": 0.9})):
        came.clear()
        point = replace(points._point, **changes)
        with longest_block_ms(found, f"slider_{name}_longest_block_ms"):
            began_s, used_s = time.perf_counter(), time.process_time()
            gui_s = time.thread_time()
            panel.point_chosen.emit(point)
            until(lambda: bool(came))
            found[f"slider_{name}_first_s"] = round(came[0] - began_s, 2)
            until(lambda: bool(came) and not points.is_busy)
            found[f"slider_{name}_all_s"] = round(time.perf_counter() - began_s, 2)
            found[f"slider_{name}_cpu_s"] = round(time.process_time() - used_s, 2)
            found[f"slider_{name}_window_cpu_s"] = round(time.thread_time() - gui_s, 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clip", type=Path)
    asked = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory() as name:
        os.environ[HOME_VARIABLE] = str(Path(name) / "home")
        app = QApplication([])
        theme.apply(app)
        print(json.dumps(measured(asked.clip, Path(name)), indent=1))


if __name__ == "__main__":
    main()
