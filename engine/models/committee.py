"""Several small networks as one: for machines that have the time."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from engine.faults import FaultCode, FaultError
from engine.models.base import Prediction, Student
from engine.models.light import LightStudent


class CommitteeStudent(Student):
    """The mean of the logits of `light` networks, of the picture and, `mirrored`, of its mirror image.

    `encoders` and `channels` name one network a word: "tf_efficientnet_lite0 tf_efficientnet_lite1" and
    "64 128". The members are trained one by one; `export` makes a committee of their folders. Features are
    the first member's. Raises FaultError ARGUMENT when the two do not have as many words.
    """

    def __init__(self, encoders: str, channels: str, mirrored: bool = True) -> None:
        super().__init__()
        names, widths = encoders.split(), channels.split()
        if not names or len(names) != len(widths) or not all(width.isdecimal() for width in widths):
            raise FaultError(
                FaultCode.ARGUMENT,
                expected="encoders and channels with one word a member",
                got=f"{encoders!r} and {channels!r}",
                remedy="correct student.args of model.json or of the recipe",
            )
        self.mirrored = mirrored
        members = [LightStudent(name, int(width)) for name, width in zip(names, widths, strict=True)]
        self.members = nn.ModuleList(members)
        self.strides, self.channels = members[0].strides, members[0].channels

    def predict(self, image: Tensor) -> Prediction:
        pictures = torch.cat([image, image.flip(-1)]) if self.mirrored else image
        said: list[Prediction] = [member.predict(pictures) for member in self.members]  # type: ignore[operator]
        logits = torch.stack([one.logits for one in said]).mean(0)
        features = said[0].features
        if self.mirrored:
            # Neither chunk(2) nor len(): an exporter would take the size of the halves for a constant.
            count = image.shape[0]
            straight, mirror = logits[:count], logits[count:]
            logits = (straight + mirror.flip(-1)) / 2
            features = {name: value[:count] for name, value in features.items()}
        return Prediction(logits, (), features)

    def encoder_parameters(self) -> list[nn.Parameter]:
        return [parameter for member in self.members for parameter in member.encoder_parameters()]  # type: ignore[operator]
