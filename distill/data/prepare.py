"""`prepare`: folders as people have them become one data folder with an index; all of it or nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from distill.data.checked import Checked, check_all
from distill.data.formats.layouts import AUTO, LAYOUTS, layout_of
from distill.data.formats.lists import usual_lists, with_lists
from distill.data.formats.samples import Found, Problem, source_of
from distill.data.groups import groups_of
from distill.data.index import INDEX_NAME, NO, POLYP, UNLABELLED
from distill.data.mask_values import named_value
from distill.data.masks import Agreement
from engine.faults import FaultCode, FaultError
from engine.files.whole import write_json_lines
from engine.sources.orientation import AS_STORED, WORDS

Tick = Callable[[int, int], None]  # done, of how many
Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user says on top of what the folders say. None and empty: nothing."""

    layout: str = AUTO
    set: str | None = None
    task: str | None = None
    labels: Collection[str] = ()  # shapes or categories that count
    lists: Mapping[Path, str] | None = None  # name list -> side of the split
    negatives: bool = False  # an image without a mask, or with a black one, has no polyp
    copy: bool = False  # pictures and masks into the data folder


NOTHING = Wishes()


@dataclass(frozen=True, slots=True)
class Prepared:
    """The lines of the index; none when there are problems, and nothing was written then. `notes`: what the
    user should know of what was done."""

    lines: tuple[Line, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...] = ()


def find_samples(sources: Sequence[Path], wishes: Wishes) -> Found:
    """All images of all sources, nothing decoded yet.

    Raises FaultError DATA_SET for a source that is no folder or lies as no layout, or as several.
    """
    found = Found()
    for folder in sources:
        if not folder.is_dir():
            raise FaultError(
                FaultCode.DATA_SET,
                expected="a folder with a data set",
                got=str(folder),
                remedy="unpack it, or correct the path",
            )
        source = source_of(folder)
        name = layout_of(source) if wishes.layout == AUTO else wishes.layout
        here = LAYOUTS[name].read(source, wishes.negatives, wishes.labels)
        if not here.samples and not here.problems:
            raise FaultError(
                FaultCode.DATA_SET,
                expected=f"images in {folder} as {LAYOUTS[name].summary}",
                got="none",
                remedy="correct the path or --layout",
            )
        if name != "index":  # an index says itself which image is on which list
            listed = with_lists(here.samples, usual_lists(source.folder))
            here = Found(listed.samples, here.problems + listed.problems)
        found += here
    samples = tuple(
        replace(sample, set=wishes.set or sample.set, task=wishes.task or sample.task or POLYP)
        for sample in found.samples
    )
    listed = with_lists(samples, wishes.lists or {})
    return Found(listed.samples, found.problems + listed.problems)


def prepare(
    sources: Sequence[Path], out: Path, wishes: Wishes = NOTHING, tick: Tick = lambda done, of: None
) -> Prepared:
    """Check every image and mask, group them, and write `out`: the index and the masks that had to be made.

    Raises FaultError DATA_SET as `find_samples`, OUTPUT when `out` already holds what would be written
    or cannot be written.
    """
    out = out.resolve()
    if (out / INDEX_NAME).exists():
        raise _taken(out / INDEX_NAME)
    found = find_samples(sources, wishes)
    try:
        return _write(found, out, wishes, tick)
    except OSError as error:
        raise FaultError(
            FaultCode.OUTPUT,
            expected=f"to write {out}",
            got=str(error),
            remedy="make room there, or name another folder by --out",
        ) from error


