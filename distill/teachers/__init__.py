"""TEACHERS: frozen networks that students are distilled from."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING

from distill.recipe import TeacherPart
from engine.faults import FaultCode, FaultError
from engine.table import Entry, choose, load

if TYPE_CHECKING:
    from distill.teachers.base import Blueprint, Teacher, TeacherCard

HUB_PREFIX = "hf-hub:"  # weights = "hf-hub:OWNER/NAME@REVISION" pins a revision or names another repository


def _family(module: str, extra: str, names: Mapping[str, str]) -> dict[str, Entry]:
    target = f"distill.teachers.{module}:blueprint"
    return {name: Entry(target, extra=extra, summary=summary) for name, summary in names.items()}


# A name may go on after a colon: "timm:ENCODER", "task:MODEL FOLDER".
TEACHERS: Mapping[str, Entry] = {
    "timm": Entry(
        "distill.teachers.timm_encoder:blueprint", extra="torch", summary="timm:ENCODER, stride 16"
    ),
    "task": Entry("distill.teachers.task:one", extra="torch", summary="task:FOLDER, or members out of fold"),
    "ensemble": Entry("distill.teachers.task:ensemble", extra="torch", summary="the mean of its members"),
    **_family(
        "vit",
        "teachers",
        {
            "dinov2_small": "DINOv2 ViT-S/14",
            "dinov2_base": "DINOv2 ViT-B/14",
            "dinov2_large": "DINOv2 ViT-L/14",
            "dinov2_giant": "DINOv2 ViT-g/14",
            "dinov2_base_registers": "DINOv2 ViT-B/14 with 4 registers",
            "dinov3_small": "DINOv3 ViT-S/16",
            "dinov3_base": "DINOv3 ViT-B/16",
            "dinov3_large": "DINOv3 ViT-L/16",
            "ijepa_huge": "I-JEPA ViT-H/14",
            "rad_dino": "RAD-DINO ViT-B/14, X-rays",
        },
    ),
    **_family(
        "sam",
        "teachers",
        {
            "sam_base": "SAM ViT-B by transformers",
            "sam_large": "SAM ViT-L by transformers",
            "sam_huge": "SAM ViT-H by transformers",
            "segment_anything_base": "SAM ViT-B by the authors' package and .pth",
            "segment_anything_large": "SAM ViT-L by the authors' package and .pth",
            "segment_anything_huge": "SAM ViT-H by the authors' package and .pth",
            "medsam": "MedSAM ViT-B",
            "mobile_sam": "MobileSAM TinyViT-5M",
            "efficient_sam_tiny": "EfficientSAM ViT-T",
            "efficient_sam_small": "EfficientSAM ViT-S",
            "sam2_tiny": "SAM 2.1 Hiera-T",
            "sam2_small": "SAM 2.1 Hiera-S",
            "sam2_baseplus": "SAM 2.1 Hiera-B+",
            "sam2_large": "SAM 2.1 Hiera-L",
        },
    ),
    **_family(
        "text_image",
        "teachers",
        {
            "clip_base": "CLIP ViT-B/16",
            "clip_large": "CLIP ViT-L/14",
            "owlvit_base": "OWL-ViT ViT-B/32",
            "owlv2_base": "OWLv2 ViT-B/16",
            "biomedclip": "BiomedCLIP ViT-B/16",
            "medclip": "MedCLIP Swin-T, X-rays",
        },
    ),
    **_family(
        "segmenter",
        "teachers",
        {"oneformer": "OneFormer Swin-L", "mask2former": "Mask2Former Swin-L"},
    ),
    **_family(
        "notebook",
        "teachers",
        {
            "sam_notebook": "SAM's masks without a prompt, three times, as the published notebook has it",
            "dinov2_notebook": "DINOv2 ViT-B/14 of the centre crop, as the published notebook has it",
        },
    ),
    **_family(
        "radio",
        "teachers",
        {
            "c_radio_v3_base": "C-RADIOv3 ViT-B/16",
            "c_radio_v3_large": "C-RADIOv3 ViT-L/16",
            "c_radio_v3_huge": "C-RADIOv3 ViT-H/16",
            "c_radio_v4_so400m": "C-RADIOv4 SO400M/16",
            "c_radio_v4_huge": "C-RADIOv4 ViT-H/16",
        },
    ),
}


def blueprint_of(part: TeacherPart, tiny: bool = False) -> Blueprint:
    """Card and builder at the size that the part asks for; no weights are read.

    `tiny`: for random weights, which fit any size. Raises FaultError ARGUMENT (unknown name, a size that does
    not fit), EXTRA_MISSING.
    """
    from engine.models.torchvision_guard import ensure_torchvision

    ensure_torchvision()  # transformers imports torchvision, too
    blueprint: Blueprint = load(choose(TEACHERS, part.name.partition(":")[0], "teacher"))(part)
    card = blueprint.card
    if part.weights.startswith(HUB_PREFIX):
        hub_id, _, revision = part.weights.removeprefix(HUB_PREFIX).partition("@")
        card = dataclasses.replace(card, hub_id=hub_id, revision=revision or card.revision)
    size_px = part.size_px or card.size_px
    if size_px % card.stride or (size_px != card.size_px and blueprint.fixed_size and not tiny):
        near = max(1, round(size_px / card.stride)) * card.stride
        wanted = f"{card.size_px}" if blueprint.fixed_size else f"a multiple of {card.stride}"
        raise FaultError(
            FaultCode.ARGUMENT,
            expected=f"{wanted} as size_px of the teacher {part.name}",
            got=str(size_px),
            remedy="leave size_px out" if blueprint.fixed_size else f"take {near}",
        )
    return dataclasses.replace(blueprint, card=dataclasses.replace(card, size_px=size_px))


def card_of(part: TeacherPart) -> TeacherCard:
    """What is known of the teacher without its weights. Raises FaultError as `blueprint_of`."""
    return blueprint_of(part).card


def make_teacher(part: TeacherPart, accept_licence: bool = False, tiny: bool = False) -> Teacher:
    """The frozen teacher with its weights. `tiny`: random weights and one layer, of the real width.

    Raises FaultError ARGUMENT (unknown name, bad size, a licence that was not accepted), MODEL_MISSING (no
    file, or offline without weights), MODEL_LOAD (other weights), EXTRA_MISSING (with the pip line).
    """
    from distill.teachers.base import Supply

    blueprint = blueprint_of(part, tiny)
    card = blueprint.card
    if not (card.commercial or accept_licence or tiny):
        raise FaultError(
            FaultCode.ARGUMENT,
            expected=f"the licence of {card.hub_id} to be accepted",
            got=f"a teacher under {card.licence}, not for commercial use",
            remedy="read it, then add --accept-licence",
        )
    weights = "" if part.weights.startswith(HUB_PREFIX) else part.weights
    return blueprint.build(card, Supply(weights, tiny)).frozen()
