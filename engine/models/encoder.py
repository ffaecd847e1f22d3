"""timm encoders: the pretrained half of a student."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from engine.faults import FaultCode, FaultError
from engine.files.whole import sha256_of
from engine.model_card import EncoderCard
from engine.models.original_files import ORIGINALS
from engine.models.tensor_file import read_tensors
from engine.models.torchvision_guard import ensure_torchvision

DECODER_STRIDES = (4, 8, 16, 32)
HUB = "hf-hub:"


def make_encoder(name: str, strides: tuple[int, ...] = DECODER_STRIDES) -> nn.Module:
    """An untrained encoder: image [B, 3, H, W] -> list of maps [B, C_i, H / s_i, W / s_i], one a stride.

    `channels_of` tells the C_i. Raises FaultError ARGUMENT when timm has no such encoder or
    it has no map at one of the strides.
    """
    ensure_torchvision()
    import timm

    if name not in timm.list_models():
        raise FaultError(
            FaultCode.ARGUMENT,
            expected="an encoder that timm has",
            got=f"{name!r}",
            remedy=f"choose one of timm's, such as tf_efficientnet_lite0 (timm {timm.__version__})",
        )
    with torch.device("meta"):  # only to be asked
        probe: Any = timm.create_model(name, pretrained=False, features_only=True)
    reductions = probe.feature_info.reduction()
    if not set(strides) <= set(reductions):
        raise FaultError(
            FaultCode.ARGUMENT,
            expected=f"an encoder with maps at strides {strides}",
            got=f"{name} with strides {tuple(reductions)}",
            remedy="choose another encoder",
        )
    # A transformer has many maps at one stride, numbered as its blocks: the last one knows most.
    last = dict(zip(reductions, probe.feature_info.out_indices, strict=True))
    indices = tuple(last[stride] for stride in strides)
    encoder: nn.Module = timm.create_model(name, pretrained=False, features_only=True, out_indices=indices)
    return encoder


def channels_of(encoder: nn.Module) -> list[int]:
    """Of the maps of `make_encoder`, in their order."""
    info: Any = encoder.feature_info
    return list(info.channels())


def load_pretrained(encoder: nn.Module, source: str) -> EncoderCard:
    """Fill the encoder in place from a file in the key names of timm or of its authors, or from the hub.

    `source` is a path (safetensors, or a torch file of plain tensors), or a hub name such as
    "hf-hub:timm/tf_efficientnet_lite0.in1k". A classifier in the file is left out; every key of the encoder
    must be there in its shape. fp16 is widened. Gives what a model card says of it, with the scaling and the
    padding that the weights were trained with.
    Raises FaultError MODEL_MISSING (no such file, no network) or MODEL_LOAD (another network's weights).
    """
    name = _name_of(encoder)
    _refuse_another(name, source)
    path = _from_hub(source) if source.startswith(HUB) else Path(source)
    if not path.is_file():
        raise FaultError(
            FaultCode.MODEL_MISSING,
            expected="a file with the encoder's pretrained weights",
            got=f"no file {path}",
            remedy=f"give the path of one, or a hub name that starts with {HUB}",
        )
    stored = read_tensors(path)
    if name in ORIGINALS:
        stored = {ORIGINALS[name].timm_key(key): value for key, value in stored.items()}
    found = {key: _stored(stored, key) for key in encoder.state_dict()}
    encoder.load_state_dict(_fitting(encoder, found, path))
    return _card(encoder, name, source if source.startswith(HUB) else path.name, sha256_of(path))


def _stored(stored: dict[str, Tensor], key: str) -> Tensor | None:
    return stored.get(key, stored.get(timm_key(key)))


def timm_key(key: str) -> str:
    """timm's own, whatever its feature wrappers made of it: "stages_0.", "model.blocks.0."."""
    return re.sub(r"^([a-z]+)_(\d+)\.", r"\1.\2.", key.removeprefix("model."))


def _fitting(encoder: nn.Module, found: dict[str, Tensor | None], path: Path) -> dict[str, Tensor]:
    """The tensors in the encoder's own types. Raises FaultError MODEL_LOAD: one missing or unlike."""
    fitting: dict[str, Tensor] = {}
    missing, misshapen = [], []
    for key, own in encoder.state_dict().items():
        tensor = found[key]
        if tensor is None:
            missing.append(key)
        elif tensor.shape != own.shape:
            misshapen.append(key)
        else:
            fitting[key] = tensor.to(own.dtype)
    if missing or misshapen:
        raise FaultError(
            FaultCode.MODEL_LOAD,
            expected=f"all {len(found)} tensors of the encoder in {path.name}",
            got=f"{len(missing)} missing, {len(misshapen)} misshapen, first {sorted(missing + misshapen)[0]}",
            remedy="give the weights of the same timm model",
        )
    return fitting


def _refuse_another(name: str, source: str) -> None:
    """tf_efficientnet_lite0 loads into efficientnet_lite0, key by key, and is wrong: the padding differs."""
    import timm

    said = Path(source.removeprefix(HUB)).name
    named = max((known for known in timm.list_models() if said.startswith(known)), key=len, default=name)
    if named != name:
        raise FaultError(
            FaultCode.MODEL_LOAD,
            expected=f"weights of the encoder {name}",
            got=f"{said}, which names {named}",
            remedy=f"give the weights of {name}, or choose the encoder {named}",
        )


def _name_of(encoder: nn.Module) -> str:
    config: Any = getattr(encoder, "pretrained_cfg", None)
    if config is None:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected="a student with a timm encoder",
            got="one whose encoder has no pretrained weights anywhere (U-Net, U-Net++)",
            remedy="leave student.pretrained out",
        )
    return str(config["architecture"])


def _card(encoder: nn.Module, name: str, source: str, sha256: str) -> EncoderCard:
    import timm
    from timm.layers.conv2d_same import Conv2dSame

    # A hub name tells the training run by its tag; the scaling may be its own.
    tagged = timm.get_pretrained_cfg(source.rpartition("/")[2]) if source.startswith(HUB) else None
    config: Any = dataclasses.asdict(tagged) if tagged else encoder.pretrained_cfg
    is_same = any(isinstance(module, Conv2dSame) for module in encoder.modules())
    return EncoderCard(
        name=name,
        source=source,
        sha256=sha256,
        mean=config["mean"],
        std=config["std"],
        padding="same" if is_same else "symmetric",
    )


def _from_hub(source: str) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(hf_hub_download(source.removeprefix(HUB), "model.safetensors"))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise FaultError(
            FaultCode.MODEL_MISSING,
            expected=f"pretrained weights from {source}",
            got=f"the hub could not be reached ({type(error).__name__})",
            remedy="go online once, or give the path of a local safetensors file",
        ) from error
