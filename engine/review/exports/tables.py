"""The list of findings as a table."""

from __future__ import annotations

import csv

from engine.review.exports.export import Export

NAME = "findings.csv"
COLUMNS = (
    *("number", "who", "verdict", "start_s", "end_s", "duration_s", "first_frame", "last_frame"),
    *("best_frame", "peak", "share_of_field", "model", "preset", "threshold", "note"),
)


def write(job: Export) -> None:
    """Of the range, those that begin in it. Raises OSError."""
    first, last = job.range or (0, 2**31 - 1)
    rows = [row for row in job.review.rows if first <= row.first_rank <= last]
    if job.selection.objects is not None:
        rows = [row for row in rows if job.selection.objects.intersection(row.findings)]
    analysis = job.review.analysis
    with (job.folder / NAME).open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for number, row in enumerate(rows, 1):
            times = [f"{at_s:.6f}" for at_s in (row.start_s, row.end_s, row.lasted_s)]
            ranks = [row.first_rank, row.last_rank, row.best_rank]
            shares = [f"{row.peak:.4f}", f"{row.field_frac:.6f}"]
            made_by = [analysis.model_id, analysis.preset, f"{analysis.point.threshold:g}"]
            said = row.verdict.value or "open"
            table.writerow([number, row.who, said, *times, *ranks, *shares, *made_by, row.note])
    job.counts["findings"] = len(rows)
