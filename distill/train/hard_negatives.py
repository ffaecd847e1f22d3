"""Hard negatives: polyp-free training images that the network a training goes on from marks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from distill.data.dataset import Pictures, fields_of
from distill.train.setup import Setup
from distill.train.validate import maps_of

THRESHOLD = 0.5


def hard_negatives(setup: Setup, beat: Callable[[], None]) -> tuple[int, ...]:
    """Their positions in the training side, whole or with the endoscope's picture alone; as exported, at the
    size of the last epoch. To be called before the first step: `trainer.average` is the start until then.

    Shrivastava et al., Training Region-based Object Detectors with Online Hard Example Mining, CVPR 2016,
    look again at every step; here once is enough, as trainings that go on are short.
    """
    train = setup.datasets.train
    free = [position for position, mask in enumerate(train.masks) if not mask.any()]
    whole = Pictures(Path(), ())  # none that a file holds
    for position in free:
        whole.add(train.records[position], train.images[position], train.masks[position])
    size_px = setup.recipe.size_px_of(setup.recipe.epochs - 1)
    marked = set()
    for pictures in (whole, fields_of(whole)):
        maps = maps_of(setup.trainer.module, setup.trainer.average, pictures, size_px, beat)
        marked |= {position for position, found in zip(free, maps, strict=True) if found.max() > THRESHOLD}
    return tuple(sorted(marked))
