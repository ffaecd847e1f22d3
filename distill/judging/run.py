"""Maps of a run's averaged weights, in torch: to look at a run before it is exported."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from distill.data.dataset import Pictures
from distill.data.index import Record, load_index
from distill.data.splits import split_of
from distill.judging.networks import maps_of, torch_network
from distill.judging.trained import Trained
from distill.metrics.measure import Case, Sample
from engine.model_card import InputCard, OutputCard

AT_ONCE = 64  # pictures in memory: one may have two megapixels


def validation_samples(trained: Trained, data_root: Path) -> Iterator[Sample]:
    """Maps of the averaged weights on the split that the run's recipe keeps for validation."""
    index = load_index(data_root)
    trained.belonging.check(index)
    split = split_of(index.records, trained.data)
    yield from trained_samples(trained, data_root, [index.records[i] for i in split.validation])


def trained_samples(trained: Trained, data_root: Path, records: Sequence[Record]) -> Iterator[Sample]:
    """Maps of the averaged weights in torch, at the size that the recipe exports."""
    part = trained.student
    network = torch_network(trained.network())
    card = InputCard(
        width_px=trained.size_px,
        height_px=trained.size_px,
        colour="RGB",
        mean=part.mean,
        std=part.std,
        resize="squash-area",
    )
    for start in range(0, len(records), AT_ONCE):
        some = records[start : start + AT_ONCE]
        pictures = Pictures(data_root, some)
        maps = maps_of(network, pictures, card, OutputCard(kind="logits"), trained.region)
        for record, probability, mask in zip(some, maps, pictures.masks, strict=True):
            yield Sample(Case(record.image, record.set, record.group), probability, mask)
