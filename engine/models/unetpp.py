"""U-Net++ (Zhou 2018, arXiv 1807.10165): the skips of a U-Net become columns of nested joins."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from engine.models.base import Prediction, Student
from engine.models.latents import LatentFeed
from engine.models.plain import PLAIN_STRIDES, PlainEncoder, Twice, double_conv

DEPTH = len(PLAIN_STRIDES) - 1


class UNetPlusPlusStudent(Student):
    """Node (i, j) at stride 2^i joins all earlier nodes of its row and the raised node (i + 1, j - 1).

    Deep supervision off: one head on node (0, 4), no auxiliary logits. Convolutions have a bias, as the
    published count needs. Features: s4 and s8 the last node of their rows, s16 the deepest map.
    """

    def __init__(self, width: int = 32, latent_feed: str = "none") -> None:
        super().__init__()
        widths = [width * stride for stride in PLAIN_STRIDES]
        self.encoder = PlainEncoder(widths, bias=True)
        self.latents = LatentFeed(latent_feed, widths[-1])
        self.nodes = nn.ModuleDict(
            {
                f"{row}_{column}": double_conv(column * widths[row] + widths[row + 1], widths[row], bias=True)
                for column in range(1, DEPTH + 1)
                for row in range(DEPTH + 1 - column)
            }
        )
        self.twice = Twice()
        self.head = nn.Conv2d(width, 1, 1)
        strides, channels = self.latents.sizes(widths[-1], PLAIN_STRIDES[-1])
        self.strides = {**strides, "s4": 4, "s8": 8, "s16": 16}
        self.channels = {**channels, "s4": widths[2], "s8": widths[3], "s16": widths[4]}

    def predict(self, image: Tensor) -> Prediction:
        maps = self.encoder(image)
        below, features = self.latents(maps[-1])
        features["s16"] = maps[-1]
        rows = [[found] for found in (*maps[:-1], below)]
        for column in range(1, DEPTH + 1):
            for row in range(DEPTH + 1 - column):
                raised = self.twice(rows[row + 1][column - 1])
                rows[row].append(self.nodes[f"{row}_{column}"](torch.cat([*rows[row], raised], dim=1)))
        features["s4"], features["s8"] = rows[2][-1], rows[3][-1]
        return Prediction(self.head(rows[0][-1]), (), features)

    def encoder_parameters(self) -> list[nn.Parameter]:
        return list(self.encoder.parameters())
