"""What a layout finds in a folder: images with the place of their masks, and what is wrong."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from distill.data.masks import MaskFile, Outlines
from engine.files.natural import natural

IMAGE_SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})


@dataclass(frozen=True, slots=True)
class Sample:
    """One image. `mask` None: its publisher says that there is no polyp.

    `group` is what its publisher says about sequence or patient, else None. Samples with one `settled` name
    come from one index whose groups are final. `extra` are further keys for the index. `label`: what an index
    says already; `exif`: the turn of the image that its mask has had already.
    """

    image: Path
    mask: MaskFile | Outlines | None
    set: str
    group: str | None = None
    split: str | None = None
    sequence: str | None = None
    frame: int | None = None
    task: str | None = None
    label: str | None = None
    exif: int | None = None
    settled: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Problem:
    """A file that cannot be used, and why."""

    path: Path
    what: str

    def __str__(self) -> str:
        return f"{self.path}: {self.what}"


@dataclass(frozen=True, slots=True)
class Found:
    samples: tuple[Sample, ...] = ()
    problems: tuple[Problem, ...] = ()

    def __add__(self, other: Found) -> Found:
        return Found(self.samples + other.samples, self.problems + other.problems)


@dataclass(frozen=True, eq=False)
class Source:
    """A folder of the user. `files` are paths below its parent, so that its own name is their first part."""

    folder: Path
    files: tuple[Path, ...]

    @property
    def parent(self) -> Path:
        return self.folder.parent

    @cached_property
    def images(self) -> tuple[Path, ...]:
        return tuple(path for path in self.files if path.suffix.lower() in IMAGE_SUFFIXES)

    @cached_property
    def image_names(self) -> tuple[str, ...]:
        """Of `images`, one by one: the path without its suffix, folders parted by /."""
        return tuple(path.with_suffix("").as_posix() for path in self.images)

    @cached_property
    def images_by_name(self) -> Mapping[str, tuple[Path, ...]]:
        """Lower-case name as in `image_names` -> images that differ in suffix or case."""
        found: dict[str, tuple[Path, ...]] = {}
        for name, path in zip(self.image_names, self.images, strict=True):
            found[name.lower()] = (*found.get(name.lower(), ()), path)
        return found

    def json_files(self) -> list[Path]:
        return [path for path in self.files if path.suffix.lower() == ".json"]


def source_of(folder: Path) -> Source:
    """All files below the folder by name, without what systems leave behind (._x, __MACOSX)."""
    folder = folder.resolve()
    files = []
    seen: set[Path] = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        real = Path(place).resolve()
        if real in seen:  # a link to a folder above
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__MACOSX")))
        files += [
            (Path(place) / name).relative_to(folder.parent)
            for name in sorted(names, key=natural)
            if not name.startswith(".")
        ]
    return Source(folder, tuple(files))
