"""What a user would pick instead, as lines of the table of students: every runtime executes them like ours.

Never a dependency: a package that is not installed is told and left out. No torch here.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, cast

from engine.models import STUDENTS
from engine.table import Entry


@dataclass(frozen=True, slots=True)
class Peer:
    """`package`: what has to be importable; `install`: how a user gets it, into an environment of his own."""

    label: str
    student: str
    package: str
    install: str
    size_px: int
    args: dict[str, Any] = field(default_factory=dict)

    @property
    def is_installed(self) -> bool:
        return find_spec(self.package) is not None


PEERS: tuple[Peer, ...] = (
    Peer(
        "segmentation_models_pytorch U-Net, ResNet-34",
        "peer-smp-unet",
        "segmentation_models_pytorch",
        "pip install segmentation-models-pytorch",
        352,
        {"encoder": "tu-resnet34"},
    ),
    *(
        Peer(
            f"ultralytics YOLO11n-seg, {size_px} px, network alone",
            "peer-yolo-seg",
            "ultralytics",
            "pip install ultralytics (AGPL-3.0; it brings opencv-python)",
            size_px,
            {"name": "yolo11n-seg"},
        )
        for size_px in (352, 640)
    ),
)
_ENTRIES = {
    "peer-smp-unet": Entry("engine.bench.peer_students:SmpUNet", summary="segmentation_models_pytorch"),
    "peer-yolo-seg": Entry("engine.bench.peer_students:YoloSeg", summary="ultralytics"),
}


def add_peers() -> None:
    """Make the peers students here: of benchmarks and of `python -m distill`, never of the window."""
    cast(dict[str, Entry], STUDENTS).update(_ENTRIES)
    # Read when ultralytics is imported: it neither asks the network nor installs anything.
    os.environ.setdefault("YOLO_OFFLINE", "true")
    os.environ.setdefault("YOLO_AUTOINSTALL", "false")
