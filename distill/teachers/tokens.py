"""Vision transformers of the package transformers: tokens in rows, some of them of no place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import transformers
from torch import Tensor, nn

from distill.teachers.base import Blueprint, NetworkTeacher, Supply, Teacher, TeacherCard
from distill.teachers.geometry import patch_map
from distill.teachers.weights import from_transformers


@dataclass(frozen=True, slots=True)
class Tower:
    """How to build it and read it. `model` and `config` are class names; `prefix` are the config's counts of
    tokens without a place, a number for one that is always there; `call` is said with every picture."""

    model: str
    config: str
    options: Mapping[str, Any]
    prefix: tuple[str | int, ...] = (1,)
    interpolates: bool = True  # it must be asked to stretch its position embeddings

    def build(self, card: TeacherCard, supply: Supply) -> Teacher:
        options = {**self.options, "num_hidden_layers": 1} if supply.tiny else dict(self.options)
        config = getattr(transformers, self.config)(**options)
        network = from_transformers(getattr(transformers, self.model), config, card, supply)
        return NetworkTeacher(card, network, partial(_read, tower=self))


def blueprint_of(card: TeacherCard, tower: Tower) -> Blueprint:
    return Blueprint(card, tower.build)


def _read(network: nn.Module, image: Tensor, tower: Tower) -> Tensor:
    options: Any = network.config
    # Counted from the configuration: models with registers have 4 more than those without.
    prefix = sum(part if isinstance(part, int) else getattr(options, part) for part in tower.prefix)
    asked = {"interpolate_pos_encoding": True} if tower.interpolates else {}
    return patch_map(network(pixel_values=image, **asked).last_hidden_state, prefix)
