"""`python -m engine.runtime.auto.measure [MODEL]`: measure what could execute a model here, keep the fastest.

The window starts it by itself, at the lowest priority, while nothing plays; `auto` then is what came of it.
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from engine.faults import FaultCode, FaultError
from engine.jobs.ended import INPUT_UNUSABLE, OK
from engine.jobs.process import end_with_parent, give_way
from engine.model_folder import ModelFolder, load_model_folder
from engine.model_in_use import named_or_in_use
from engine.runtime import RUNTIMES
from engine.runtime.auto.choice import Candidate, Choice, Row, choice_facts, fastest, store_choice
from engine.runtime.auto.frames import stored_frames
from engine.runtime.auto.parity import compare_runtimes
from engine.runtime.base import Runtime, RuntimeOptions
from engine.runtime.host import default_threads, physical_cores
from engine.runtime.nvidia.gpu import nvidia_gpus
from engine.runtime.openvino import CPU, choose_precision, devices
from engine.table import load_named
from engine.types import U8, Size

ROUNDS = 6
FRAMES_A_ROUND = 6
EXACT = Candidate("openvino", "f32")

Open = Callable[[Candidate], Runtime]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, keep. 0: a choice is stored, 2: nothing runs the model here."""
    parser = argparse.ArgumentParser(prog="python -m engine.runtime.auto.measure", description=__doc__)
    parser.add_argument("model", nargs="?", help="a model's name or folder (default: the one in use)")
    parser.add_argument("--frames", type=Path, metavar="FOLDER", help="pictures (default: demonstration)")
    parser.add_argument("--background", action="store_true", help="at the lowest priority")
    options = parser.parse_args(arguments)
    end_with_parent()
    if options.background:
        give_way()
    try:
        model = load_model_folder(named_or_in_use(options.model))
        size = Size(model.card.input.width_px, model.card.input.height_px)
        choice = measured(model, candidates_here(model), stored_frames(size, options.frames))
        path = store_choice(choice_facts(model), choice)
    except FaultError as error:
        print(error, file=sys.stderr)
        return INPUT_UNUSABLE
    except OSError as error:
        print(f"It was not possible to keep the choice: {error}. Free the cache folder.", file=sys.stderr)
        return INPUT_UNUSABLE
    print(table(choice))
    print(f"auto: {_name(choice.chosen)} for {model.id} ({path})")
    return OK


def candidates_here(model: ModelFolder) -> list[Candidate]:
    """What may be worth measuring on this machine."""
    return candidates(
        devices(),
        has_int8=model.int8 is not None,
        threads=default_threads(),
        cores=physical_cores(),
        has_gpu=bool(nvidia_gpus()),
        has_mps=platform.system() == "Darwin" and platform.machine() == "arm64",
    )


def usual_here(model: ModelFolder) -> Candidate:
    """What `auto` stands for until something has been measured."""
    precision = choose_precision(
        "auto", has_bf16="BF16" in devices().get(CPU, ()), has_int8=model.int8 is not None
    )
    return Candidate("openvino", precision, default_threads())


