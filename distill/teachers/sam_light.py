"""The encoders of MobileSAM and EfficientSAM, which no package offers: timm's parts and SAM's neck."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn, zeros

from engine.models.torchvision_guard import ensure_torchvision

NECK_CHANNELS = 256
PRETRAINED_GRID = 14  # EfficientSAM's position embeddings: 224 px in patches of 16, and one for a class token


class ChannelNorm(nn.LayerNorm):
    """LayerNorm over the channels of [B, C, h, w]."""

    def forward(self, maps: Tensor) -> Tensor:
        return super().forward(maps.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def neck(width: int) -> nn.Sequential:
    """SAM's: [B, width, h, w] -> [B, 256, h, w]."""
    return nn.Sequential(
        nn.Conv2d(width, NECK_CHANNELS, kernel_size=1, bias=False),
        ChannelNorm(NECK_CHANNELS, eps=1e-6),
        nn.Conv2d(NECK_CHANNELS, NECK_CHANNELS, kernel_size=3, padding=1, bias=False),
        ChannelNorm(NECK_CHANNELS, eps=1e-6),
    )


class MobileSamEncoder(nn.Module):
    """TinyViT-5M whose last stage keeps its size: image [B, 3, H, W] -> [B, 256, H / 16, W / 16].

    Source: MobileSAM (2306.14289); its code gives the third merging stride 1.
    """

    def __init__(self) -> None:
        super().__init__()
        ensure_torchvision()
        import timm

        trunk: Any = timm.create_model("tiny_vit_5m_224", num_classes=0)
        trunk.stages[3].downsample.conv2.conv.stride = (1, 1)
        self.patch_embed, self.stages = trunk.patch_embed, trunk.stages
        self.neck = neck(width=320)

    def forward(self, image: Tensor) -> Tensor:
        found: Tensor = self.neck(self.stages(self.patch_embed(image)))
        return found


def mobile_sam_key(key: str) -> str:
    """Our name for a tensor of mobile_sam.pt, where a stage ends with the merging that opens our next one."""
    parts = key.replace(".c.", ".conv.").split(".")
    if parts[0] == "layers":
        stage = int(parts[1]) + (parts[2] == "downsample")
        parts[:2] = ["stages", str(stage)]
    if parts[:2] == ["patch_embed", "seq"]:
        parts[1:3] = ["conv1" if parts[2] == "0" else "conv2"]
    return ".".join(parts)


class EfficientSamEncoder(nn.Module):
    """A plain ViT with global attention: image [B, 3, H, W] -> [B, 256, H / 16, W / 16].

    Source: EfficientSAM (2312.00863).
    """

    def __init__(self, width: int, heads: int, depth: int) -> None:
        super().__init__()
        ensure_torchvision()
        from timm.models.vision_transformer import Block

        norm: Any = partial(nn.LayerNorm, eps=1e-6)
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(3, width, kernel_size=16, stride=16)})
        self.pos_embed = nn.Parameter(zeros(1, PRETRAINED_GRID**2 + 1, width))
        self.blocks = nn.Sequential(
            *(Block(width, heads, qkv_bias=True, norm_layer=norm) for _ in range(depth))
        )
        self.neck = neck(width)

    def forward(self, image: Tensor) -> Tensor:
        maps = self.patch_embed["proj"](image)
        # The class token's embedding is stored first and never used.
        learned = self.pos_embed[:, 1:].transpose(1, 2).reshape(1, -1, PRETRAINED_GRID, PRETRAINED_GRID)
        maps = maps + F.interpolate(learned, maps.shape[-2:], mode="bicubic", align_corners=False)
        tokens = self.blocks(maps.flatten(2).transpose(1, 2))
        found: Tensor = self.neck(tokens.transpose(1, 2).reshape(maps.shape))
        return found
