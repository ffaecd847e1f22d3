"""Name lists: a text file a side of the split, an image a line, as PraNet's or Kvasir-SEG's official one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from distill.data.formats.samples import Found, Problem, Sample
from distill.data.formats.sequences import set_name
from distill.data.formats.texts import text_of
from distill.data.splits import TEST, TRAIN, VALIDATION

# Read without being named, when they lie in the source's own folder.
USUAL_LISTS = {
    "train.txt": TRAIN,
    "val.txt": VALIDATION,
    "valid.txt": VALIDATION,
    "validation.txt": VALIDATION,
    "test.txt": TEST,
}


def usual_lists(folder: Path) -> dict[Path, str]:
    """The lists that lie in a data set's folder -> the side that each is for."""
    return {folder / name: side for name, side in USUAL_LISTS.items() if (folder / name).is_file()}


def with_lists(samples: Sequence[Sample], lists: Mapping[Path, str]) -> Found:
    """The samples with `split` as the lists say; who is on none keeps what its layout says.

    A line is a name, with or without suffix; folders in front of it count where one is a set's name (two sets
    may both have a 1.png). Problems: an unreadable list, a name of no image or of several, an image on two.
    """
    by_stem: dict[str, list[int]] = {}
    for at, sample in enumerate(samples):
        by_stem.setdefault(sample.image.stem, []).append(at)
    sets = {sample.set for sample in samples}
    listed: dict[int, str] = {}
    problems = []
    for path, side in lists.items():
        try:
            lines = text_of(path.read_bytes()).split("\n")
        except (OSError, ValueError) as error:
            problems.append(Problem(path, f"a list that cannot be read: {error}"))
            continue
        for line in filter(None, (line.strip().strip('"') for line in lines)):
            name = Path(line.replace("\\", "/"))
            # A name may hold dots, so a suffix is only taken off where the whole is not a name.
            found = by_stem.get(name.name) or by_stem.get(name.stem, [])
            named = {set_name(part) for part in name.parts[:-1]} & sets
            found = [at for at in found if not named or samples[at].set in named]
            if len(found) != 1:
                what = "no image" if not found else "several images"
                problems.append(Problem(path, f"{what} of the name {line}"))
            elif listed.setdefault(found[0], side) != side:
                problems.append(Problem(path, f"{line} is on the {listed[found[0]]} list as well"))
    with_split = tuple(
        replace(sample, split=listed.get(at, sample.split)) for at, sample in enumerate(samples)
    )
    return Found(with_split, tuple(problems))
