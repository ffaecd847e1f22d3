"""Whether an exported file still says what the trained network says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from distill.data.dataset import Pictures
from distill.judging.networks import Network, normalised, probability_of
from distill.metrics.evaluate import evaluate
from distill.metrics.image import dice_iou
from distill.metrics.rows import POOLED
from engine.model_card import InputCard, OutputCard, Parity
from engine.runtime.auto.difference import Difference
from engine.runtime.auto.frames import stored_frames
from engine.runtime.auto.parity import LEAST_DICE, compare_maps, is_same
from engine.types import F32, U8, Size

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


def on_video(exact: Network, exported: Network, card: InputCard, output: OutputCard) -> Difference:
    """How far apart they are on frames of the bundled demonstration: most validation images are stills."""
    mean, std = np.array(card.mean, np.float32), np.array(card.std, np.float32)

    def steps(network: Network, frame: U8) -> U8:
        probability = probability_of(network, normalised(frame, mean, std), output)
        return np.asarray(np.round(255 * probability), np.uint8)

    frames = stored_frames(Size(card.width_px, card.height_px))
    return compare_maps(((steps(exact, frame), steps(exported, frame)) for frame in frames), 0.5)


def refusal(row: Parity, video: Difference) -> str | None:
    """Why an int8 network stays out, None when it may stay in."""
    if row.dice_drop >= MAX_DICE_DROP:
        return f"it is worse by {100 * row.dice_drop:.2f} points, {100 * MAX_DICE_DROP:.1f} are too many"
    if not is_same(video, "int8"):
        least = LEAST_DICE["int8"]
        return f"its masks on video agree to Dice {video.pooled_dice:.3f} only, not to {least} or more"
    return None
