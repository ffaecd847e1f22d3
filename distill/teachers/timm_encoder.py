"""Any timm encoder with feature maps, from a local file: "timm:ENCODER"."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from distill.recipe import TeacherPart
from distill.teachers.base import Blueprint, NetworkTeacher, Supply, Teacher, TeacherCard
from distill.teachers.weights import WITHOUT
from distill.weights_at_hand import not_at_hand
from engine.faults import FaultCode, FaultError
from engine.models.encoder import load_pretrained, make_encoder
from engine.models.torchvision_guard import ensure_torchvision

STRIDE = 16
SIZE_PX = 352  # of an encoder that takes any size: 22 x 22, the student's grid
NON_COMMERCIAL = ("-nc", "noncommercial", "non-commercial")


def blueprint(part: TeacherPart) -> Blueprint:
    """Of "timm:ENCODER": its map at stride 16. Raises FaultError ARGUMENT for an encoder without one."""
    ensure_torchvision()
    import timm

    name = part.name.partition(":")[2]
    # Also says what is wrong with a name that timm does not know.
    channels: list[int] = make_encoder(name, (STRIDE,)).feature_info.channels()  # type: ignore[union-attr, operator]
    about: Any = timm.get_pretrained_cfg(name)
    if about is None:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected="an encoder whose scaling timm knows",
            got=name,
            remedy="choose one with pretrained weights",
        )
    licence = about.license or "not named by timm"
    card = TeacherCard(
        name=part.name,
        hub_id=about.hf_hub_id or f"timm/{name}",
        licence=licence,
        commercial=not any(word in licence.lower() for word in NON_COMMERCIAL),
        mean=about.mean,
        std=about.std,
        size_px=about.input_size[-1] if about.fixed_input_size else SIZE_PX,
        stride=STRIDE,
        channels=channels[0],
    )
    return Blueprint(card, _build, fixed_size=bool(about.fixed_input_size))


def _build(card: TeacherCard, supply: Supply) -> Teacher:
    network = make_encoder(card.name.partition(":")[2], (STRIDE,))
    if not supply.tiny:
        try:
            load_pretrained(network, supply.weights or f"hf-hub:{card.hub_id}")
        except FaultError as fault:
            if fault.code is not FaultCode.MODEL_MISSING:
                raise
            raise not_at_hand(card.name.partition(":")[2], fault.got, WITHOUT) from fault
    return NetworkTeacher(card, network, _read)


def _read(network: Any, image: Tensor) -> Tensor:
    (found,) = network(image)
    return found if isinstance(found, Tensor) else found[0]
