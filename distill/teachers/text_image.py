"""Vision towers of text-and-image models: CLIP, OWL-ViT, OWLv2, BiomedCLIP, MedCLIP."""

from __future__ import annotations

from typing import Any

import transformers
from torch import Tensor, nn

from distill.recipe import TeacherPart
from distill.teachers.base import CLIP_MEAN, CLIP_STD, Blueprint, NetworkTeacher, Supply, Teacher, TeacherCard
from distill.teachers.geometry import patch_map
from distill.teachers.tokens import Tower, blueprint_of
from distill.teachers.weights import fill, state_of
from engine.models.torchvision_guard import ensure_torchvision

MEDCLIP_GREY, MEDCLIP_STD = 0.5862785803043838, 0.27950088968644304  # medclip/constants.py


def blueprint(part: TeacherPart) -> Blueprint:
    """Of clip_base, clip_large, owlvit_base, owlv2_base, biomedclip or medclip."""
    return {
        "clip_base": lambda: _clip("clip_base", "base", 768, 12, 12, 16),
        "clip_large": lambda: _clip("clip_large", "large", 1024, 24, 16, 14),
        "owlvit_base": lambda: _owl("owlvit_base", "google/owlvit-base-patch32", "OwlViT", 768, 32),
        "owlv2_base": lambda: _owl("owlv2_base", "google/owlv2-base-patch16-ensemble", "Owlv2", 960, 16),
        "biomedclip": _biomedclip,
        "medclip": _medclip,
    }[part.name]()


def _clip(name: str, size: str, width: int, layers: int, heads: int, patch_px: int) -> Blueprint:
    card = TeacherCard(
        name=name,
        hub_id=f"openai/clip-vit-{size}-patch{patch_px}",
        licence="MIT",
        commercial=True,
        mean=CLIP_MEAN,
        std=CLIP_STD,
        size_px=22 * patch_px,  # the student's stride-16 grid at 352
        stride=patch_px,
        channels=width,
    )
    options = {
        "hidden_size": width,
        "intermediate_size": 4 * width,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "image_size": 224,
        "patch_size": patch_px,
    }
    return blueprint_of(card, Tower("CLIPVisionModel", "CLIPVisionConfig", options))


def _owl(name: str, hub_id: str, family: str, size_px: int, patch_px: int) -> Blueprint:
    card = TeacherCard(
        name=name,
        hub_id=hub_id,
        licence="Apache-2.0",
        commercial=True,
        mean=CLIP_MEAN,
        std=CLIP_STD,
        size_px=size_px,
        stride=patch_px,
        channels=768,
    )
    options = {
        "hidden_size": 768,
        "intermediate_size": 3072,
        "num_hidden_layers": 12,
        "num_attention_heads": 12,
        "image_size": size_px,
        "patch_size": patch_px,
    }
    return blueprint_of(card, Tower(f"{family}VisionModel", f"{family}VisionConfig", options))


def _biomedclip() -> Blueprint:
    card = TeacherCard(
        name="biomedclip",
        hub_id="microsoft/BiomedCLIP-PubMedBERT_256-vit_base_patch16_224",
        licence="MIT",
        commercial=True,
        mean=CLIP_MEAN,
        std=CLIP_STD,
        size_px=224,
        stride=16,
        channels=768,
        note="its vision trunk is timm's vit_base_patch16_224; the text tower stays on the shelf",
    )
    return Blueprint(card, _build_biomedclip)


def _build_biomedclip(card: TeacherCard, supply: Supply) -> Teacher:
    ensure_torchvision()
    import timm

    stored = {} if supply.tiny else state_of(card, supply, "open_clip_pytorch_model.bin")
    depth: dict[str, Any] = {"depth": 1} if supply.tiny else {}
    network: nn.Module = timm.create_model(
        "vit_base_patch16_224", num_classes=0, dynamic_img_size=True, **depth
    )
    if not supply.tiny:
        fill(network, stored, card, prefix="visual.trunk.")
    return NetworkTeacher(card, network, _read_timm_tokens)


def _read_timm_tokens(network: nn.Module, image: Tensor) -> Tensor:
    return patch_map(network.forward_features(image), network.num_prefix_tokens)  # type: ignore[operator, arg-type]


def _medclip() -> Blueprint:
    card = TeacherCard(
        name="medclip",
        hub_id="medclip-vit-pretrained (RyanWangZf/MedCLIP)",
        licence="MIT",
        commercial=True,
        mean=(MEDCLIP_GREY,) * 3,
        std=(MEDCLIP_STD,) * 3,
        size_px=224,
        stride=32,
        channels=768,
        note="a Swin-T of transformers with MedCLIP's key names; colour instead of grey, learned from X-rays",
    )
    return Blueprint(card, _build_medclip, fixed_size=True)


def _build_medclip(card: TeacherCard, supply: Supply) -> Teacher:
    # Its weights are an archive on the authors' storage, on no hub.
    stored = {} if supply.tiny else state_of(card, supply, hub_file="")
    layers = (1, 1, 1, 1) if supply.tiny else (2, 2, 6, 2)
    config = transformers.SwinConfig(image_size=card.size_px, embed_dim=96, depths=list(layers))
    model = transformers.SwinModel(config, add_pooling_layer=False)
    if not supply.tiny:
        fill(model, stored, card, prefix="vision_model.model.")
    return NetworkTeacher(card, model, _read_swin)


def _read_swin(network: nn.Module, image: Tensor) -> Tensor:
    return patch_map(network(pixel_values=image).last_hidden_state, prefix=0)
