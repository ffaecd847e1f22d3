"""Self-supervised vision transformers: DINOv2, DINOv3, I-JEPA, RAD-DINO."""

from __future__ import annotations

from typing import Any

from distill.recipe import TeacherPart
from distill.teachers.base import IMAGENET_MEAN, IMAGENET_STD, Blueprint, TeacherCard
from distill.teachers.tokens import Tower, blueprint_of

# width, layers, heads
SIZES = {"small": (384, 12, 6), "base": (768, 12, 12), "large": (1024, 24, 16), "giant": (1536, 40, 24)}
RAD_DINO_GREY, RAD_DINO_STD = 0.5307, 0.2583  # of its preprocessor_config.json: one value for every channel
DINOV2_PX = 308  # 22 x 22: the student's stride-16 grid at 352 without resampling
DINOV3_PX = 352


def blueprint(part: TeacherPart) -> Blueprint:
    """Of dinov2_*, dinov3_*, ijepa_huge or rad_dino."""
    family, _, size = part.name.partition("_")
    if family == "dinov2":
        return _dinov2(part.name, size)
    if family == "dinov3":
        return _dinov3(part.name, size)
    return _ijepa() if family == "ijepa" else _rad_dino()


def transformer_options(size: str, **more: Any) -> dict[str, Any]:
    """Of SIZES, in the words of a transformers configuration, and more."""
    width, layers, heads = SIZES[size]
    return {"hidden_size": width, "num_hidden_layers": layers, "num_attention_heads": heads, **more}


def _dinov2(name: str, size: str) -> Blueprint:
    size, _, registers = size.partition("_")
    with_registers = "-with-registers" if registers else ""
    card = TeacherCard(
        name=name,
        hub_id=f"facebook/dinov2{with_registers}-{size}",
        licence="Apache-2.0",
        commercial=True,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        size_px=DINOV2_PX,
        stride=14,
        channels=SIZES[size][0],
    )
    options = transformer_options(size, image_size=518, patch_size=14, use_swiglu_ffn=size == "giant")
    if registers:
        tower = Tower(
            "Dinov2WithRegistersModel",
            "Dinov2WithRegistersConfig",
            {**options, "num_register_tokens": 4},
            prefix=(1, "num_register_tokens"),
            interpolates=False,  # by itself
        )
    else:
        tower = Tower("Dinov2Model", "Dinov2Config", options, interpolates=False)
    return blueprint_of(card, tower)


def _dinov3(name: str, size: str) -> Blueprint:
    width = SIZES[size][0]
    card = TeacherCard(
        name=name,
        hub_id=f"facebook/dinov3-vit{size[0]}16-pretrain-lvd1689m",
        licence="DINOv3 licence (gated: accept it on the hub first)",
        commercial=True,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        size_px=DINOV3_PX,
        stride=16,
        channels=width,
    )
    options = transformer_options(size, intermediate_size=4 * width, patch_size=16, num_register_tokens=4)
    # Rotary positions: any grid, nothing to stretch.
    tower = Tower(
        "DINOv3ViTModel", "DINOv3ViTConfig", options, prefix=(1, "num_register_tokens"), interpolates=False
    )
    return blueprint_of(card, tower)


def _ijepa() -> Blueprint:
    card = TeacherCard(
        name="ijepa_huge",
        hub_id="facebook/ijepa_vith14_1k",
        licence="CC-BY-NC-4.0",
        commercial=False,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        size_px=DINOV2_PX,
        stride=14,
        channels=1280,
    )
    options = {
        "hidden_size": 1280,
        "num_hidden_layers": 32,
        "num_attention_heads": 16,
        "intermediate_size": 5120,
        "layer_norm_eps": 1e-6,
        "image_size": 224,
        "patch_size": 14,
    }
    return blueprint_of(card, Tower("IJepaModel", "IJepaConfig", options, prefix=()))  # it has no class token


def _rad_dino() -> Blueprint:
    card = TeacherCard(
        name="rad_dino",
        hub_id="microsoft/rad-dino",
        licence="MIT",
        commercial=True,
        mean=(RAD_DINO_GREY,) * 3,
        std=(RAD_DINO_STD,) * 3,
        size_px=518,
        stride=14,
        channels=768,
        note="learned from X-rays",
    )
    options = transformer_options("base", image_size=518, patch_size=14)
    return blueprint_of(card, Tower("Dinov2Model", "Dinov2Config", options, interpolates=False))
