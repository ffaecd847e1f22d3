"""Weights of teachers: from a file the user has, or from the hub; without them one clear sentence."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from distill.teachers.base import Supply, TeacherCard
from distill.weights_at_hand import HUB_PAGE, weights_folder
from engine.faults import FaultCode, FaultError
from engine.models.tensor_file import read_tensors

WITHOUT = "; or train without teachers: --set 'distil.teachers=[]'"


def state_of(card: TeacherCard, supply: Supply, hub_file: str) -> dict[str, Tensor]:
    """The tensors of the user's file, or of `hub_file` in the card's hub repository ("": not on the hub)."""
    if supply.weights:
        return read_tensors(Path(supply.weights))
    if not hub_file:
        raise _missing(card, "they are on no hub")
    from huggingface_hub import hf_hub_download

    _silence()
    try:
        return read_tensors(Path(hf_hub_download(card.hub_id, hub_file, revision=card.revision)))
    except OSError as error:
        raise _missing(card, f"the hub could not be reached or refused ({type(error).__name__})") from error


def fill(
    network: nn.Module,
    stored: Mapping[str, Tensor],
    card: TeacherCard,
    prefix: str = "",
    rename: Callable[[str], str] = lambda key: key,
) -> nn.Module:
    """The network with its weights in place, from the keys under `prefix`; what it has no use for stays out.

    Raises FaultError MODEL_LOAD unless every tensor of the network is there in its shape.
    """
    found = {
        rename(key.removeprefix(prefix)): value for key, value in stored.items() if key.startswith(prefix)
    }
    own = network.state_dict()
    wrong = [key for key in own if key not in found or found[key].shape != own[key].shape]
    if wrong:
        raise _misfit(card, f"{len(wrong)} missing or misshapen, first {wrong[0]}", len(own))
    network.load_state_dict({key: found[key].to(own[key].dtype) for key in own})
    return network


def from_transformers(model: Any, config: Any, card: TeacherCard, supply: Supply) -> nn.Module:
    """A model of the package transformers: random, of a folder or file, or of the hub.

    `model` is the class, `config` our own configuration; a folder and the hub bring theirs, and it counts.
    Raises FaultError MODEL_MISSING (no file, offline) or MODEL_LOAD (other weights).
    """
    if supply.tiny:
        network: nn.Module = model(config)
        return network
    _silence()
    path = Path(supply.weights)
    asked = {"output_loading_info": True, "dtype": torch.float32}
    try:
        if supply.weights and not path.is_dir():
            network, info = model.from_pretrained(None, config=config, state_dict=read_tensors(path), **asked)
        elif supply.weights:
            network, info = model.from_pretrained(path, local_files_only=True, **asked)
        else:
            network, info = model.from_pretrained(card.hub_id, revision=card.revision, **asked)
    except (OSError, ValueError) as error:
        if supply.weights:
            raise _misfit(card, str(error).partition("\n")[0], 0) from error
        raise _missing(card, f"the hub could not be reached or refused ({type(error).__name__})") from error
    except RuntimeError as error:  # tensors of other shapes
        raise _misfit(card, str(error).partition("\n")[0], len(model(config).state_dict())) from error
    if info["missing_keys"]:
        first = min(info["missing_keys"])
        got = f"{len(info['missing_keys'])} missing, first {first}"
        raise _misfit(card, got, len(network.state_dict()))
    return network


def _silence() -> None:
    """No news: what a checkpoint holds besides (text towers, heads), and every try to reach the hub.

    Offline the hub's package tries for 25 s before it gives up; HF_HUB_OFFLINE=1 spares that.
    """
    for name in ("transformers", "huggingface_hub"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _missing(card: TeacherCard, why: str) -> FaultError:
    on_hub = card.hub_id.count("/") == 1 and " " not in card.hub_id
    get = f"download {HUB_PAGE}{card.hub_id} " if on_hub else f"get {card.hub_id or 'them'} "
    return FaultError(
        FaultCode.MODEL_MISSING,
        expected=f"the weights of the teacher {card.name} ({card.hub_id})",
        got=why,
        remedy="download them once where there is a network, or name a local file as the teacher's weights",
        said=f"The weights of the teacher {card.name} are not at hand ({why}): {get}and save their file or "
        f"folder as {weights_folder() / card.name} (.safetensors, .pth), or name it in the recipe"
        f"{WITHOUT}.",
    )


def _misfit(card: TeacherCard, got: str, tensors: int) -> FaultError:
    return FaultError(
        FaultCode.MODEL_LOAD,
        expected=f"all {tensors} tensors of {card.name}" if tensors else f"the weights of {card.name}",
        got=got,
        remedy=f"give the weights of {card.hub_id or card.name}",
    )
