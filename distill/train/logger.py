"""What a training says while it runs."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Mapping
from typing import Any

import torch
from tqdm import tqdm

from distill.teaching.gates import fair_gradient
from distill.train.checkpoint import Progress
from distill.train.memory import MIB
from distill.train.report import add_epoch
from distill.train.schedule import Place
from distill.train.step import StepResult, Trainer
from engine.files.whole import write_bytes
from engine.jobs.events import RunFolder
from engine.jobs.folder import sample_of

HEARTBEAT_S = 2.0  # a job that says nothing for 15 s counts as interrupted
RECENT_STEPS = 50  # the time left follows from their median


class RunLogger:
    """Events, bar, figures and pictures of a run; the bar is that of the first process."""

    def __init__(
        self, run: RunFolder, trainer: Trainer, steps: int, first: int, part: str | None = None
    ) -> None:
        """`first` of `steps` steps are done; `part` is added to the events of a run that has several."""
        self.run = run
        self.part = {} if part is None else {"part": part}
        self.bar = tqdm(
            total=steps,
            initial=first,
            unit="step",
            desc=part,
            smoothing=0.05,
            disable=not trainer.accelerator.is_main_process,
        )
        self._trainer = trainer
        self._steps = steps
        self._stage = ""
        self._said_s = self._step_s = time.monotonic()
        self._recent_s: list[float] = []
        self._progress = Progress(step=first)

    def stage(self, place: Place, phase: str) -> None:
        """Says when another epoch or phase begins."""
        name = f"epoch {place.epoch + 1}: {phase}"
        if name != self._stage:
            self._stage = name
            self.run.event("stage", name=name, i=place.epoch, of=self._trainer.recipe.epochs, phase=phase)

    def step(self, progress: Progress, found: StepResult) -> None:
        now_s = time.monotonic()
        self._recent_s = [*self._recent_s[1 - RECENT_STEPS :], now_s - self._step_s]
        self._step_s = now_s
        self._progress = progress
        self.bar.set_postfix_str(f"{self._stage}, loss {found.loss:.3f}", refresh=False)
        self.bar.update()
        if found.gradient_ratio is not None and math.isfinite(found.gradient_ratio):
            self.gradient(found.gradient_ratio)
        self.beat()

    def gradient(self, ratio: float) -> None:
        """Gate G5: a figure, and a warning where it is not passed."""
        self.run.event("metric", name="gradient_ratio", value=_short(ratio), step=self._progress.step)
        verdict = fair_gradient(ratio)
        if not verdict.passed:
            self.run.event("warn", text=verdict.sentence)

    def beat(self) -> None:
        """A sign of life, at most one in two seconds."""
        now_s = time.monotonic()
        if now_s - self._said_s >= HEARTBEAT_S:
            self._said_s = now_s
            done, eta_s = self._progress.step, self._eta_s()
            self.run.event("heartbeat", done=done, total=self._steps, unit="step", eta_s=eta_s, **self.part)

    def epoch(
        self,
        place: Place,
        progress: Progress,
        found: StepResult,
        mean_loss: float,
        dice: float,
        watch: dict[str, float],
    ) -> None:
        """The epoch's figures: an event, a row, the curves."""
        row: dict[str, Any] = {
            "epoch": place.epoch,
            "step": progress.step,
            "phase": self._stage.partition(": ")[2],
            "losses": {"mean": _short(mean_loss), **_all_short(found.parts)},
            "dice": _short(dice),
            "lr": max(group["lr"] for group in self._trainer.optimiser.param_groups),
            "share_scale": progress.share_scale,
            "teachers": _all_short(found.watch),
            "teachers_validation": _all_short(watch),
        }
        add_epoch(self.run.path, row)
        self.run.event("epoch", **row, eta_s=self._eta_s(), gpu_mb=_gpu_mib())
        self.bar.write(f"{self._stage}: loss {mean_loss:.3f}, validation Dice {dice:.4f}")
        self._step_s = time.monotonic()  # what follows is no step

    def samples(self, place: Place, sheet: bytes) -> None:
        """The contact sheet of the epoch, a PNG."""
        name = sample_of(place.epoch)
        write_bytes(self.run.path / name, sheet)
        self.run.event("sample", png=str(name), epoch=place.epoch)

    def _eta_s(self) -> int | None:
        """From the median step: a pause does not spoil it."""
        if not self._recent_s:
            return None
        return round(statistics.median(self._recent_s) * (self._steps - self._progress.step))


def _all_short(values: Mapping[str, float]) -> dict[str, float]:
    return {name: _short(value) for name, value in values.items()}


def _short(value: float) -> float:
    return float(f"{value:.5g}")


def _gpu_mib() -> int | None:
    return torch.cuda.max_memory_allocated() // MIB if torch.cuda.is_available() else None
