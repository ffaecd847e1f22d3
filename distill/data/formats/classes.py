"""Which of a set's classes are the polyp: what the user names with --label, or the only one there is."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import Path

from distill.data.formats.samples import Found, Problem
from distill.data.mask_values import Value, value_named
from distill.data.masks import MaskFile
from engine.faults import FaultCode, FaultError


def with_values(found: Found, labels: Collection[str]) -> Found:
    """Mask pictures in which the values `labels` (1, #ff0000) are the polyp. Raises FaultError ARGUMENT."""
    polyp = frozenset(map(_value, labels))
    samples = tuple(
        replace(sample, mask=replace(sample.mask, polyp=polyp, colours=False))
        if isinstance(sample.mask, MaskFile)
        else sample
        for sample in found.samples
    )
    return Found(samples, found.problems)


def problems_of_labels(place: Path, there: Iterable[str], labels: Collection[str]) -> tuple[Problem, ...]:
    """`there`: the labels of all that is drawn in a set. A second one is not merged into the polyp unasked,
    and one that is asked for and not there would make every image polyp-free."""
    names = sorted(set(there))
    if not labels and len(names) > 1:
        what = f"{len(names)} labels: {', '.join(names)}; say which is the polyp: --label {names[0]}"
        return (Problem(place, what),)
    absent = sorted(set(labels) - set(names))
    if absent:
        return (Problem(place, f"no label {', '.join(absent)}; there is {', '.join(names) or 'none'}"),)
    return ()


def _value(name: str) -> Value:
    try:
        return value_named(name)
    except ValueError as error:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected="the value of a class in mask pictures after --label, such as 1 or #ff0000",
            got=name,
            remedy="correct it",
        ) from error
