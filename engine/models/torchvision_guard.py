"""timm needs torchvision, and torchvision from PyPI on Linux is the CUDA build: it does not import beside a CPU torch."""

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
        import torchvision  # noqa: F401
    except RuntimeError:
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "FRAGMENT")
        _kept.append(library)
        for operator in ("nms", "qnms"):
            library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        import torchvision  # noqa: F401
