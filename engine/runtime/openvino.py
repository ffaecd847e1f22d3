"""OpenVINO, on the CPU unless told otherwise: pixels in, probabilities out, all in one compiled graph."""

from __future__ import annotations

import contextlib
import logging
import platform
import queue
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from engine.faults import FaultCode, FaultError
from engine.model_card import INT8_BIN, INT8_XML, ONNX
from engine.model_folder import ModelFolder
from engine.runtime.base import Runtime, RuntimeOptions, check_image
from engine.runtime.cache import EngineCache, cache_folder
from engine.runtime.host import default_threads
from engine.runtime.openvino_graph import GRAPH, with_pixels
from engine.runtime.quiet import import_openvino
from engine.types import U8, RuntimeInfo, Size

ov = import_openvino()
log = logging.getLogger(__name__)

CPU = "CPU"


class OpenVinoRuntime:
    """A compiled model with one request for each stream. `infer` may be called by any number of threads."""

    def __init__(self, compiled: Any, size: Size, info: RuntimeInfo, streams: int) -> None:
        self._info = info
        self._size = size
        self._requests: queue.LifoQueue[tuple[Any, U8, U8] | None] = queue.LifoQueue()
        for _ in range(streams):
            self._requests.put(_bound(compiled.create_infer_request(), size))
        self._closed = False

    @property
    def info(self) -> RuntimeInfo:
        return self._info

    def infer(self, image: U8) -> U8:
        """As `Runtime.infer`."""
        check_image(image, self._size)
        taken = self._requests.get()
        if taken is None:
            self._requests.put(None)  # the next one who waits is told as well
            raise _closed_fault()
        request, pixels, probability = taken
        try:
            np.copyto(pixels[0], image)
            request.infer()
            return probability.reshape(image.shape[:2]).copy()
        except RuntimeError as error:
            raise FaultError(
                FaultCode.INFERENCE,
                expected="the network to run",
                got=_first_line(error),
                remedy="choose another precision or runtime",
                said=f"The network failed ({_first_line(error)}). Choose another precision or runtime.",
                detail=str(error),
            ) from error
        finally:
            if not self._closed:
                self._requests.put(taken)

    def close(self) -> None:
        """As `Runtime.close`; a call in another thread still ends well."""
        self._closed = True
        with contextlib.suppress(queue.Empty):
            while True:
                self._requests.get_nowait()
        self._requests.put(None)


def open(model: ModelFolder, options: RuntimeOptions) -> Runtime:
    """Compile the model folder's network, or take it from the cache.

    Raises FaultError ARGUMENT (precision unknown, or not to be had here) or MODEL_LOAD.
    """
    core = ov.Core()
    target = options.device
    if target != CPU and target not in core.available_devices:  # asking costs the start of every plug-in
        raise FaultError(
            FaultCode.ARGUMENT,
            expected=f"a device that OpenVINO has here: {', '.join(core.available_devices)}",
            got=repr(target),
            remedy="choose openvino alone for the CPU",
            said=f"OpenVINO has no device {target!r} here, only {', '.join(core.available_devices)}. "
            "Choose openvino alone for the CPU.",
        )
    capabilities = core.get_property(target, "OPTIMIZATION_CAPABILITIES")
    precision = choose_precision(
        options.precision,
        has_bf16="BF16" in capabilities,
        has_int8=model.int8 is not None,
        has_f16="FP16" in capabilities,
        on_cpu=target == CPU,
    )
    threads = (options.threads or default_threads()) if target == CPU else 0
    settings = settings_for(target, precision, capabilities, threads, options.streams)
    device = core.get_property(target, "FULL_DEVICE_NAME")
    facts = _facts(model, precision, f"{device} {' '.join(sorted(capabilities))}")
    compiled = _compiled(core, model, precision, target, settings, facts)
    card = model.card.input
    info = RuntimeInfo(
        "openvino", device, precision, threads, f"openvino {ov.get_version().partition('-')[0]}"
    )
    return OpenVinoRuntime(compiled, Size(card.width_px, card.height_px), info, options.streams)


def devices() -> dict[str, tuple[str, ...]]:
    """What OpenVINO can compute on here, with its capabilities: {"CPU": ("BF16", "FP32"), "GPU": ...}."""
    core = ov.Core()
    return {
        name: tuple(core.get_property(name, "OPTIMIZATION_CAPABILITIES")) for name in core.available_devices
    }


