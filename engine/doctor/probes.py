"""`python -m engine.doctor.probes NAME [ARGUMENT]`: what may crash or hang, tried in a process of its own.

One line of JSON on stdout for each step that was reached; what went wrong is a step with "error".
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

from engine.doctor.bounded import one_line
from engine.faults import FaultError

Step = dict[str, Any]


def runtime(name: str) -> Iterator[Step]:
    """Import a line of RUNTIMES, open the default model with it, look at one picture."""
    from engine.runtime import RUNTIMES
    from engine.table import load

    try:
        opens = load(RUNTIMES[name])
    except FaultError as error:
        yield {"step": "import", **_told(error)}
        return
    except Exception as error:  # a library of it that does not load can raise anything
        yield {"step": "import", "error": one_line(error)}
        return
    yield {"step": "import"}

    import numpy as np

    from engine.model_folder import default_model, load_model_folder
    from engine.runtime.base import RuntimeOptions

    model = load_model_folder(default_model())
    is_built = getattr(importlib.import_module(opens.__module__), "is_built", None)
    try:
        if is_built is not None and not is_built(model, RuntimeOptions()):
            yield {
                "step": "run",
                "error": f"{model.id} has not been compiled for it yet",
                "remedy": f"run python -m engine.runtime.build {model.id} --runtime {name}",
            }
            return
        opened = opens(model, RuntimeOptions())
        size = model.card.input
        opened.infer(np.zeros((size.height_px, size.width_px, 3), np.uint8))
    except FaultError as error:
        yield {"step": "run", **_told(error)}
        return
    except Exception as error:
        yield {"step": "run", "error": one_line(error)}
        return
    info = opened.info
    opened.close()
    yield {
        "step": "run",
        "model": model.id,
        "device": info.device,
        "precision": info.precision,
        "version": info.version,
    }


def processor(_: str) -> Iterator[Step]:
    """What OpenVINO says of the CPU, and which other devices it sees."""
    from engine.runtime.host import physical_cores
    from engine.runtime.quiet import import_openvino

    core = import_openvino().Core()
    yield {
        "name": core.get_property("CPU", "FULL_DEVICE_NAME"),
        "cores": physical_cores(),
        "capabilities": sorted(core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")),
        "others": [device for device in core.available_devices if device != "CPU"],
    }


def decoders(_: str) -> Iterator[Step]:
    """What PyAV decodes, and on which hardware: why not, where it cannot or its colours are wrong."""
    import av

    from engine.sources.file.decode_choice import refusal
    from engine.sources.file.hardware import listed

    yield {
        "version": av.__version__,
        "ffmpeg": av.ffmpeg_version_info,
        "codecs": sorted(name for name in av.codecs_available if _decodes(name)),
    }
    # One at a time: a driver that crashes costs its own line.
    for name in listed():
        yield {"hardware": name, "refusal": refusal(name)}


PROBES: dict[str, Callable[[str], Iterator[Step]]] = {
    "runtime": runtime,
    "processor": processor,
    "decoders": decoders,
}


def _told(error: FaultError) -> Step:
    return {"error": error.wrong, "remedy": error.remedy}


def _decodes(name: str) -> bool:
    from av.codec import Codec

    try:
        return Codec(name, "r").type == "video"
    except ValueError:  # an encoder only
        return False


def main(arguments: list[str]) -> int:
    for step in PROBES[arguments[0]](arguments[1] if len(arguments) > 1 else ""):
        print(json.dumps(step), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
