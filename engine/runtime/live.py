"""A runtime for the live path: one that runs now, what to warn of, and how a better one can be had later."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from engine.faults import FaultCode, FaultError
from engine.jobs.process import python
from engine.model_folder import ModelFolder
from engine.runtime import AUTO, GPU_RUNTIMES, measured_choice, open_runtime, parse_runtime, usual_runtime
from engine.runtime.auto.choice import Choice
from engine.runtime.base import Runtime, RuntimeOptions
from engine.runtime.nvidia.gpu import Gpu, nvidia_gpus
from engine.table import Entry, load_named
from engine.types import RuntimeInfo

# is_built(model, options) -> bool: those whose `open` may take minutes; and what serves meanwhile.
BUILT: Mapping[str, Entry] = {"tensorrt": Entry("engine.runtime.nvidia.tensorrt:is_built", extra="tensorrt")}
MEANWHILE = "cuda"

OpenRuntime = Callable[[str, ModelFolder, RuntimeOptions], Runtime]


@dataclass(frozen=True, slots=True)
class Later:
    """A process that makes a better runtime possible (it ends with 0), and what opens that.

    `at_rest`: it computes on the same cores as the live path, so it waits until nothing plays.
    """

    command: tuple[str, ...]
    reopen: Callable[[], Live]
    at_rest: bool


@dataclass(frozen=True, slots=True)
class Live:
    """`runtime` runs now; `warning` is not fatal and for a person."""

    runtime: Runtime
    warning: FaultError | None = None
    later: Later | None = None


OpenLive = Callable[[str, ModelFolder, RuntimeOptions], Live]


def only(open_one: OpenRuntime) -> OpenLive:
    """Open that, with nothing to come later."""
    return lambda name, model, options: Live(open_one(name, model, options))


def open_live(
    name: str,
    model: ModelFolder,
    options: RuntimeOptions,
    *,
    gpus: Callable[[], Sequence[Gpu]] = nvidia_gpus,
    open_one: OpenRuntime = open_runtime,
) -> Live:
    """Open at once what can be had at once.

    A compiled engine that is not built yet: the GPU without it serves meanwhile. "auto" that was not measured
    yet: the usual runtime does. A GPU runtime that does not open: the CPU takes over, with a warning.
    Raises FaultError as `open_runtime`.
    """
    if name == AUTO:
        return _open_auto(model, options, gpus(), open_one)
    known, _ = parse_runtime(name)
    if known not in GPU_RUNTIMES:
        runtime = open_one(name, model, options)
        # OpenVINO was asked for by its name, and computes where it was told to.
        surprise = on_cpu_warning(runtime.info, gpus()) if known == "eager" else None
        return Live(runtime, surprise)
    try:
        if known in BUILT and not load_named(BUILT, known, "runtime")(model, options):
            runtime = open_one(MEANWHILE, model, RuntimeOptions(streams=options.streams))
            return Live(runtime, None, _build(known, model, options, open_one))
        return Live(open_one(known, model, options))
    except FaultError as error:
        if error.code is FaultCode.ARGUMENT:
            raise  # a wrong precision is not the machine's fault
        runtime = open_one(usual_runtime(), model, RuntimeOptions(streams=options.streams))
        return Live(runtime, _taken_over(known, error, runtime.info))


def on_cpu_warning(info: RuntimeInfo, gpus: Sequence[Gpu], why: str = "") -> FaultError | None:
    """What to say when an NVIDIA GPU is there and does not compute; None when it does or there is none."""
    # No threads: OpenVINO on a GPU or NPU, where it was told to be or was the fastest.
    if not gpus or not info.threads or info.device in {gpu.name for gpu in gpus}:
        return None
    return FaultError(
        FaultCode.RUNTIME_MISSING,
        expected=f"{gpus[0].name} to compute the masks",
        got=f"{info.name} on the CPU" + (f" ({why.rstrip('.')})" if why else ""),
        remedy="install torch's CUDA build and 'polyplive[tensorrt]', or choose openvino by name",
        said=f"{info.name} computes the masks on the CPU, not on {gpus[0].name}"
        + (f" ({why.rstrip('.')})" if why else "")
        + ". Install torch's CUDA build and 'polyplive[tensorrt]', or choose openvino by name.",
        fatal=False,
    )


def _open_auto(
    model: ModelFolder, options: RuntimeOptions, gpus: Sequence[Gpu], open_one: OpenRuntime
) -> Live:
    choice = measured_choice(model, options)
    runtime = open_one(AUTO, model, options)
    if choice is None and options.precision == AUTO:
        # No warning yet: a GPU gets its turn in a moment.
        return Live(runtime, None, _measure(model, options, at_rest=not gpus, open_one=open_one, gpus=gpus))
    return Live(
        runtime, None if _was_slower(choice) else on_cpu_warning(runtime.info, gpus, _failure(choice))
    )


def _measure(
    model: ModelFolder,
    options: RuntimeOptions,
    *,
    at_rest: bool,
    open_one: OpenRuntime,
    gpus: Sequence[Gpu],
) -> Later:
    def reopen() -> Live:
        choice = measured_choice(model, options)
        runtime = open_one(AUTO, model, options)
        expected = choice is not None and _was_slower(choice)
        return Live(runtime, None if expected else on_cpu_warning(runtime.info, gpus, _failure(choice)))

    return Later(_python("engine.runtime.auto.measure", str(model.path), "--background"), reopen, at_rest)


def _build(name: str, model: ModelFolder, options: RuntimeOptions, open_one: OpenRuntime) -> Later:
    command = ("--runtime", name, "--precision", options.precision, "--background")
    return Later(
        _python("engine.runtime.build", str(model.path), *command),
        lambda: Live(open_one(name, model, options)),
        at_rest=False,
    )


def _python(module: str, *arguments: str) -> tuple[str, ...]:
    return python("-m", module, *arguments)


def _was_slower(choice: Choice | None) -> bool:
    """Whether the GPU ran, with the right masks, and something else was faster all the same."""
    rows = choice.rows if choice else ()
    return any(row.candidate.runtime in GPU_RUNTIMES and row.passes for row in rows)


def _failure(choice: Choice | None) -> str:
    """Why the GPU did not run when it was measured."""
    rows = choice.rows if choice else ()
    return next((row.failed for row in rows if row.candidate.runtime == MEANWHILE and row.failed), "")


def _taken_over(name: str, error: FaultError, info: RuntimeInfo) -> FaultError:
    return FaultError(
        error.code,
        expected=error.expected,
        got=f"{error.got}, so {info.name} computes instead of {name}",
        remedy=error.remedy,
        fatal=False,
        detail=error.detail,
        said=f"{name} does not run here, so {info.name} computes instead. {error}",
    )
