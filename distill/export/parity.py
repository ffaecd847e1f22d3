"""Whether an exported file still says what the trained network says."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from distill.data.dataset import Pictures
from distill.judging.networks import (
    Network,
    normalised,
    onnx_network,
    openvino_network,
    probability_of,
)
from distill.metrics.evaluate import evaluate
from distill.metrics.image import dice_iou
from distill.metrics.measure import Sample
from distill.metrics.pixels import at_native_size
from distill.metrics.rows import POOLED
from engine.faults import FaultCode, FaultError
from engine.model_card import InputCard, OutputCard, Parity
from engine.runtime.auto.difference import Difference
from engine.runtime.auto.frames import stored_frames
from engine.runtime.auto.parity import LEAST_DICE, compare_maps, is_same
from engine.types import F32, U8, Size

log = logging.getLogger(__name__)

MAX_DICE_DROP = 0.003  # 0.3 points, what int8 may cost
MAX_F32_DP = 0.02  # another order of the same sums
FEW = 4  # frames, where nothing is measured but that two networks are the same


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


def compare_samples(file: str, runtime: str, exact: Iterable[Sample], exported: Iterable[Sample]) -> Parity:
    """The same of two networks judged through the live path on the same images, one at a time."""
    dps, masks, drops = [], [], []
    for a, b in zip(exact, exported, strict=True):
        dps.append(float(np.abs(a.probability - b.probability).max()))
        before, after = (at_native_size(one.probability, one.mask) > 0.5 for one in (a, b))
        masks.append(dice_iou(after, before.astype(np.uint8))[0])
        drops.append(dice_iou(before, a.mask)[0] - dice_iou(after, b.mask)[0])
    return Parity(
        file=file,
        runtime=runtime,
        images=len(dps),
        max_dp=round(max(dps), 5),
        mask_dice=round(float(np.mean(masks)), 5),
        dice_drop=round(float(np.mean(drops)), 5),
    )


def on_video(exact: Network, exported: Network, card: InputCard, output: OutputCard) -> Difference:
    """How far apart they are on frames of the bundled demonstration: most validation images are stills."""
    mean, std = np.array(card.mean, np.float32), np.array(card.std, np.float32)

    def steps(network: Network, frame: U8) -> U8:
        probability = probability_of(network, normalised(frame, mean, std), output)
        return np.asarray(np.round(255 * probability), np.uint8)

    frames = stored_frames(Size(card.width_px, card.height_px))
    return compare_maps(((steps(exact, frame), steps(exported, frame)) for frame in frames), 0.5)


def check_on_video(exact: Network, onnx: Path, card: InputCard, output: OutputCard) -> None:
    """That the exported file gives the exact network's probabilities on some of those frames.

    Raises FaultError OUTPUT where it does not.
    """
    mean, std = np.array(card.mean, np.float32), np.array(card.std, np.float32)
    frames = stored_frames(Size(card.width_px, card.height_px), count=FEW)
    images = [normalised(frame, mean, std) for frame in frames]
    maps = [probability_of(exact, image, output) for image in images]
    for runtime, exported in float_networks(onnx).items():
        again = (probability_of(exported, image, output) for image in images)
        apart = max(float(np.abs(a - b).max()) for a, b in zip(maps, again, strict=True))
        log.info("%s %s: at most %.5f apart on the demonstration", onnx.name, runtime, apart)
        if apart > MAX_F32_DP:
            raise unlike(runtime, apart)


def float_networks(onnx: Path) -> dict[str, Network]:
    return {"onnxruntime f32": onnx_network(onnx), "openvino f32": openvino_network(onnx, "f32")}


def unlike(runtime: str, apart: float) -> FaultError:
    return FaultError(
        FaultCode.OUTPUT,
        expected=f"{runtime} to say what torch says, within {MAX_F32_DP}",
        got=f"a difference of {apart}",
        remedy="report this with the versions of torch, onnx and the runtime",
    )


def refusal(row: Parity, video: Difference) -> str | None:
    """Why an int8 network stays out, None when it may stay in."""
    if row.dice_drop >= MAX_DICE_DROP:
        return f"it is worse by {100 * row.dice_drop:.2f} points, {100 * MAX_DICE_DROP:.1f} are too many"
    if not is_same(video, "int8"):
        least = LEAST_DICE["int8"]
        return f"its masks on video agree to Dice {video.pooled_dice:.3f} only, not to {least} or more"
    return None
