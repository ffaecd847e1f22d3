"""timm encoders: the pretrained half of a student."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn

from engine.faults import FaultCode, FaultError
from engine.models.torchvision_guard import ensure_torchvision

DECODER_STRIDES = (4, 8, 16, 32)


def make_encoder(name: str, strides: tuple[int, ...] = DECODER_STRIDES) -> nn.Module:
    """An untrained encoder: image [B, 3, H, W] -> list of maps [B, C_i, H / s_i, W / s_i], one a stride.

    `feature_info.channels()` of it tells the C_i. Raises FaultError ARGUMENT when timm has no such encoder or
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
    probe: Any = timm.create_model(name, pretrained=False, features_only=True)
    reductions = probe.feature_info.reduction()
    if not set(strides) <= set(reductions):
        raise FaultError(
            FaultCode.ARGUMENT,
            expected=f"an encoder with maps at strides {strides}",
            got=f"{name} with strides {tuple(reductions)}",
            remedy="choose another encoder",
        )
    indices = tuple(reductions.index(stride) for stride in strides)
    encoder: nn.Module = timm.create_model(name, pretrained=False, features_only=True, out_indices=indices)
    return encoder


def load_pretrained(encoder: nn.Module, source: str) -> None:
    """Fill the encoder in place from a safetensors file in timm's key names, or from the hub.

    `source` is a path, or a hub name such as "hf-hub:timm/tf_efficientnet_lite0.in1k". A classifier in the
    file is left out; every key of the encoder must be there. fp16 is widened.
    Raises FaultError MODEL_MISSING (no such file, no network) or MODEL_LOAD (another network's weights).
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = Path(source) if not source.startswith("hf-hub:") else _from_hub(source)
    if not path.is_file():
        raise FaultError(
            FaultCode.MODEL_MISSING,
            expected="a safetensors file with the encoder's pretrained weights",
            got=f"no file {path}",
            remedy="give the path of one, or a hub name that starts with hf-hub:",
        )
    try:
        stored = load_file(path)
    except SafetensorError as error:
        raise FaultError(
            FaultCode.MODEL_LOAD,
            expected=f"{path.name} to be a safetensors file",
            got=str(error),
            remedy="download it again",
        ) from error
    own = encoder.state_dict()
    missing = sorted(set(own) - set(stored))
    misshapen = [key for key in own if key in stored and own[key].shape != stored[key].shape]
    if missing or misshapen:
        raise FaultError(
            FaultCode.MODEL_LOAD,
            expected=f"all {len(own)} tensors of the encoder in {path.name}",
            got=f"{len(missing)} missing, {len(misshapen)} misshapen, first {(missing + misshapen)[0]}",
            remedy="give the weights of the same timm model",
        )
    encoder.load_state_dict({key: stored[key].to(own[key].dtype) for key in own})


def _from_hub(source: str) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(hf_hub_download(source.removeprefix("hf-hub:"), "model.safetensors"))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise FaultError(
            FaultCode.MODEL_MISSING,
            expected=f"pretrained weights from {source}",
            got=f"the hub could not be reached ({type(error).__name__})",
            remedy="go online once, or give the path of a local safetensors file",
        ) from error
