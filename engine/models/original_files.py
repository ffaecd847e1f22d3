"""Encoders as their authors publish them: what the file is called, and its keys where timm has others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Original:
    """`file`: how the name of the authors' .pth begins. `keys`: (pattern, replacement), one after another."""

    file: str
    keys: tuple[tuple[str, str], ...] = ()

    def timm_key(self, key: str) -> str:
        for pattern, replacement in self.keys:
            key = re.sub(pattern, replacement, key)
        return key


# PVTv2 (2106.13797) counts stages from 1 and keeps patch embeddings and norms beside them.
_PVT_KEYS = (
    (r"^patch_embed1\.", "patch_embed."),
    *((rf"^patch_embed{n}\.", f"stages.{n - 1}.downsample.") for n in (2, 3, 4)),
    *((rf"^block{n}\.", f"stages.{n - 1}.blocks.") for n in (1, 2, 3, 4)),
    *((rf"^norm{n}\.", f"stages.{n - 1}.norm.") for n in (1, 2, 3, 4)),
    (r"\.dwconv\.dwconv\.", ".dwconv."),
)

# By timm's name. Res2Net50-v1b's keys (1904.01169) are timm's own.
ORIGINALS: Mapping[str, Original] = {
    "res2net50d": Original("res2net50_v1b_26w_4s"),
    **{f"pvt_v2_b{size}": Original(f"pvt_v2_b{size}", _PVT_KEYS) for size in range(6)},
}
