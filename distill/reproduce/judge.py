"""A finished run on the test images of its index, all protocols, set by set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from distill.data.index import UNLABELLED, Index, Record
from distill.judging.maps import measure_all
from distill.judging.run import trained_samples
from distill.judging.trained import trained_run
from distill.metrics.report import report
from distill.metrics.table import write_table
from engine.faults import FaultCode, FaultError
from engine.jobs.folder import TEST_IMAGES


def held_out(index: Index) -> tuple[Record, ...]:
    """Those that the data's own lists keep for testing. Raises FaultError DATA_SET when there are none."""
    records = tuple(
        record for record in index.records if record.split == "test" and record.label != UNLABELLED
    )
    if not records:
        raise FaultError(
            FaultCode.DATA_SET,
            expected="images that a published list keeps for testing (TrainDataset and TestDataset folders)",
            got=f"an index without any: {index.root}",
            remedy="make it with python -m distill prepare from such folders",
        )
    return records


def judge_run(run: Path, index: Index) -> dict[str, Any]:
    """The figures as `evaluate` writes them, with `sets`; those of every image go to TEST_IMAGES in the run.

    Raises FaultError ARGUMENT, DATA_SET.
    """
    records, trained = held_out(index), trained_run(run)
    trained.belonging.check(index)
    images = measure_all(trained_samples(trained, index.root, records))
    write_table(run / TEST_IMAGES, images)
    return report(images)
