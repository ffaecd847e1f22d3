"""Universal segmenters: the pixel decoder's stride-8 map of OneFormer and Mask2Former."""

from __future__ import annotations

from typing import Any

import transformers
from torch import Tensor, nn

from distill.recipe import TeacherPart
from distill.teachers.base import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    Blueprint,
    NetworkTeacher,
    Supply,
    Teacher,
    TeacherCard,
)
from distill.teachers.weights import from_transformers

STRIDE = 8
SWIN_LARGE: dict[str, Any] = {
    "embed_dim": 192,
    "depths": [2, 2, 18, 2],
    "num_heads": [6, 12, 24, 48],
    "window_size": 12,
}
SWIN_TINY: dict[str, Any] = {
    "embed_dim": 24,
    "depths": [1, 1, 1, 1],
    "num_heads": [1, 2, 4, 8],
    "window_size": 7,
}


def blueprint(part: TeacherPart) -> Blueprint:
    """Of oneformer or mask2former.

    Both are read after the pixel decoder, before any query: the class and task tokens play no part.
    """
    one = part.name == "oneformer"
    card = TeacherCard(
        name=part.name,
        hub_id="shi-labs/oneformer_coco_swin_large"
        if one
        else "facebook/mask2former-swin-large-coco-panoptic",
        licence="MIT" if one else "other (the hub names none: read it there)",
        commercial=one,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        size_px=800 if one else 384,
        stride=STRIDE,
        channels=256,
    )
    return Blueprint(card, _build_oneformer if one else _build_mask2former)


def _backbone(supply: Supply) -> Any:
    shape = SWIN_TINY if supply.tiny else {**SWIN_LARGE, "image_size": 384}
    return transformers.SwinConfig(  # type: ignore[call-arg]
        out_features=["stage1", "stage2", "stage3", "stage4"], **shape
    )


def _build_oneformer(card: TeacherCard, supply: Supply) -> Teacher:
    few: dict[str, Any] = {
        "encoder_layers": 1,
        "decoder_layers": 2,
        "dim_feedforward": 64,
        "text_encoder_num_layers": 1,
    }
    config = transformers.OneFormerConfig(backbone_config=_backbone(supply), **(few if supply.tiny else {}))
    model: Any = from_transformers(transformers.OneFormerModel, config, card, supply)
    return NetworkTeacher(card, model.pixel_level_module, _read_oneformer)


def _read_oneformer(module: nn.Module, image: Tensor) -> Tensor:
    return _at_stride(module(image).decoder_features, image)


def _build_mask2former(card: TeacherCard, supply: Supply) -> Teacher:
    few: dict[str, Any] = {"encoder_layers": 1, "decoder_layers": 2, "dim_feedforward": 64}
    config = transformers.Mask2FormerConfig(backbone_config=_backbone(supply), **(few if supply.tiny else {}))
    model: Any = from_transformers(transformers.Mask2FormerModel, config, card, supply)
    return NetworkTeacher(card, model.pixel_level_module, _read_mask2former)


def _read_mask2former(module: nn.Module, image: Tensor) -> Tensor:
    return _at_stride(module(image).decoder_hidden_states, image)


def _at_stride(maps: Any, image: Tensor) -> Tensor:
    """By size and not by place in the list: the two packages order their maps differently."""
    height = image.shape[-2] // STRIDE
    found: Tensor = next(one for one in maps if one.shape[-2] == height)
    return found
