"""The networks of the peers as students. Imported only where one of them is opened."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from torch import Tensor, nn
from torch.nn import functional as F

from engine.models.base import Prediction, Student
from engine.models.torchvision_guard import ensure_torchvision

_SMALL = 1e-3  # boxes are in pixels: added as they are, every probability would be 0 or 1


class SmpUNet(Student):
    """`smp.Unet` with random weights; its encoder is timm's ("tu-..."), for which recipes have ImageNet's."""

    def __init__(self, encoder: str) -> None:
        super().__init__()
        ensure_torchvision()
        import segmentation_models_pytorch as smp

        network = smp.Unet(encoder, encoder_weights=None, classes=1)
        self.encoder = network.encoder
        self.encoder.pretrained_cfg = (
            network.encoder.model.pretrained_cfg
        )  # what tells its weights from others
        self.decoder = network.decoder
        self.head = network.segmentation_head
        self.strides, self.channels = {}, {}

    def predict(self, image: Tensor) -> Prediction:
        return Prediction(self.head(self.decoder(self.encoder(image))), (), {})

    def encoder_parameters(self) -> list[nn.Parameter]:
        return list(self.encoder.parameters())


class YoloSeg(Student):
    """The network of a YOLO with masks, without NMS and without putting masks together.

    Its outputs are summed into one map, so that no runtime leaves out the part that is not asked for.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        ensure_torchvision()
        from ultralytics import YOLO

        self.network = YOLO(f"{name}.yaml").model
        self.strides, self.channels = {}, {}

    def predict(self, image: Tensor) -> Prediction:
        found = list(_tensors(self.network(image)))
        prototypes = max((one for one in found if one.dim() == 4), key=lambda one: one.shape[-1])
        rest = sum(one.flatten(1).mean(1) for one in found if one is not prototypes)
        small = prototypes.mean(1, keepdim=True) + _SMALL * cast(Tensor, rest)[:, None, None, None]
        return Prediction(F.interpolate(small, size=image.shape[-2:], mode="bilinear"), (), {})

    def encoder_parameters(self) -> list[nn.Parameter]:
        return list(self.network.parameters())


def _tensors(output: Any) -> Iterator[Tensor]:
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, dict):
        for part in output.values():
            yield from _tensors(part)
    elif isinstance(output, list | tuple):
        for part in output:
            yield from _tensors(part)
