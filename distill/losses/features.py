"""Losses between a student's map and a teacher's, both [B, C, h, w], in float32 whatever comes in.

`valid` [B, 1, h, w] is 1 where the two are to agree (None: everywhere). With no valid place the loss is 0.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

COSINE_SHARE = 0.9  # AM-RADIO (Ranzinger 2024)
CWD_TEMPERATURE = 4.0  # Shu 2021


def mse(student: Tensor, teacher: Tensor, valid: Tensor | None = None) -> Tensor:
    """Mean squared error over channels and places."""
    return _over_places((student.float() - teacher.float()).square().mean(1, keepdim=True), valid)


def mse_mae(student: Tensor, teacher: Tensor, valid: Tensor | None = None) -> Tensor:
    """MSE plus the mean absolute error."""
    error = (student.float() - teacher.float()).abs()
    return _over_places((error.square() + error).mean(1, keepdim=True), valid)


def mse_kl(student: Tensor, teacher: Tensor, valid: Tensor | None = None) -> Tensor:
    """MSE plus KL(teacher || student) of the softmax over channels, a place at a time."""
    said, meant = student.float().log_softmax(1), teacher.float().log_softmax(1)
    divergence = (meant.exp() * (meant - said)).sum(1, keepdim=True)
    return mse(student, teacher, valid) + _over_places(divergence, valid)


def cosine_l1(student: Tensor, teacher: Tensor, valid: Tensor | None = None) -> Tensor:
    """0.9 (1 - cosine over channels) + 0.1 smooth L1 with beta 1, a place at a time."""
    student, teacher = student.float(), teacher.float()
    angle = 1 - F.cosine_similarity(student, teacher, dim=1).unsqueeze(1)
    size = F.smooth_l1_loss(student, teacher, reduction="none").mean(1, keepdim=True)
    return _over_places(COSINE_SHARE * angle + (1 - COSINE_SHARE) * size, valid)


def channel_wise(
    student: Tensor, teacher: Tensor, valid: Tensor | None = None, temperature: float = CWD_TEMPERATURE
) -> Tensor:
    """(T^2 / C) sum over channels of KL(teacher || student), each a softmax over the valid places."""
    said, meant = student.float().flatten(2) / temperature, teacher.float().flatten(2) / temperature
    if valid is not None:
        # A finite floor: minus infinity would make 0 * inf of the places that do not count.
        away = (valid.flatten(2) == 0) * -1e4
        said, meant = said + away, meant + away
    said, meant = said.log_softmax(2), meant.log_softmax(2)
    divergence = meant.exp() * (meant - said)
    if valid is not None:
        divergence = divergence * valid.flatten(2)
    return temperature**2 * divergence.sum(2).mean(1).mean()


def _over_places(value: Tensor, valid: Tensor | None) -> Tensor:
    """The mean of [B, 1, h, w] over the valid places."""
    if valid is None:
        return value.mean()
    return (value * valid).sum() / torch.clamp_min(valid.sum(), 1.0)
