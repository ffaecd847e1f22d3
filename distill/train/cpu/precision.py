"""The precision that a training takes on this machine."""

from __future__ import annotations

import logging

import torch

from distill.recipe import Recipe

log = logging.getLogger(__name__)


def fitting(recipe: Recipe) -> Recipe:
    """`recipe`, in float32 if it asks for bf16 and all there is is a processor that has none.

    Such processors compute bf16 in software: a step of the recipe `accurate_on` took 27 s instead of 2.2 s on
    an AVX2 one. The change is part of the recipe from here on, so that `run.json` tells it and a run that
    goes on elsewhere stays equal bit by bit.
    """
    if recipe.precision != "bf16" or torch.cuda.is_available() or has_bf16():
        return recipe
    log.info("this processor has no bf16 instructions: training in float32 instead")
    return recipe.model_copy(update={"precision": "float32"})


def has_bf16() -> bool:
    """Whether this processor multiplies bf16 itself."""
    return any(has for name, has in torch.cpu.get_capabilities().items() if name.endswith("bf16"))
