"""OpenVINO without its telemetry: the only place that imports it."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

TELEMETRY = "openvino_telemetry"
CONVERTER = "openvino.tools.ovc"


def import_openvino() -> Any:
    """The module `openvino`, which sends nothing home.

    `import openvino` alone imports its model converter, and that reports every import to its makers through
    `openvino_telemetry`, from a process of its own. A None in `sys.modules` makes an import fail as if the
    package was not installed; both are optional for OpenVINO. It also starts 0.05 s sooner without them.
    Raises ImportError when OpenVINO is not installed.
    """
    _hide(TELEMETRY)
    had_converter = CONVERTER in sys.modules
    _hide(CONVERTER)
    try:
        import openvino
        import openvino.opset15
        import openvino.preprocess
    finally:
        if not had_converter:
            del sys.modules[CONVERTER]  # who wants it later (a training tool) finds it, still mute
    return openvino


def _hide(name: str) -> None:
    hidden: dict[str, ModuleType | None] = sys.modules  # type: ignore[assignment]
    hidden.setdefault(name, None)
