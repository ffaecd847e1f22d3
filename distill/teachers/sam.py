"""The Segment Anything family: image embeddings, never masks without a prompt, which are no features."""

from __future__ import annotations

from functools import partial
from typing import Any

import transformers
from torch import Tensor, nn

from distill.recipe import TeacherPart
from distill.teachers.base import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    UNCHANGED_MEAN,
    UNCHANGED_STD,
    Blueprint,
    NetworkTeacher,
    Supply,
    Teacher,
    TeacherCard,
)
from distill.teachers.sam_light import EfficientSamEncoder, MobileSamEncoder, mobile_sam_key
from distill.teachers.weights import fill, from_transformers, state_of

SIZE_PX = 1024
# width, layers, heads, layers with global attention
SIZES = {
    "base": (768, 12, 12, (2, 5, 8, 11)),
    "large": (1024, 24, 16, (5, 11, 17, 23)),
    "huge": (1280, 32, 16, (7, 15, 23, 31)),
}
# SAM 2.1: width, blocks a stage, heads of the first stage, global blocks, windows, grid of the positions
HIERA = {
    "tiny": (96, (1, 2, 7, 2), 1, (5, 7, 9), (8, 4, 14, 7), (7, 7)),
    "small": (96, (1, 2, 11, 2), 1, (7, 10, 13), (8, 4, 14, 7), (7, 7)),
    "base-plus": (112, (2, 3, 16, 3), 2, (12, 16, 20), (8, 4, 14, 7), (14, 14)),
    "large": (144, (2, 6, 36, 4), 2, (23, 33, 43), (8, 4, 16, 8), (7, 7)),
}


def blueprint(part: TeacherPart) -> Blueprint:
    """Of sam_*, segment_anything_*, medsam, mobile_sam, efficient_sam_* or sam2_*."""
    family, _, size = part.name.rpartition("_")
    if part.name == "medsam":
        return _medsam()
    if part.name == "mobile_sam":
        return _mobile_sam()
    if family == "efficient_sam":
        return _efficient_sam(part.name, size)
    if family == "sam2":
        return _sam2(part.name, size.replace("plus", "-plus"))
    return _segment_anything(part.name, size) if family == "segment_anything" else _sam(part.name, size)


def _card(name: str, hub_id: str, note: str = "", own_scale: bool = False) -> TeacherCard:
    return TeacherCard(
        name=name,
        hub_id=hub_id,
        licence="Apache-2.0",
        commercial=True,
        mean=UNCHANGED_MEAN if own_scale else IMAGENET_MEAN,
        std=UNCHANGED_STD if own_scale else IMAGENET_STD,
        size_px=SIZE_PX,
        stride=16,
        channels=256,
        note=note,
    )


def _sam(name: str, size: str) -> Blueprint:
    return Blueprint(_card(name, f"facebook/sam-vit-{size}"), partial(_build_sam, size=size), fixed_size=True)


def _build_sam(card: TeacherCard, supply: Supply, size: str) -> Teacher:
    return NetworkTeacher(card, _sam_encoder(card, supply, size), _read_last)


def vision_config(card: TeacherCard, supply: Supply, size: str) -> Any:
    """The image encoder of a size, for the input of the card; one layer of it when tiny."""
    width, layers, heads, everywhere = SIZES[size]
    return transformers.SamVisionConfig(
        hidden_size=width,
        num_hidden_layers=1 if supply.tiny else layers,
        num_attention_heads=heads,
        global_attn_indexes=[] if supply.tiny else list(everywhere),
        image_size=card.size_px,
    )


def _sam_encoder(card: TeacherCard, supply: Supply, size: str) -> nn.Module:
    config = vision_config(card, supply, size)
    if supply.tiny:
        return transformers.SamVisionModel(config)
    whole = transformers.SamConfig(vision_config=config)
    model: Any = from_transformers(transformers.SamModel, whole, card, supply)
    encoder: nn.Module = model.vision_encoder
    return encoder


def _read_last(network: nn.Module, image: Tensor) -> Tensor:
    found: Tensor = network(image).last_hidden_state
    return found


def _segment_anything(name: str, size: str) -> Blueprint:
    card = _card(name, f"segment-anything vit_{size[0]}", note="the authors' package and their .pth files")
    return Blueprint(card, partial(_build_segment_anything, size=size), fixed_size=True)