def candidates(
    there: Mapping[str, Sequence[str]],
    *,
    has_int8: bool,
    threads: int,
    cores: int,
    has_gpu: bool,
    has_mps: bool,
) -> list[Candidate]:
    """`there`: OpenVINO's devices with their capabilities. Eager torch on a CPU never wins: left out."""
    found = []
    for device, capabilities in there.items():
        precisions = ["f32"] if not device.startswith("NPU") else []
        precisions += [name for name, word in (("bf16", "BF16"), ("f16", "FP16")) if word in capabilities]
        precisions += ["int8"] if has_int8 else []
        counts = sorted({max(1, threads // 2), threads, min(2 * threads, cores)}) if device == CPU else [0]
        found += [Candidate("openvino", name, count, device) for name in precisions for count in counts]
    if has_gpu:
        found += [Candidate("tensorrt", "auto")]
        found += [Candidate("cuda", name) for name in ("f16", "bf16", "f16, compiled")]
    if has_mps:
        found += [Candidate("eager", "f32"), Candidate("eager", "bf16")]
    return found


def measured(model: ModelFolder, some: Sequence[Candidate], frames: Sequence[U8]) -> Choice:
    """Open them all, compare their masks, time them in turn. Raises FaultError when none passes."""

    def open_one(candidate: Candidate) -> Runtime:
        runtime: Runtime = load_named(RUNTIMES, candidate.runtime, "runtime")(
            model, candidate.options(RuntimeOptions())
        )
        return runtime

    rows = measure(open_one, some, frames, model.card.presets["standard"].threshold)
    chosen = fastest(rows, usual_here(model))
    if chosen is None:
        raise FaultError(
            FaultCode.MODEL_LOAD,
            expected=f"a runtime that gives the masks of {model.id}",
            got="; ".join(f"{_name(row.candidate)}: {row.failed or 'other masks'}" for row in rows) or "none",
            remedy="choose another model, or pip install openvino",
        )
    return Choice(chosen, tuple(rows))


def measure(open_one: Open, some: Sequence[Candidate], frames: Sequence[U8], threshold: float) -> list[Row]:
    """A row a candidate, in their order; what does not open or run says why."""
    opened: dict[Candidate, Runtime] = {}
    rows: dict[Candidate, Row] = {}
    try:
        reference = open_one(EXACT)
    except FaultError as error:
        return [Row(candidate, failed=str(error)) for candidate in some]
    try:
        for candidate in some:
            try:
                opened[candidate] = open_one(candidate)
                parity = compare_runtimes(reference, opened[candidate], frames, threshold)
            except FaultError as error:
                rows[candidate] = Row(candidate, failed=str(error))
            else:
                rows[candidate] = Row(candidate, opened[candidate].info.precision, parity=parity)
        running = [candidate for candidate in some if not rows[candidate].failed]
        times_ms = _times_ms({candidate: opened[candidate] for candidate in running}, frames)
        for candidate in running:
            p50, p95 = (float(np.percentile(times_ms[candidate], share)) for share in (50, 95))
            rows[candidate] = replace(rows[candidate], p50_ms=round(p50, 3), p95_ms=round(p95, 3))
    finally:
        for runtime in (reference, *opened.values()):
            runtime.close()
    return [rows[candidate] for candidate in some]


def table(choice: Choice) -> str:
    """The measurement as Markdown."""
    lines = [
        "| runtime | p50 ms | p95 ms | masks, Dice | max dp |",
        "|---|---|---|---|---|",
    ]
    for row in sorted(choice.rows, key=lambda row: (bool(row.failed), row.p50_ms)):
        name = _name(replace(row.candidate, precision=row.executes or row.candidate.precision))
        if row.parity is None:
            lines.append(f"| {name} | {row.failed} | | | |")
        else:
            verdict = "" if row.passes else " (refused)"
            lines.append(
                f"| {name} | {row.p50_ms:.2f} | {row.p95_ms:.2f} | {row.parity.pooled_dice:.4f}{verdict} "
                f"| {row.parity.max_dp:.3f} |"
            )
    return "\n".join(lines)


def _times_ms(opened: Mapping[Candidate, Runtime], frames: Sequence[U8]) -> dict[Candidate, list[float]]:
    """Milliseconds of single pictures, the candidates in turn: what the machine does besides meets all."""
    times_ms: dict[Candidate, list[float]] = {candidate: [] for candidate in opened}
    for _ in range(ROUNDS):
        for candidate, runtime in opened.items():
            runtime.infer(frames[0])  # what the one before has left in the caches
            for number in range(FRAMES_A_ROUND):
                start_s = time.perf_counter()
                runtime.infer(frames[number % len(frames)])
                times_ms[candidate].append((time.perf_counter() - start_s) * 1000.0)
    return times_ms


def _name(candidate: Candidate) -> str:
    threads = f", {candidate.threads} threads" if candidate.threads else ""
    device = f" on {candidate.device}" if candidate.device != "CPU" else ""
    return f"{candidate.runtime} {candidate.precision}{device}{threads}"


if __name__ == "__main__":
    sys.exit(main())
