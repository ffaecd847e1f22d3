"""Which images may show the same polyp: the publisher's sequences, joined with near-duplicates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from distill.data.fingerprint import Fingerprint, joined, near_pairs
from distill.data.formats.samples import Sample


def groups_of(samples: Sequence[Sample], prints: Sequence[Fingerprint] = ()) -> list[str]:
    """A name a sample. prints: one a sample; none: what the publishers say is all.

    Joins are transitive; groups of one name are one. Two images of one index are not compared: its groups are
    final. A joined group bears the first of its publishers' names, else its set's and a number.
    """
    pairs: list[tuple[int, int]] = []
    first_of: dict[str, int] = {}
    for at, sample in enumerate(samples):
        if sample.group is not None:
            pairs.append((first_of.setdefault(sample.group, at), at))
    for first, second in near_pairs(prints).tolist():
        if not samples[first].settled or samples[first].settled != samples[second].settled:
            pairs.append((first, second))
    roots = joined(len(samples), pairs)
    names: dict[int, str] = {}
    for root, sample in zip(roots, samples, strict=True):
        if sample.group is not None:
            names[root] = min(names.get(root, sample.group), sample.group)
    taken = set(names.values())
    numbers: Counter[str] = Counter()
    for root in roots:
        while root not in names:
            name = samples[root].set
            numbers[name] += 1
            candidate = f"{name}-g{numbers[name]:04d}"
            if candidate not in taken:
                names[root] = candidate
    return [names[root] for root in roots]