def _write(found: Found, out: Path, wishes: Wishes, tick: Tick) -> Prepared:
    # Beside the target or above it: the folders between are made when all is well.
    place = next(parent for parent in out.parents if parent.is_dir())
    with tempfile.TemporaryDirectory(dir=place, prefix=f".{out.name}.", suffix=".part") as aside_name:
        aside = Path(aside_name) / out.name
        aside.mkdir()
        results = check_all(found.samples, aside, wishes.negatives, wishes.copy, tick)
        problems = found.problems + tuple(result for result in results if isinstance(result, Problem))
        checked = [result for result in results if isinstance(result, Checked)]
        problems += tuple(_disagreeing(checked)) + tuple(_never_seen(checked, wishes))
        if problems:
            return Prepared((), problems)
        prints = [one.print for one in checked if one.print is not None]
        groups = groups_of([one.sample for one in checked], prints)
        lines = tuple(_line(one, group, out, aside) for one, group in zip(checked, groups, strict=True))
        write_json_lines(aside / INDEX_NAME, lines)
        _put_in_place(aside, out)
    return Prepared(lines, (), tuple(_notes(checked)))


def _disagreeing(checked: Sequence[Checked]) -> Iterator[Problem]:
    agreement = Agreement()
    for one in checked:
        try:
            agreement.check(one.given, one.value)
        except ValueError as error:
            yield Problem(one.given, f"{error}; name the polyp's value with --label")


def _never_seen(checked: Sequence[Checked], wishes: Wishes) -> Iterator[Problem]:
    """A label that no mask has would make every image polyp-free."""
    if wishes.labels and checked and not any(one.has_polyp for one in checked):
        yield Problem(checked[0].given, f"no polyp in any mask with the label {', '.join(wishes.labels)}")


def _notes(checked: Sequence[Checked]) -> Iterator[str]:
    turned: dict[int, list[Checked]] = {}
    for one in checked:
        if one.orientation != AS_STORED:
            turned.setdefault(one.orientation, []).append(one)
    for orientation, ones in sorted(turned.items()):
        with_mask = sum(one.sample.exif is not None for one in ones)
        yield (
            f"{len(ones)} images are {WORDS[orientation]} by their EXIF (orientation {orientation}), the "
            f"first {ones[0].sample.image.name}, with {with_mask} masks: where the sizes do not tell, a mask "
            "picture counts as drawn on the stored pixels, an outline on the turned ones; look at some"
        )
    values = sorted({named_value(one.value) for one in checked if one.value not in (None, (255,))})
    if values:
        yield f"the polyp has the value {', '.join(values)} in the masks"


def _line(checked: Checked, group: str, out: Path, aside: Path) -> Line:
    sample = checked.sample
    line: Line = {
        "image": _reference(sample.image, out, aside),
        "mask": _reference(checked.mask, out, aside) if checked.mask else None,
        "set": sample.set,
        "label": _label(checked),
        "group": group,
        "width": checked.width_px,
        "height": checked.height_px,
        "sha256": checked.sha256,
        "mask_sha256": checked.mask_sha256,
        "task": sample.task,
        "split": sample.split,
        "sequence": sample.sequence,
        "frame": sample.frame,
        "exif": sample.exif,
    }
    kept = ("mask", "mask_sha256")
    return {key: value for key, value in line.items() if value is not None or key in kept} | dict(
        sample.extra
    )


def _label(checked: Checked) -> str:
    if checked.sample.label == UNLABELLED:
        return UNLABELLED
    return f"{'' if checked.has_polyp else NO}{checked.sample.task}"


def _reference(path: Path, out: Path, aside: Path) -> str:
    """Relative where the folder can be moved with it, absolute where the file lies elsewhere."""
    for root in (aside, out):
        if path.is_relative_to(root):
            return path.relative_to(root).as_posix()
    return path.as_posix()


def _put_in_place(aside: Path, out: Path) -> None:
    """The whole folder in one step where there was none; else what it holds, the index last."""
    if not out.exists():
        out.parent.mkdir(parents=True, exist_ok=True)
        aside.rename(out)
        return
    parts = sorted(aside.iterdir(), key=lambda part: part.name == INDEX_NAME)
    for part in parts:
        if (out / part.name).exists():
            raise _taken(out / part.name)
    for part in parts:
        part.rename(out / part.name)


def _taken(path: Path) -> FaultError:
    return FaultError(
        FaultCode.OUTPUT,
        expected=f"no {path.name} in {path.parent} yet",
        got="one that is there",
        remedy="name a new folder by --out, or remove it first",
    )
