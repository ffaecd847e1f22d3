"""A SAM of either package as one network: a picture is embedded once, then asked for masks again and again.

Segment Anything (Kirillov 2023, arXiv 2304.02643): points and a rough mask are prompts of a light decoder.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from engine.faults import FaultCode, FaultError
from engine.models.tensor_file import read_tensors
from engine.models.torchvision_guard import ensure_torchvision
from engine.types import U8

MEAN = np.array((123.675, 116.28, 103.53), np.float32)
STD = np.array((58.395, 57.12, 57.375), np.float32)
BEFORE_LOGIT = 6.0  # how sure a mask that is there already is said to be
SIZES = {768: "vit_b", 1024: "vit_l", 1280: "vit_h"}  # width of the encoder in `segment_anything`


@dataclass(frozen=True, slots=True)
class Sam:
    """`embed`: [1, 3, s, s] to an embedding. `decode`: of an embedding, points [n, 2] in pixels of the square
    of `size_px`, labels [n] and a rough mask [m, m] of logits or None, to logits [k, m, m] and how good each
    is said to be, [k].
    """

    size_px: int
    mask_px: int
    embed: Callable[[Tensor], Any]
    decode: Callable[[Any, Tensor, Tensor, Tensor | None], tuple[Tensor, Tensor]]


class Looking:
    """At one picture."""

    def __init__(self, sam: Sam, picture: U8) -> None:
        """picture: uint8 [h, w, 3] RGB."""
        self._sam = sam
        self._high, self._wide = picture.shape[:2]
        self._scale = sam.size_px / max(self._high, self._wide)
        self._size = max(1, round(self._wide * self._scale)), max(1, round(self._high * self._scale))
        with torch.inference_mode():
            self._embedding = sam.embed(self._input(picture))

    def mask(self, points: Sequence[tuple[float, float, bool]], before: U8 | None) -> U8:
        """Of clicks (x, y in the picture's pixels, inside or not) and of a mask, uint8 [h, w]: the same."""
        sam = self._sam
        where = torch.tensor([[x * self._scale, y * self._scale] for x, y, _ in points])
        labels = torch.tensor([int(inside) for *_, inside in points])
        with torch.inference_mode():
            logits, good = sam.decode(self._embedding, where, labels, self._rough(before))
        best = logits[int(good.argmax())].float().numpy()
        whole = cv2.resize(best, (sam.size_px, sam.size_px), interpolation=cv2.INTER_LINEAR)
        cut = whole[: self._size[1], : self._size[0]]
        full = cv2.resize(cut, (self._wide, self._high), interpolation=cv2.INTER_LINEAR)
        return (full > 0.0).astype(np.uint8)

    def _input(self, picture: U8) -> Tensor:
        small = cv2.resize(picture, self._size, interpolation=cv2.INTER_AREA).astype(np.float32)
        values = np.zeros((self._sam.size_px, self._sam.size_px, 3), np.float32)
        values[: self._size[1], : self._size[0]] = (small - MEAN) / STD
        return torch.from_numpy(values).permute(2, 0, 1)[None]

    def _rough(self, before: U8 | None) -> Tensor | None:
        if before is None or not before.any():
            return None
        part = self._sam.mask_px / self._sam.size_px
        size = max(1, round(self._size[0] * part)), max(1, round(self._size[1] * part))
        small = cv2.resize(before.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        rough = np.full((self._sam.mask_px, self._sam.mask_px), -BEFORE_LOGIT, np.float32)
        rough[: size[1], : size[0]] = (2 * small - 1) * BEFORE_LOGIT
        return torch.from_numpy(rough)


def read_sam(path: Path) -> Sam:
    """Of a folder as `transformers` keeps it, or of the authors' file. Only tensors are read, nothing is run.

    Raises FaultError MODEL_MISSING, MODEL_LOAD or EXTRA_MISSING.
    """
    ensure_torchvision()
    if path.is_file() and (path.parent / "config.json").is_file() and path.suffix == ".safetensors":
        path = path.parent
    return _of_folder(path) if path.is_dir() else _of_file(path)


def _of_folder(folder: Path) -> Sam:
    try:
        transformers: Any = importlib.import_module("transformers")
    except ImportError as error:
        raise _package("transformers") from error
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    try:
        config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
        if config.model_type != "sam":
            raise _other(folder, f"a model of the type {config.model_type}")
        network, info = transformers.SamModel.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, output_loading_info=True, dtype=torch.float32
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise _other(folder, str(error).strip().partition("\n")[0]) from error
    if missing := info["missing_keys"]:
        raise _other(folder, f"{len(missing)} tensors are missing, such as {min(missing)}")
    network.eval()

    def decode(embedding: Any, where: Tensor, labels: Tensor, rough: Tensor | None) -> tuple[Tensor, Tensor]:
        found = network(
            image_embeddings=embedding,
            input_points=where[None, None],
            input_labels=labels[None, None],
            input_masks=None if rough is None else rough[None, None],
            multimask_output=rough is None and len(labels) == 1,
        )
        return found.pred_masks[0, 0], found.iou_scores[0, 0]

    side = 4 * config.prompt_encoder_config.image_embedding_size
    return Sam(config.vision_config.image_size, side, network.get_image_embeddings, decode)


def _of_file(path: Path) -> Sam:
    stored = read_tensors(path)
    width = stored.get("image_encoder.patch_embed.proj.weight")
    name = SIZES.get(0 if width is None else len(width))
    if name is None:
        raise _other(path, "other tensors")
    try:
        package: Any = importlib.import_module("segment_anything")
    except ImportError as error:
        raise _package("segment-anything") from error
    network = package.sam_model_registry[name](checkpoint=None)
    try:
        network.load_state_dict(stored)
    except RuntimeError as error:
        raise _other(path, str(error).strip().partition("\n")[0]) from error
    network.eval()

    def decode(embedding: Any, where: Tensor, labels: Tensor, rough: Tensor | None) -> tuple[Tensor, Tensor]:
        sparse, dense = network.prompt_encoder(
            points=(where[None], labels[None]), boxes=None, masks=None if rough is None else rough[None, None]
        )
        masks, good = network.mask_decoder(
            image_embeddings=embedding,
            image_pe=network.prompt_encoder.get_dense_pe(),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=rough is None and len(labels) == 1,
        )
        return masks[0], good[0]

    return Sam(network.image_encoder.img_size, 256, network.image_encoder, decode)


def _package(name: str) -> FaultError:
    return FaultError(
        FaultCode.EXTRA_MISSING,
        expected=f"the package {name}",
        got="none",
        remedy="pip install 'polyplive[teachers]'",
        said=f"Clicks by a SAM model need the package {name}: pip install 'polyplive[teachers]'.",
    )


def _other(path: Path, got: str) -> FaultError:
    return FaultError(
        FaultCode.MODEL_LOAD,
        expected=f"a whole SAM model at {path}",
        got=got,
        remedy="take the folder of a SamModel (config.json and model.safetensors), or the authors' file",
        said=f"{path.name} is no whole SAM model ({got.rstrip('.')}). Take the folder of a SamModel (its "
        "config.json and model.safetensors), such as facebook/sam-vit-base, or the authors' .pth file.",
    )
