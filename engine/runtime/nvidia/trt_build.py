"""A TensorRT engine for a model: from the cache, refitted or built; taken only when its masks match."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from engine.faults import FaultCode, FaultError
from engine.files.whole import write_bytes
from engine.model_folder import ModelFolder
from engine.runtime.auto.difference import Difference
from engine.runtime.auto.parity import compare_maps, is_same
from engine.runtime.cache import EngineCache, Stored, cache_folder
from engine.runtime.nvidia.fused import LAYOUTS, PRECISIONS, Fused
from engine.runtime.nvidia.lane import Lane
from engine.runtime.nvidia.trt_types import check_types
from engine.runtime.seal import make_private
from engine.runtime.student import load_student
from engine.types import U8, Size

log = logging.getLogger(__name__)

BLOB = "engine.pt2"
TIMING_CACHE = "timing.cache"
ASIDE_PREFIX = ".building-"
LEFT_S = 24 * 3600.0

Stage = Callable[[str], None]
Report = Callable[[Difference, str], None]


class Calls(Protocol):
    """`engine.runtime.nvidia.trt_calls`, as a type."""

    def versions(self) -> dict[str, str]: ...
    def export(self, network: nn.Module, pixels: Tensor) -> ExportedProgram: ...
    def compile(
        self, program: ExportedProgram, pixels: Tensor, timing_cache: Path, logs: Path
    ) -> nn.Module: ...
    def layer_info(self, compiled: nn.Module) -> list[str]: ...
    def refit(self, compiled: nn.Module, program: ExportedProgram, pixels: Tensor) -> nn.Module: ...
    def save(self, compiled: nn.Module, path: Path, pixels: Tensor) -> None: ...
    def load(self, path: Path) -> nn.Module: ...


@dataclass(frozen=True, slots=True)
class Built:
    """An engine that runs. `layout`: one of LAYOUTS; `origin`: "cached", "refitted" or "compiled"."""

    module: nn.Module
    layout: str
    origin: str


@dataclass(frozen=True, slots=True)
class Judge:
    """Frames and what the exact network says of them; `threshold` makes masks of it."""

    frames: Sequence[U8]
    exact: Sequence[U8]
    threshold: float

    def __call__(self, lane: Lane) -> Difference:
        said = (lane.run(frame) for frame in self.frames)
        return compare_maps(zip(self.exact, said, strict=True), self.threshold)


def cache() -> EngineCache:
    """This user's engines. Few: they are large, and one a model and GPU is in use."""
    return EngineCache(cache_folder("tensorrt"), kept=8, blob=BLOB)


