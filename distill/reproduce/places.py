"""Where the weights that a plan begins with come from: a file at hand, or what to get and where to put it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from distill.recipe import IMAGENET, Recipe
from distill.teachers import card_of
from distill.weights_at_hand import encoder_file, located, not_at_hand, weights_folder


def places(recipes: Iterable[Recipe], data_root: Path | None) -> dict[str, str]:
    """By encoder of the students and by teacher; without data the user's own folder is looked into alone.

    Nothing is read or fetched.
    """
    data_root = data_root or weights_folder().parent
    found: dict[str, str] = {}
    for recipe in recipes:
        student = recipe.student
        if student.pretrained == IMAGENET:
            encoder = str(student.args.get("encoder", ""))
            path = encoder_file(encoder, data_root)
            found[f"{student.name}: {encoder}"] = (
                str(path) if path else f"the hub, or: {not_at_hand(encoder, 'no file').remedy}"
            )
        for teacher in recipe.distil.cached_teachers:
            weights = located(teacher, data_root).weights
            hub = card_of(teacher).hub_id
            found[teacher.name] = weights or f"{hub}, or a file or folder {weights_folder() / teacher.name}"
    return found