def _build_segment_anything(card: TeacherCard, supply: Supply, size: str) -> Teacher:
    from segment_anything.modeling import ImageEncoderViT

    # Published as plain files (dl.fbaipublicfiles.com/segment_anything), on no hub.
    stored = {} if supply.tiny else state_of(card, supply, hub_file="")
    width, layers, heads, everywhere = SIZES[size]
    network: nn.Module = ImageEncoderViT(
        img_size=card.size_px,
        embed_dim=width,
        depth=1 if supply.tiny else layers,
        num_heads=heads,
        global_attn_indexes=() if supply.tiny else everywhere,
        norm_layer=partial(nn.LayerNorm, eps=1e-6),
        use_rel_pos=True,
        window_size=14,
        out_chans=256,
    )
    if not supply.tiny:
        fill(network, stored, card, prefix="image_encoder.")
    return NetworkTeacher(card, network, _read_directly)


def _read_directly(network: nn.Module, image: Tensor) -> Tensor:
    found: Tensor = network(image)
    return found


def _medsam() -> Blueprint:
    card = _card(
        "medsam", "wanglab/medsam-vit-base", note="every picture scaled to 0..1 by itself", own_scale=True
    )
    return Blueprint(card, _build_medsam, fixed_size=True)


def _build_medsam(card: TeacherCard, supply: Supply) -> Teacher:
    return NetworkTeacher(card, _sam_encoder(card, supply, "base"), _read_min_max)


def _read_min_max(network: nn.Module, image: Tensor) -> Tensor:
    """As the authors do: not by mean and std, but each picture's darkest value is 0 and its brightest 1."""
    low, high = image.amin((1, 2, 3), keepdim=True), image.amax((1, 2, 3), keepdim=True)
    return _read_last(network, (image - low) / (high - low).clamp(min=1e-8))


def _mobile_sam() -> Blueprint:
    card = _card("mobile_sam", "ChaoningZhang/MobileSAM", note="timm's TinyViT-5M with SAM's neck")
    return Blueprint(card, _build_mobile_sam, fixed_size=True)


def _build_mobile_sam(card: TeacherCard, supply: Supply) -> Teacher:
    stored = {} if supply.tiny else state_of(card, supply, hub_file="")  # mobile_sam.pt of the authors
    network = MobileSamEncoder()
    if not supply.tiny:
        fill(network, stored, card, prefix="image_encoder.", rename=mobile_sam_key)
    return NetworkTeacher(card, network, _read_directly)


def _efficient_sam(name: str, size: str) -> Blueprint:
    card = _card(name, f"yformer/EfficientSAM vit{size[0]}", note="rebuilt from timm's blocks")
    return Blueprint(card, partial(_build_efficient_sam, size=size))


def _build_efficient_sam(card: TeacherCard, supply: Supply, size: str) -> Teacher:
    stored = {} if supply.tiny else state_of(card, supply, hub_file="")
    width, heads = {"tiny": (192, 3), "small": (384, 6)}[size]
    network = EfficientSamEncoder(width, heads, depth=1 if supply.tiny else 12)
    if not supply.tiny:
        fill(network, stored, card, prefix="image_encoder.")
    return NetworkTeacher(card, network, _read_directly)


def _sam2(name: str, size: str) -> Blueprint:
    return Blueprint(
        _card(name, f"facebook/sam2.1-hiera-{size}"), partial(_build_sam2, size=size), fixed_size=True
    )


def _build_sam2(card: TeacherCard, supply: Supply, size: str) -> Teacher:
    width, blocks, heads, everywhere, windows, background = HIERA[size]
    widths = [width * 2**stage for stage in range(4)]
    finest = card.size_px // 4
    backbone = transformers.Sam2HieraDetConfig(
        hidden_size=width,
        num_attention_heads=heads,
        image_size=[card.size_px, card.size_px],
        blocks_per_stage=[1, 1, 1, 1] if supply.tiny else list(blocks),
        embed_dim_per_stage=widths,
        num_attention_heads_per_stage=[heads * 2**stage for stage in range(4)],
        window_size_per_stage=list(windows),
        global_attention_blocks=[] if supply.tiny else list(everywhere),
        window_positional_embedding_background_size=list(background),
    )
    config = transformers.Sam2VisionConfig(
        backbone_config=backbone,
        backbone_channel_list=widths[::-1],
        backbone_feature_sizes=[[finest // 2**level] * 2 for level in range(3)],
    )
    if supply.tiny:
        return NetworkTeacher(card, transformers.Sam2VisionModel(config), _read_sam2)
    whole = transformers.Sam2Config(vision_config=config)
    model: Any = from_transformers(transformers.Sam2Model, whole, card, supply)
    return NetworkTeacher(card, model.vision_encoder, _read_sam2)


def _read_sam2(network: nn.Module, image: Tensor) -> Tensor:
    side = image.shape[-1] // 16
    maps = network(image).fpn_hidden_states
    found: Tensor = next(one for one in maps if one.shape[-1] == side)
    return found
