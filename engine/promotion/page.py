"""What a person reads: an acceptance as a table with a row a measure, and the promotion log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.model_in_use import Promotion
from engine.promotion.acceptance import Acceptance
from engine.promotion.measures import MEASURES, Outcome, Row, Where

MARK = "*"  # beside the better one, where the interval says so
HEAD = ("", "in use", "candidate", "difference, 95 %")


def acceptance_text(acceptance: Acceptance) -> str:
    """Plain text, ending with the sentence."""
    ours, theirs = acceptance.candidate, acceptance.in_use
    lines = [f"in use     {theirs.id}  ({theirs.engine})", f"candidate  {ours.id}  ({ours.engine})", ""]
    cells = [HEAD]
    for where in Where:
        some = [row for row in acceptance.rows if row.where is where]
        if some:
            of = ", ".join(f"{one.name} ({one.amount})" for one in acceptance.data if one.where is where)
            cells.append((f"{where}{f': {of}' if of else ''}", "", "", ""))
            cells += [_cells(row) for row in some]
    lines += _table(cells)
    lines += ["", *_notes(acceptance), "", acceptance.sentence]
    return "\n".join(lines)


def _cells(row: Row) -> tuple[str, str, str, str]:
    measure = MEASURES[row.measure]
    told = row.outcome
    first, second = (f"{value:.{measure.digits}f}" for value in (row.in_use, row.candidate))
    difference = "too few to tell"
    if row.low is not None and row.high is not None:
        change = row.candidate - row.in_use
        difference = f"{_signed(change, measure.digits)} ({_signed(row.low, measure.digits)} to "
        difference += f"{_signed(row.high, measure.digits)})"
    return (
        f"  {measure.said}, {measure.unit}",
        first + (MARK if told is Outcome.WORSE else " "),
        second + (MARK if told is Outcome.BETTER else " "),
        difference,
    )


def _signed(value: float, digits: int) -> str:
    return f"{value:+.{digits}f}" if round(value, digits) else f"{0:.{digits}f}"


def _table(cells: Sequence[tuple[str, str, str, str]]) -> Iterator[str]:
    rows = [row for row in cells if any(row[1:])]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for name, first, second, difference in cells:
        if not (first or second):
            yield name
        else:
            yield f"{name:<{widths[0]}}  {first:>{widths[1]}}  {second:>{widths[2]}}  {difference}".rstrip()


def _notes(acceptance: Acceptance) -> Iterator[str]:
    parity = acceptance.parity
    stored = parity.stored_dice
    kept = (
        "its card has no mask to compare" if stored is None else f"Dice {stored:.3f} to the mask in its card"
    )
    yield (
        f"Parity of the candidate: {kept}; here to the exact network on {parity.images} frames Dice "
        f"{parity.pooled_dice:.4f}, largest difference of a probability {parity.max_dp:.3f}."
    )
    yield (
        f"{MARK} better: the 95 % interval of the difference leaves out zero. "
        f"Measured in {acceptance.took_s:.0f} s."
    )


def log_lines(promotions: Sequence[Promotion], current: str) -> Iterator[str]:
    """One a promotion, the newest first; `current`: the folder of the model in use."""
    for number, one in reversed([*enumerate(promotions, 1)]):
        what = "used" if one.kind == "use" else "went back to"
        judged = f", {one.judged.verdict}" if one.judged else ""
        reason = f', "{one.reason}"' if one.reason else ""
        name = one.model.folder or f"{one.model.id} (the program's own)"
        is_now = "  <- in use" if number == len(promotions) and one.model.folder == current else ""
        at = one.at_utc[:16].replace("T", " ")
        yield f"{number:3}  {at}  {one.who} {what} {name}{judged}{reason}{is_now}"
