"""A finished run on the test images of its index, all protocols, set by set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from distill.data.dataset import Pictures
from distill.data.index import Index, Record
from distill.export import Trained, trained_run
from distill.metrics.measure import Case, Sample
from distill.metrics.report import report
from distill.networks import Network, maps_of, torch_network
from distill.score import measure_all
from engine.faults import FaultCode, FaultError
from engine.model_folder import InputCard, OutputCard
from engine.models import make_student

AT_ONCE = 64  # pictures in memory: a test image may have two megapixels


def held_out(index: Index) -> tuple[Record, ...]:
    """Those that the data's own lists keep for testing. Raises FaultError DATA_SET when there are none."""
    records = tuple(record for record in index.records if record.split == "test")
    if not records:
        raise FaultError(
            FaultCode.DATA_SET,
            expected="images that a published list keeps for testing (TrainDataset and TestDataset folders)",
            got=f"an index without any: {index.root}",
            remedy="make it with python -m distill prepare from such folders",
        )
    return records


def judge_run(run: Path, index: Index) -> dict[str, Any]:
    """The figures as `evaluate` writes them, with `sets`. Raises FaultError ARGUMENT, DATA_SET."""
    records = held_out(index)
    trained = trained_run(run)
    return report(measure_all(_samples(trained, index.root, records)))


def _samples(trained: Trained, root: Path, records: Sequence[Record]) -> Iterator[Sample]:
    recipe = trained.recipe
    student = make_student(recipe.student.name, recipe.student.args).eval()
    own = student.state_dict()
    student.load_state_dict({key: trained.weights[key].to(own[key].dtype) for key in own})
    network: Network = torch_network(student)
    size_px = recipe.export_size_px
    card = InputCard(
        width_px=size_px,
        height_px=size_px,
        colour="RGB",
        mean=recipe.student.mean,
        std=recipe.student.std,
        resize="squash-area",
    )
    for start in range(0, len(records), AT_ONCE):
        some = records[start : start + AT_ONCE]
        pictures = Pictures(root, some)
        maps = maps_of(network, pictures, card, OutputCard(kind="logits"))
        for record, probability, mask in zip(some, maps, pictures.masks, strict=True):
            yield Sample(Case(record.image, record.set, record.group), probability, mask)
