"""SAM and DINOv2 as the published notebook runs them, for the preset `notebook` and for nothing else.

Its stock processors: SAM pads the picture to a square and the padding stays in the map; DINOv2 cuts the
centre out, which is then laid over the student's whole frame. And SAM's "features" are its three masks
without any prompt, each of them three times: 9 channels of rank 3. Source:
docs/published-method.md, findings 3 and 4.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
import transformers
from torch import Tensor, nn

from distill.recipe import TeacherPart
from distill.teachers import sam, vit
from distill.teachers.base import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    Blueprint,
    NetworkTeacher,
    Supply,
    Teacher,
    TeacherCard,
)
from distill.teachers.geometry import patch_map
from distill.teachers.weights import from_transformers

SHORT_SIDE_PX, CROP_PX = 256, 224
SAM_PX, MASK_STRIDE, TIMES = 1024, 4, 3
NOTE = "the notebook's own geometry and channels, faults included"


def blueprint(part: TeacherPart) -> Blueprint:
    """Of sam_notebook or dinov2_notebook."""
    is_sam = part.name == "sam_notebook"
    card = TeacherCard(
        name=part.name,
        hub_id="facebook/sam-vit-base" if is_sam else "facebook/dinov2-base",
        licence="Apache-2.0",
        commercial=True,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        size_px=SAM_PX if is_sam else CROP_PX,
        stride=MASK_STRIDE if is_sam else 14,
        channels=3 * TIMES if is_sam else 768,
        note=NOTE,
    )
    return Blueprint(card, _build_sam if is_sam else _build_dinov2, fixed_size=True)


class PaddedTeacher(NetworkTeacher):
    """Longest side to the input's, zeros after the scaling below it and to the right."""

    def prepare(self, image: Tensor) -> Tensor:
        size_px = self.card.size_px
        if image.shape[-2:] == (size_px, size_px):
            return image
        height, width = (round(side * size_px / max(image.shape[-2:])) for side in image.shape[-2:])
        image = F.interpolate(image, (height, width), mode="bilinear", antialias=True, align_corners=False)
        # Filled with the mean, which the scaling makes 0.
        square = self.get_buffer("mean").to(image.device).expand(len(image), 3, size_px, size_px).clone()
        square[..., :height, :width] = image
        return square


class CroppedTeacher(NetworkTeacher):
    """Shortest side to 256 px, and of that the middle 224: 57 to 67 % of a frame of 4:3."""

    def prepare(self, image: Tensor) -> Tensor:
        crop_px = self.card.size_px
        if image.shape[-2:] == (crop_px, crop_px):
            return image
        short_px = crop_px * SHORT_SIDE_PX // CROP_PX
        height, width = (round(side * short_px / min(image.shape[-2:])) for side in image.shape[-2:])
        image = F.interpolate(image, (height, width), mode="bicubic", antialias=True, align_corners=False)
        top, left = (height - crop_px) // 2, (width - crop_px) // 2
        return image[..., top : top + crop_px, left : left + crop_px].clamp(0, 1)


def _build_sam(card: TeacherCard, supply: Supply) -> Teacher:
    config = transformers.SamConfig(
        vision_config=sam.vision_config(card, supply, "base"),
        prompt_encoder_config=transformers.SamPromptEncoderConfig(image_size=card.size_px),
    )
    model: Any = from_transformers(transformers.SamModel, config, card, supply)
    return PaddedTeacher(card, model, _read_unprompted_masks)


def _read_unprompted_masks(network: nn.Module, image: Tensor) -> Tensor:
    masks = network(pixel_values=image).pred_masks[:, 0]  # [B, 3, 256, 256]
    return torch.sigmoid(masks).repeat(1, TIMES, 1, 1)


def _build_dinov2(card: TeacherCard, supply: Supply) -> Teacher:
    options = vit.transformer_options("base", image_size=518, patch_size=14)
    config = transformers.Dinov2Config(**{**options, **({"num_hidden_layers": 1} if supply.tiny else {})})
    network = from_transformers(transformers.Dinov2Model, config, card, supply)
    return CroppedTeacher(card, network, _read_dinov2)


def _read_dinov2(network: nn.Module, image: Tensor) -> Tensor:
    return patch_map(network(pixel_values=image).last_hidden_state, prefix=1)
