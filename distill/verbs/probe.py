"""`probe`: which forms of distillation reach a student, and which only look like it."""

from __future__ import annotations

import argparse
import itertools
import logging
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from distill.exit_codes import OK
from distill.verbs.progress import add_events_option, progress
from engine.faults import FaultCode, FaultError
from engine.files.whole import write_json, write_text
from engine.jobs.begun import begun

if TYPE_CHECKING:
    from distill.probe.probe import Collapse, Transfer

log = logging.getLogger("distill")

LOOKS = (0, 20, 40, 80, 120, 200)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seeds", type=int, default=3, help="of the toy training; default 3")
    parser.add_argument("--threads", type=int, default=1, help="of torch; default 1")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures as JSON")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables as Markdown")
    add_events_option(parser)


def run(options: argparse.Namespace) -> int:
    for name in ("seeds", "threads"):
        if getattr(options, name) < 1:
            raise FaultError(
                FaultCode.ARGUMENT,
                expected=f"--{name} of 1 or more",
                got=str(getattr(options, name)),
                remedy="correct it",
            )
    import torch

    from distill.probe.probe import BEST, NOTEBOOK, VARIANTS, ToySize, collapse, transfer

    torch.set_num_threads(options.threads)
    forms = {"notebook": NOTEBOOK, "best": BEST}
    total = len(forms) + options.seeds * len(VARIANTS)
    with begun("probe", events=options.events) as folder, progress(folder, "training") as tick:
        count = itertools.count(1)

        def done(what: str) -> None:
            tick(next(count), total)

        collapses: dict[str, list[Collapse]] = {}
        for name, part in forms.items():
            collapses[name] = collapse(part, max(LOOKS), LOOKS)
            done(f"collapse, {name}")
        transfers = [row for seed in range(options.seeds) for row in transfer(seed, ToySize(), done)]
    text = report(collapses, transfers)
    log.info("%s", text)
    if options.json:
        write_json(options.json, figures(collapses, transfers))
    if options.markdown:
        write_text(options.markdown, text)
    return OK


def figures(collapses: dict[str, list[Collapse]], transfers: list[Transfer]) -> dict[str, Any]:
    """All of it, for `--json`."""
    from dataclasses import asdict

    return {
        "schema": 1,
        "collapse": {name: [asdict(row) for row in rows] for name, rows in collapses.items()},
        "transfer": [asdict(row) for row in transfers],
    }


INTRODUCTION = """\
# Does the teacher reach the student?

Two probes of `distill/probe/probe.py`, on random pictures and random teachers: they show whether a form of
distillation can work at all, not how good it is. Made by

```sh
python -m distill probe --markdown docs/experiments/probe.md
```

## (a) Random tensors

Distillation alone; pictures and teacher tensors are drawn anew at each step, so there is nothing to learn.
A loss that vanishes here has moved its targets. Loss and spread as shares of those at the first step; the
target's spread is its standard deviation before the bands are split (of the teacher that lost most). 1 - R2
is 1 for a constant: where the loss falls and it does not, nothing was learnt.

The tensors are small here (16 x 16 places, 4 pictures), so the spread falls slowly. At the notebook's own
sizes, not run here, it is said to fall from 0.58 to 0.24, with the loss at 8 % after 120 steps and at 2 %
after 300.
"""

TOY = """
## (b) A toy training

A U-Net of width {size.width} on drawn polyps of 64 pixels, {size.train} pictures, {size.alone_steps} steps
without and {size.distil_steps} with frozen random teachers; mean of {seeds} seeds. All forms start from the
same state after the first steps and have the same weights (0.6, 0.1, 0.1). R2: a ridge read-out of each
teacher from the student's deepest map, on {size.test} held-out pictures. Random teachers know nothing of
polyps: a gain in Dice is not expected. R2 and the target's spread show what Dice hides.
"""


def report(collapses: dict[str, list[Collapse]], transfers: list[Transfer]) -> str:
    """Both tables as Markdown."""
    from distill.probe.probe import ToySize

    steps = [row.step for row in next(iter(collapses.values()))]
    lines = [INTRODUCTION, _row("step", *steps), _rule(1 + len(steps))]
    for name, rows in collapses.items():
        lines.append(_row(f"`{name}`: loss", *(f"{row.loss_share:.0%}" for row in rows)))
        lines.append(_row(f"`{name}`: target's spread", *(f"{row.std_ratio:.0%}" for row in rows)))
        lines.append(_row(f"`{name}`: 1 - R2", *(f"{row.unexplained:.2f}" for row in rows)))
    teachers = list(transfers[0].r2)
    lines += [
        TOY.format(size=ToySize(), seeds=len({row.seed for row in transfers})),
        _row("form", "Dice", *(f"R2 {name}" for name in teachers), "target's spread, start → end"),
        _rule(3 + len(teachers)),
    ]
    for variant in dict.fromkeys(row.variant for row in transfers):
        own = [row for row in transfers if row.variant == variant]
        spread = f"{fmean(row.std_start for row in own):.2g} → {fmean(row.std_end for row in own):.2g}"
        lines.append(
            _row(
                variant,
                f"{fmean(row.dice for row in own):.3f}",
                *(f"{fmean(row.r2[name] for row in own):.3f}" for name in teachers),
                spread if own[0].std_start else "-",
            )
        )
    lines += ["\nSeed by seed:\n", _row("form", "seed", "Dice", "R2 all"), _rule(4)]
    lines += [_row(r.variant, r.seed, f"{r.dice:.3f}", f"{r.r2['all']:.3f}") for r in transfers]
    return "\n".join(lines) + "\n"


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _rule(columns: int) -> str:
    return f"|{'---|' * columns}"
