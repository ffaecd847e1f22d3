"""C-RADIO: NVIDIA's agglomerated encoders."""

from __future__ import annotations

from typing import Any

import transformers
from torch import Tensor, nn

from distill.recipe import TeacherPart
from distill.teachers.base import (
    CLIP_MEAN,
    CLIP_STD,
    UNCHANGED_MEAN,
    UNCHANGED_STD,
    Blueprint,
    NetworkTeacher,
    Supply,
    Teacher,
    TeacherCard,
)
from distill.teachers.geometry import patch_map
from distill.teachers.weights import fill, from_transformers, state_of
from engine.models.torchvision_guard import ensure_torchvision

LICENCE = "NVIDIA Open Model License"
SIZE_PX = 352  # any multiple of 16
V3_WIDTHS = {"base": 768, "large": 1024, "huge": 1280}
V4 = {
    "huge": ("nvidia/C-RADIOv4-H", 1280, 32, 16, 4.0),
    "so400m": ("nvidia/C-RADIOv4-SO400M", 1152, 27, 16, 4304 / 1152),
}


def blueprint(part: TeacherPart) -> Blueprint:
    """Of c_radio_v3_{base,large,huge} or c_radio_v4_{huge,so400m}."""
    version, _, size = part.name.removeprefix("c_radio_").partition("_")
    v3 = version == "v3"
    card = TeacherCard(
        name=part.name,
        hub_id=f"timm/vit_{size}_patch16_radio_v3.c_radio" if v3 else V4[size][0],
        licence=LICENCE,
        commercial=True,
        # Version 4 of transformers takes 0..1 and normalises inside; timm's version 3 does not.
        mean=CLIP_MEAN if v3 else UNCHANGED_MEAN,
        std=CLIP_STD if v3 else UNCHANGED_STD,
        size_px=SIZE_PX,
        stride=16,
        channels=V3_WIDTHS[size] if v3 else V4[size][1],
        note="timm's conversion of version 3: transformers has version 4 only" if v3 else "",
    )
    return Blueprint(card, _build_v3 if v3 else _build_v4)


def _build_v3(card: TeacherCard, supply: Supply) -> Teacher:
    ensure_torchvision()
    import timm
    from timm.models.vision_transformer import checkpoint_filter_fn

    stored = {} if supply.tiny else state_of(card, supply, "model.safetensors")
    name = card.hub_id.removeprefix("timm/").removesuffix(".c_radio")
    depth: dict[str, Any] = {"depth": 1} if supply.tiny else {}
    network: Any = timm.create_model(name, num_classes=0, img_size=card.size_px, **depth)
    if not supply.tiny:
        # timm's own filter stretches the position embeddings to this size.
        fill(network, checkpoint_filter_fn(stored, network), card)
    return NetworkTeacher(card, network, _read_v3)


def _read_v3(network: Any, image: Tensor) -> Tensor:
    return patch_map(network.forward_features(image), network.num_prefix_tokens)


def _build_v4(card: TeacherCard, supply: Supply) -> Teacher:
    _, width, layers, heads, mlp_ratio = next(row for row in V4.values() if row[0] == card.hub_id)
    config = transformers.RadioConfig(
        hidden_size=width,
        num_hidden_layers=1 if supply.tiny else layers,
        num_attention_heads=heads,
        mlp_ratio=mlp_ratio,
        # The table of positions is stretched from this; a test need not hold 16,384 of them.
        max_img_size=card.size_px if supply.tiny else 2048,
    )
    network = from_transformers(transformers.RadioModel, config, card, supply)
    return NetworkTeacher(card, network, _read_v4)


def _read_v4(network: nn.Module, image: Tensor) -> Tensor:
    return patch_map(network(pixel_values=image).features, prefix=0)  # summary tokens are not among them