def settings_for(
    target: str, precision: str, capabilities: Collection[str], threads: int, streams: int
) -> dict[str, Any]:
    """OpenVINO's properties; a graphics card or an NPU refuses what only a CPU has."""
    if target.startswith("NPU"):
        return {"PERFORMANCE_HINT": "LATENCY"}  # it computes as its compiler sees fit
    # For int8 it is what the other layers use.
    wide = "bf16" if "BF16" in capabilities else "f16" if target != CPU else "f32"
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": streams,
        # Always said: OpenVINO takes bf16 by itself where it can.
        "INFERENCE_PRECISION_HINT": wide if precision == "int8" else precision,
    }
    if target == CPU:
        settings["INFERENCE_NUM_THREADS"] = threads
        settings["ENABLE_CPU_PINNING"] = False  # pinned threads wait for a busy core while another is free
    return settings


def choose_precision(
    wanted: str, *, has_bf16: bool, has_int8: bool, has_f16: bool = False, on_cpu: bool = True
) -> str:
    """The precision to run in. "auto": bf16 where the CPU has it, else an int8 network that passed, else f32;
    f16 on other devices.

    Raises FaultError ARGUMENT when the wanted one is unknown or not to be had.
    """
    if wanted == "auto" and has_f16 and not on_cpu:
        return "f16"
    if wanted == "auto":
        return "bf16" if has_bf16 else "int8" if has_int8 else "f32"
    available = {"f32": True, "bf16": has_bf16, "f16": has_f16, "int8": has_int8}
    if not available.get(wanted, False):
        got = {
            "bf16": "bf16, which this CPU does not have",
            "f16": "f16, which this device does not have",
            "int8": "int8, of which this model has no network that passed its check",
        }
        raise FaultError(
            FaultCode.ARGUMENT,
            expected=f"a precision: {', '.join(name for name, there in available.items() if there)}",
            got=got.get(wanted, f"{wanted!r}"),
            remedy="choose auto",
        )
    return wanted


def _compiled(
    core: Any,
    model: ModelFolder,
    precision: str,
    target: str,
    settings: Mapping[str, Any],
    facts: Mapping[str, Any],
) -> Any:
    cache = EngineCache(cache_folder("openvino"))
    blob = cache.load(facts)
    if blob is not None:
        try:
            return core.import_model(blob, target, dict(settings))
        except RuntimeError as error:
            log.info("OpenVINO does not take the cached %s (%s), it is compiled again", model.id, error)
            cache.forget(facts)
    source = model.int8 if precision == "int8" else model.onnx
    try:
        compiled = core.compile_model(
            with_pixels(core.read_model(source), model.card), target, dict(settings)
        )
    except RuntimeError as error:
        raise FaultError(
            FaultCode.MODEL_LOAD,
            expected=f"{model.id} to be a network that OpenVINO runs",
            got=_first_line(error),
            remedy="export the model again, or choose another model or runtime",
            said=f"OpenVINO cannot run {model.id} ({_first_line(error)}). "
            "Export the model again, or choose another model or runtime.",
            detail=str(error),
        ) from error
    cache.store(facts, compiled.export_model().getvalue())
    return compiled


def _facts(model: ModelFolder, precision: str, device: str) -> dict[str, Any]:
    """All that decides what the compiled model is."""
    names = (INT8_XML, INT8_BIN) if precision == "int8" else (ONNX,)
    return {
        "graph": GRAPH,
        "weights": {name: model.card.files[name].sha256 for name in names},
        "input": model.card.input.model_dump(mode="json"),
        "output": model.card.output.model_dump(mode="json"),
        "precision": precision,
        "openvino": ov.get_version(),
        "device": device,
        "os": f"{platform.system()} {platform.machine()}",
    }


def _bound(request: Any, size: Size) -> tuple[Any, U8, U8]:
    """A request that reads and writes two arrays of ours: no copy inside OpenVINO."""
    pixels = np.zeros((1, size.height_px, size.width_px, 3), np.uint8)
    probability = np.zeros((1, 1, size.height_px, size.width_px), np.uint8)
    request.set_input_tensor(ov.Tensor(pixels, shared_memory=True))
    request.set_output_tensor(ov.Tensor(probability, shared_memory=True))
    return request, pixels, probability


def _closed_fault() -> FaultError:
    return FaultError(
        FaultCode.INFERENCE,
        expected="a runtime that is open",
        got="one that has been closed",
        remedy="open the model again",
    )


def _first_line(error: Exception) -> str:
    """The reason: OpenVINO's errors name its own sources first and what happened last."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
