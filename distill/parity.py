"""Whether an exported file still says what the trained network says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from distill.data.dataset import Pictures
from distill.evaluate import POOLED, evaluate
from distill.metrics.image import dice_iou
from engine.model_folder import Parity
from engine.types import F32

MAX_DICE_DROP = 0.003  # 0.3 points, what int8 may cost
MAX_F32_DP = 0.02  # another order of the same sums


def compare(
    file: str, runtime: str, pictures: Pictures, trained: Sequence[F32], exported: Iterable[F32]
) -> Parity:
    """Maps of the trained network against those of an exported file, float32 [H, W] in 0..1."""
    exported = list(exported)
    dps = [float(np.abs(a - b).max()) for a, b in zip(trained, exported, strict=True)]
    masks = [dice_iou(b > 0.5, (a > 0.5).astype(np.uint8))[0] for a, b in zip(trained, exported, strict=True)]
    before = evaluate(pictures, trained).value(POOLED, "dice")
    after = evaluate(pictures, exported).value(POOLED, "dice")
    return Parity(
        file=file,
        runtime=runtime,
        images=len(exported),
        max_dp=round(max(dps), 5),
        mask_dice=round(float(np.mean(masks)), 5),
        dice_drop=round(before - after, 5),
    )
