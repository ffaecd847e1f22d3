"""Rolling percentiles and counts of what the pipeline does."""

from __future__ import annotations

import os
import sys
import threading
from collections import deque
from pathlib import Path

import numpy as np

from engine.types import Presentation, StageStats, Stats

WINDOW_S = 5.0
WARM_UP_S = 2.0  # left out of the report of a whole run: caches, first allocations
_BIN_MS = 0.1
_BINS = 20_000  # up to 2 s; later ones count as 2 s


class Histogram:
    """Percentiles of any number of durations in constant memory, to 0.1 ms."""

    def __init__(self) -> None:
        self._counts = np.zeros(_BINS, np.int64)

    def add(self, value_ms: float) -> None:
        self._counts[min(max(int(value_ms / _BIN_MS), 0), _BINS - 1)] += 1

    def __len__(self) -> int:
        return int(self._counts.sum())

    def percentile_ms(self, percent: float) -> float:
        """The upper edge of the bin that holds the percentile; NaN when empty."""
        total = int(self._counts.sum())
        if total == 0:
            return float("nan")
        rank = int(np.ceil(total * percent / 100.0))
        return float((int(np.searchsorted(np.cumsum(self._counts), rank)) + 1) * _BIN_MS)


class StatsRecorder:
    """Collects durations by stage and paints; safe from any thread.

    A frame counts as dropped when its number is missing between two paints of one seek; as covered when it
    was painted with a mask, and as masked when with its own.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Start anew: a new source."""
        with self._lock:
            self._recent: dict[str, deque[tuple[float, float]]] = {}
            self._whole: dict[str, Histogram] = {}
            self._first_paint_s: float | None = None
            self._first_masked_s: float | None = None
            self._last_shown_s: float | None = None
            self._last: tuple[int, int] | None = None  # number, seek_serial of the last painted frame
            self._last_covered = self._last_masked = -1
            self._shown_at: deque[float] = deque()
            self._shown = self._covered = self._masked = self._dropped = 0
            self._warm = (0, 0, 0, 0)

    def add(self, stage: str, value_ms: float, now_s: float) -> None:
        with self._lock:
            self._add(stage, value_ms, now_s)

    def painted(self, presentation: Presentation, start_s: float, end_s: float) -> None:
        """A presentation has reached the screen (end of paint)."""
        frame = presentation.frame
        own_mask = presentation.result is not None and presentation.result.number == frame.number
        due_to_painted_ms = (end_s - frame.due_s) * 1000.0
        with self._lock:
            if self._first_paint_s is None:
                self._first_paint_s = end_s
            elif not self._is_warm(end_s):
                self._warm = (self._shown, self._covered, self._masked, self._dropped)
            self._add("paint", (end_s - start_s) * 1000.0, end_s)
            if self._last is None or self._last[0] < frame.number:
                if self._last is not None and self._last[1] == frame.seek_serial:
                    self._dropped += frame.number - self._last[0] - 1
                self._last = (frame.number, frame.seek_serial)
                self._shown += 1
                self._shown_at.append(end_s)
                self._last_shown_s = end_s
                self._add("due to painted", due_to_painted_ms, end_s)
            if presentation.mask_age_s is not None and frame.number > self._last_covered:
                self._last_covered = frame.number
                self._covered += 1
                self._add("mask age", presentation.mask_age_s * 1000.0, end_s)
            if own_mask and frame.number > self._last_masked:
                self._last_masked = frame.number
                self._masked += 1
                self._first_masked_s = self._first_masked_s or end_s
                self._add("due to mask painted", due_to_painted_ms, end_s)

    def current(self, now_s: float) -> Stats:
        """Percentiles and the rate over the last few seconds, counts since `reset`.

        While no new frame is shown the percentiles stay as they were: a paused recording was as fast
        as it was. The rate is of now.
        """
        with self._lock:
            stages = []
            as_of_s = now_s if self._last_shown_s is None else self._last_shown_s
            for name, samples in self._recent.items():
                _forget(samples, as_of_s)
                if samples:
                    values = np.fromiter((value for _, value in samples), np.float64, len(samples))
                    p50, p95 = np.percentile(values, (50, 95))
                    stages.append(StageStats(name, float(p50), float(p95), len(samples)))
            times = self._shown_at
            while times and now_s - times[0] > WINDOW_S:
                times.popleft()
            shown_hz = (len(times) - 1) / (times[-1] - times[0]) if len(times) > 2 else 0.0
            return Stats(tuple(stages), shown_hz, self._shown, self._masked, self._dropped)

    def report(self) -> dict[str, object]:
        """The whole run without its first two seconds, for `engine.bench`. `_at_s` is `time.monotonic()`."""
        with self._lock:
            counts = (self._shown, self._covered, self._masked, self._dropped)
            shown, covered, masked, dropped = (
                now - warm for now, warm in zip(counts, self._warm, strict=True)
            )
            first_paint_s, first_masked_s = self._first_paint_s, self._first_masked_s
            stages = {
                name: {f"p{percent}_ms": histogram.percentile_ms(percent) for percent in (50, 95, 99)}
                for name, histogram in self._whole.items()
            }
        return {
            "painted": shown,
            "covered_share": covered / shown if shown else 0.0,
            "masked_share": masked / shown if shown else 0.0,
            "dropped": dropped,
            "stages": stages,
            "first_painted_at_s": first_paint_s,
            "first_masked_at_s": first_masked_s,
            "rss_mb": rss_mb(),
        }

    def _is_warm(self, now_s: float) -> bool:
        return self._first_paint_s is not None and now_s - self._first_paint_s > WARM_UP_S

    def _add(self, stage: str, value_ms: float, now_s: float) -> None:
        samples = self._recent.setdefault(stage, deque())
        samples.append((now_s, value_ms))
        _forget(samples, now_s)
        if self._is_warm(now_s):
            self._whole.setdefault(stage, Histogram()).add(value_ms)


def _forget(samples: deque[tuple[float, float]], now_s: float) -> None:
    while samples and now_s - samples[0][0] > WINDOW_S:
        samples.popleft()


def rss_mb() -> float:
    """Resident memory of this process, MB: now on Linux, the peak elsewhere."""
    if sys.platform.startswith("linux"):
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
    if sys.platform == "win32":
        return float("nan")
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