class Builder:
    """Makes the engine of one model on one device; the unfinished lies in a hidden folder of the cache."""

    def __init__(
        self,
        model: ModelFolder,
        facts: Mapping[str, Any],
        calls: Calls,
        device: torch.device,
        engines: EngineCache,
        *,
        stage: Stage = lambda name: None,
        report: Report = lambda difference, layout: None,
    ) -> None:
        card = model.card
        self._model = model
        self._facts = facts
        self._calls = calls
        self._device = device
        self._engines = engines
        self._stage = stage
        self._report = report
        self._size = Size(card.input.width_px, card.input.height_px)
        self._pixels = torch.zeros(
            (1, self._size.height_px, self._size.width_px, 3), dtype=torch.uint8, device=device
        )

    def cached(self) -> Built | None:
        """The engine that was stored for these facts, if it still loads."""
        stored = self._engines.find(self._facts)
        if stored is None:
            return None
        try:
            return Built(self._calls.load(stored.path), _layout(stored), "cached")
        except Exception as error:  # what torch_tensorrt raises is not documented
            log.info("TensorRT does not take the stored engine of %s (%s)", self._model.id, error)
            self._engines.forget(self._facts)
            return None

    def make(self, frames: Sequence[U8], folder: Path) -> Built:
        """Refit an engine of the same student, else build one; store it. `folder`: where the cache is.

        Raises FaultError MODEL_LOAD when TensorRT builds none whose masks are those of the exact network.
        """
        judge = self._judge(frames)
        make_private(folder)
        _sweep(folder)
        aside = Path(tempfile.mkdtemp(prefix=aside_prefix(os.getpid()), dir=folder))
        try:
            return self._refitted(judge, aside) or self._compiled(judge, aside, folder)
        finally:
            shutil.rmtree(aside, ignore_errors=True)

    def compare(self, built: Built, frames: Sequence[U8]) -> Difference:
        """How near the engine's masks are to those of the exact network."""
        return self._judge(frames)(self._lane(built.module))

    def _judge(self, frames: Sequence[U8]) -> Judge:
        self._stage("reference")
        return Judge(frames, self._exact(frames), self._model.card.presets["standard"].threshold)

    def _exact(self, frames: Sequence[U8]) -> list[U8]:
        lane = self._lane(Fused(load_student(self._model), self._model.card, "f32").to(self._device))
        return [lane.run(frame) for frame in frames]

    def _refitted(self, judge: Judge, aside: Path) -> Built | None:
        for other in self._engines.apart_from(self._facts, "weights"):
            stored = self._engines.find(other)
            if stored is None:
                continue
            layout = _layout(stored)
            self._stage("refit")
            try:
                loaded = self._calls.load(stored.path)
                compiled = self._calls.refit(loaded, self._exported(layout), self._pixels)
                return self._accepted(compiled, layout, "refitted", judge, aside)
            except Exception as error:  # as above; a build needs minutes more and no luck
                log.info("the engine of %s is built anew, not refitted: %s", self._model.id, error)
                return None
        return None

    def _compiled(self, judge: Judge, aside: Path, folder: Path) -> Built:
        timing_cache = aside / TIMING_CACHE
        with suppress(OSError):
            shutil.copyfile(folder / TIMING_CACHE, timing_cache)
        failed: FaultError | None = None
        for layout in PRECISIONS[self._facts["precision"]]:
            try:
                program = self._exported(layout)
                self._stage(f"compile {layout}")
                compiled = self._calls.compile(program, self._pixels, timing_cache, aside)
                check_types(self._calls.layer_info(compiled), layout)
                built = self._accepted(compiled, layout, "compiled", judge, aside)
            except Exception as error:  # as above
                failed = error if isinstance(error, FaultError) else self._refused(error)
                log.info("%s in %s: %s", self._model.id, layout, failed)
            else:
                with suppress(OSError):  # the next build only takes longer
                    write_bytes(folder / TIMING_CACHE, timing_cache.read_bytes())
                return built
        assert failed is not None  # every precision has a layout
        raise failed

    def _refused(self, error: Exception) -> FaultError:
        return FaultError(
            FaultCode.MODEL_LOAD,
            expected=f"TensorRT to compile {self._model.id}",
            got=next(iter(str(error).splitlines()), type(error).__name__),
            remedy="choose the runtime cuda",
            detail=repr(error),
        )

    def _accepted(self, compiled: nn.Module, layout: str, origin: str, judge: Judge, aside: Path) -> Built:
        """Saved, loaded again as it will be at every start, compared, stored."""
        self._stage("parity")
        path = aside / BLOB
        self._calls.save(compiled, path, self._pixels)
        module = self._calls.load(path)
        difference = judge(self._lane(module))
        self._report(difference, layout)
        if not is_same(difference, layout):
            raise FaultError(
                FaultCode.MODEL_LOAD,
                expected=f"a TensorRT engine of {self._model.id} with the masks of the exact network",
                got=f"Dice {difference.pooled_dice:.4f} between them in {layout}",
                remedy="choose the runtime cuda, or --precision f32",
            )
        self._engines.store(
            self._facts, path.read_bytes(), {"layout": layout, "origin": origin, "parity": asdict(difference)}
        )
        return Built(module, layout, origin)

    def _exported(self, layout: str) -> ExportedProgram:
        self._stage(f"export {layout}")
        fused = Fused(load_student(self._model), self._model.card, layout).eval().to(self._device)
        return self._calls.export(fused, self._pixels)

    def _lane(self, network: Callable[[Tensor], Tensor]) -> Lane:
        return Lane(network, self._size, self._device, graph=False)


def aside_prefix(pid: int) -> str:
    """How the folders start in which a process has its unfinished engines."""
    return f"{ASIDE_PREFIX}{pid}-"


def _sweep(folder: Path) -> None:
    """Remove what a build left that was killed; one that may still be running is younger."""
    for left in folder.glob(f"{ASIDE_PREFIX}*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > LEFT_S:
                shutil.rmtree(left, ignore_errors=True)


def _layout(stored: Stored) -> str:
    return str(stored.notes.get("layout", LAYOUTS[0]))
