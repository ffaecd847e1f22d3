"""An experiment's table: the figures of every image, of every seed of every arm, compressed beside its page.

`docs/experiments/NAME.csv.xz` is where the figures of `NAME.md` come from: `python -m distill compare` makes
them again. One arm is the control, which had nothing of what was tried.
"""

from __future__ import annotations

import csv
import io
import lzma
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from distill.judging.compare import DICE_OR_SILENCE, Difference, compare
from distill.metrics.measure import Case
from distill.metrics.table import SHARE, Row
from engine.faults import FaultCode, FaultError
from engine.files.whole import write_bytes

ENDING = ".csv.xz"
CONTROL = "control"
FIGURES = ("dice", "iou", "lesions", "hits", "false_detections")  # an image has those it can have
COLUMNS = ("arm", "seed", "name", "set", "group", *FIGURES, SHARE)
WITH_SILENCE = (
    "All images: Dice, and where there is no polyp 1 for an image without any false detection, else 0:"
)
Arms = Mapping[str, Mapping[str, Sequence[Row]]]  # by arm and seed


def write_arms(path: Path, arms: Arms) -> None:
    """The whole table, one line an image of a seed of an arm. The same arms give the same bytes."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n", restval="")
    writer.writeheader()
    for arm, seeds in arms.items():
        for seed, rows in seeds.items():
            for row in rows:
                place = {"name": row.case.name, "set": row.case.set, "group": row.case.group}
                numbers = {name: f"{row.figures[name]:.6g}" for name in FIGURES if name in row.figures}
                if row.polyp_share is not None:
                    numbers[SHARE] = f"{row.polyp_share:.6g}"
                writer.writerow({"arm": arm, "seed": seed, **place, **numbers})
    write_bytes(path, lzma.compress(text.getvalue().encode(), preset=9 | lzma.PRESET_EXTREME))


def read_arms(path: Path) -> Arms:
    """What `write_arms` wrote. Raises FaultError DATA_SET: no such file, other columns, no number."""
    arms: dict[str, dict[str, list[Row]]] = {}
    try:
        with lzma.open(path, "rt", encoding="utf-8", newline="") as stream:
            for line in csv.DictReader(stream):
                figures = {name: float(line[name]) for name in FIGURES if line[name]}
                share = float(line[SHARE]) if line.get(SHARE) else None  # the first tables do not tell it
                row = Row(Case(line["name"], line["set"], line["group"]), figures, share)
                arms.setdefault(line["arm"], {}).setdefault(line["seed"], []).append(row)
    except (OSError, EOFError, lzma.LZMAError, KeyError, TypeError, ValueError, csv.Error) as error:
        raise _no_table(path, f"{type(error).__name__}: {error}") from error
    if CONTROL not in arms or len(arms) < 2:
        raise _no_table(path, f"the arms {', '.join(arms)}" if arms else "no image at all")
    return arms


def kept(arms: Arms, a: Sequence[Sequence[Row]], b: Sequence[Sequence[Row]], arm: str) -> Arms:
    """`arms` with another: `a` are the control's seeds and `b` those of `arm`, numbered from 1.

    Raises FaultError ARGUMENT: the name `control`, or an experiment with another control.
    """
    control, other = ({str(n): rows for n, rows in enumerate(side, 1)} for side in (a, b))
    there = arms.get(CONTROL, control)
    same = all(_dice(there[seed]) == _dice(rows) for seed, rows in control.items() if seed in there)
    if arm == CONTROL or not same:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected="an arm beside the control that the experiment has",
            got="the control's own name" if arm == CONTROL else "another control",
            remedy="name it with --arm" if arm == CONTROL else "keep it in a table of its own",
        )
    return {**arms, CONTROL: {**there, **control}, arm: other}


def _dice(rows: Sequence[Row]) -> list[tuple[str, str]]:
    return [(row.case.name, f"{row.figures.get('dice', -1):.6g}") for row in rows]


def experiment_text(arms: Arms) -> str:
    """Markdown: every arm beside the control of its seeds, set by set. Raises FaultError as `compare`."""
    return "\n\n".join(_arm_text(arm, arms) for arm in arms if arm != CONTROL)


def _arm_text(arm: str, arms: Arms) -> str:
    seeds = [seed for seed in arms[arm] if seed in arms[CONTROL]]
    paired = len(seeds) == len(arms[arm])
    a = [arms[CONTROL][seed] for seed in seeds] if paired else list(arms[CONTROL].values())
    b = list(arms[arm].values())
    polyps, both = (_rows(arm, compare(a, b, figure)) for figure in ("dice", DICE_OR_SILENCE))
    return "\n\n".join((f"`{arm}`, Dice of the images with a polyp:", polyps, WITH_SILENCE, both))


def _rows(arm: str, differences: Sequence[Difference]) -> str:
    def lines() -> Iterator[str]:
        yield f"| set | images | {CONTROL} | {arm} | difference | p |"
        yield "|---|---|---|---|---|---|"
        for d in differences:
            interval = f"{d.difference:+.3f} [{d.low:+.3f}, {d.high:+.3f}]"
            yield f"| {d.set} | {d.images} | {d.a:.3f} | {d.b:.3f} | {interval} | {d.p:.3f} |"

    return "\n".join(lines())


def _no_table(path: Path, got: str) -> FaultError:
    return FaultError(
        FaultCode.DATA_SET,
        expected=f"an experiment's table with a {CONTROL} and another arm in {path}",
        got=got,
        remedy="make it with: python -m distill compare --a RUN ... --b RUN ... --keep FILE --arm NAME",
    )
