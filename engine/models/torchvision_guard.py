"""timm needs torchvision, whose PyPI build for Linux (CUDA) does not import beside a CPU torch."""

from __future__ import annotations

import sys

import torch

_kept: list[torch.library.Library] = []  # a Library takes its operators with it when it goes


def ensure_torchvision() -> None:
    """Make `import torchvision` work; call it before the first import of timm or transformers.

    On a CPU torch the CUDA build of torchvision fails with "operator torchvision::nms does not exist" (issues
    9077 and 9085 of pytorch/vision). Declaring the two operators is enough: schemas only, calling them fails.
    """
    try:
        import torchvision
    except RuntimeError:
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
        _kept.append(library)
        for operator in ("nms", "qnms"):
            schema = f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
            library.define(schema)  # type: ignore[no-untyped-call]
        import torchvision  # noqa: F401
