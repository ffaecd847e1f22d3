"""What number types the layers of a TensorRT engine compute in, by its own account."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

from engine.faults import FaultCode, FaultError

HALF_SHARE = 0.5  # of an engine's floating tensors: a half network has float32 only at its two ends


def tensor_types(layer_info: Sequence[str]) -> Counter[str]:
    """How many tensors of each floating type the layers give, by TensorRT's JSON; empty where it tells none.

    Its words differ from version to version: "Half", "FP16", "Row major linear FP16 format".
    """
    found: Counter[str] = Counter()
    for text in layer_info:
        layers = json.loads(text).get("Layers", [])
        for layer in layers:
            outputs = layer.get("Outputs", []) if isinstance(layer, dict) else []
            found.update(kind for output in outputs if (kind := _type_of(str(output))))
    return found


def _type_of(words: str) -> str | None:
    for kind, names in (
        ("bf16", ("BF16", "BFloat16")),
        ("f16", ("FP16", "Half")),
        ("f32", ("FP32", "Float")),
    ):
        if any(name in words for name in names):
            return kind
    return None


def check_types(layer_info: Sequence[str], layout: str) -> None:
    """Raise FaultError MODEL_LOAD when an engine that should compute in half does not.

    An option that torch_tensorrt no longer knows is swallowed, and the engine is float32 without a word.
    """
    types = tensor_types(layer_info)
    if layout != "f16" or not types:  # only this one is half from end to end
        return
    if types["f16"] < HALF_SHARE * types.total():
        raise FaultError(
            FaultCode.MODEL_LOAD,
            expected="a TensorRT engine in f16",
            got=", ".join(f"{count} tensors in {kind}" for kind, count in types.most_common()),
            remedy="install the pinned versions: pip install 'polyplive[tensorrt]'",
        )
