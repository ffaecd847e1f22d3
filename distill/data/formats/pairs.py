"""Data sets that are folders of images beside folders of masks: paired by name, never by order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from distill.data.formats.samples import Found, Problem, Sample, Source
from distill.data.formats.sequences import CLINICDB, clinicdb_sequence, set_name, set_of_stem
from distill.data.masks import MaskFile

BY_STEM = ""


@dataclass(frozen=True)
class Pairs:
    """Where images are and how the paths of their masks follow.

    `image` is a regular expression for the end of a path without its suffix; its named groups (`stem` always)
    are words for the templates. More words: `base`, the folders in front of it, `parent`, the same less one,
    and `folder`, the last of `base`. A group `patient`, else `sequence`, is the publisher's group.
    """

    image: str
    masks: tuple[str, ...]  # templates, the first that exists counts; none: images without a polyp
    set: str = "{folder}"  # template; BY_STEM: the name of the file tells
    split: str | None = None
    colours: bool = False
    unless: str = ""  # template: the same image again, which is taken instead
    usual: bool = True  # whether it tells this layout from others; if not, it counts when the user names it

    @cached_property
    def expression(self) -> re.Pattern[str]:
        return re.compile(rf"(?P<base>(?:.+?/)??){self.image}", re.IGNORECASE)

    def words_of(self, name: str) -> dict[str, str] | None:
        """The words of an image, by its path without suffix; None when it is not one of these."""
        match = self.expression.fullmatch(name)
        if match is None:
            return None
        words = {name: word for name, word in match.groupdict().items() if word}
        folders = match["base"].split("/")[:-1]
        parent = "".join(f"{folder}/" for folder in folders[:-1])
        return {"base": "", "folder": folders[-1] if folders else "", "parent": parent, **words}


@dataclass(frozen=True, slots=True)
class _Image:
    path: Path
    pairs: Pairs
    words: Mapping[str, str]


def paired(rows: Sequence[Pairs], source: Source) -> frozenset[Path]:
    """The images of the usual rows that have their mask, or need none."""
    usual = [row for row in rows if row.usual]
    return frozenset(
        image.path for image in _images(usual, source) if not image.pairs.masks or _masks(image, source)
    )


def placed(rows: Sequence[Pairs], source: Source) -> frozenset[Path]:
    """The images in folders that the usual rows name, with a mask or without."""
    usual = [row for row in rows if row.usual and "/" in row.image]
    return frozenset(image.path for image in _images(usual, source))


def read_pairs(rows: Sequence[Pairs], source: Source, negatives: bool) -> Found:
    """Every image with its mask. Problems: no mask, several, one for two images, a mask without an image.

    `negatives`: an image without a mask has no polyp.
    """
    images = list(_images(rows, source))
    samples, problems = [], []
    owners: dict[Path, Path] = {}
    mask_folders: set[str] = set()
    for image in images:
        at = source.parent / image.path
        names = [template.format(**image.words) for template in image.pairs.masks]
        mask_folders |= {name.lower().rpartition("/")[0] for name in names}
        masks = _masks(image, source)
        if len(masks) > 1:
            problems.append(Problem(at, f"several masks: {', '.join(path.as_posix() for path in masks)}"))
        elif masks and masks[0] in owners:
            problems.append(Problem(at, f"its mask {masks[0]} is also that of {owners[masks[0]].name}"))
        elif not masks and names and not negatives:
            problems.append(Problem(at, f"no mask at {' or '.join(names)}"))
        else:
            samples.append(_sample(source, image, masks[0] if masks else None))
        owners.update(dict.fromkeys(masks, image.path))
    taken = {image.path for image in images} | set(owners)
    image_folders = {image.path.parent.as_posix().lower() for image in images}
    problems += [
        Problem(source.parent / path, "a mask without an image")
        for path in source.images
        if path not in taken and path.parent.as_posix().lower() in mask_folders - image_folders
    ]
    return Found(tuple(samples), tuple(problems))


def _images(rows: Sequence[Pairs], source: Source) -> Iterator[_Image]:
    for path, name in zip(source.images, source.image_names, strict=True):
        for row in rows:
            words = row.words_of(name)
            if words is None:
                continue
            if not row.unless or row.unless.format(**words).lower() not in source.images_by_name:
                yield _Image(path, row, words)
            break


def _masks(image: _Image, source: Source) -> tuple[Path, ...]:
    names = (template.format(**image.words).lower() for template in image.pairs.masks)
    return next((source.images_by_name[name] for name in names if name in source.images_by_name), ())


def _sample(source: Source, image: _Image, mask: Path | None) -> Sample:
    words, pairs = image.words, image.pairs
    stem = words["stem"]
    if pairs.set == BY_STEM:
        name = set_of_stem(stem, words["folder"])
    else:
        name = set_name(pairs.set.format(**words))
    sequence, frame = words.get("sequence"), None
    same = words.get("patient") or sequence
    group = f"{name}-{same.lower()}" if same else None
    if name == CLINICDB and stem.isdecimal() and (number := clinicdb_sequence(int(stem))):
        sequence, frame, group = str(number), int(stem), f"clinicdb-seq{number:02d}"
    return Sample(
        image=source.parent / image.path,
        mask=MaskFile(source.parent / mask, pairs.colours) if mask else None,
        set=name,
        group=group,
        split=pairs.split,
        sequence=sequence,
        frame=frame,
    )
