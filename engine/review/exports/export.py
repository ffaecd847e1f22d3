"""An export from its selection to its folder: pictures, the format's own files, and what it was made of."""

from __future__ import annotations

import csv
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from engine.faults import FaultCode, FaultError
from engine.files.lock import held, holder
from engine.files.output_folder import made_for_this, sync_all
from engine.files.whole import output_fault, sync, write_json
from engine.review.analysis import spec_of
from engine.review.exports.formats import FORMATS, Format, Look, Only
from engine.review.exports.pictures import (
    ContactSheet,
    Cut,
    Written,
    bgr,
    cut_of,
    frame_name,
    pictures,
    pixel_hash,
    write_png,
)
from engine.review.exports.selection import Selection, selected
from engine.review.recording import region_text
from engine.review.review import FrameMasks, Review
from engine.review.store import now_utc
from engine.table import choose, load
from engine.types import U8

DESCRIPTION = "export.json"
IMAGES = "images"
SHEET = "contact_sheet.jpg"
ASIDE, LOCK = ".part", ".lock"
TABLE = "frames.csv"
COLUMNS = ("picture", "rank", "pts_s", "state", "objects", "sha256")
Tick = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Export:
    """What a format writes from. `folder`: where to, aside; `code`: what the recording is called outside.

    `look`: of a clip. `tick(done, of)` hears of every picture, and may raise to cancel.
    """

    review: Review
    selection: Selection
    cut: Cut
    folder: Path
    code: str
    range: tuple[int, int] | None
    look: Look
    tick: Tick
    counts: dict[str, int] = field(default_factory=dict)

    def frames(
        self, images: str = IMAGES, *, counted: bool = False
    ) -> Iterator[tuple[Written, dict[int, U8]]]:
        """Every frame of the selection, its picture written into the folder `images`, with the cut masks that
        have pixels, by object. The contact sheet, and a table that says which frame each picture is, are
        written behind the last one. `counted`: pictures are numbered from 0, else by their rank.
        """
        ranks = self.selection.ranks
        (self.folder / images).mkdir(parents=True, exist_ok=True)
        sheet = ContactSheet(len(ranks))
        spec = spec_of(self.review.car)
        rows = [COLUMNS]
        for number, (rank, picture) in enumerate(zip(ranks, pictures(spec, ranks), strict=True)):
            image = self.cut.of(bgr(picture))
            frame = self.selection.of(self.review, rank)
            masks = {one: cut for one, mask in frame.masks.items() if (cut := self.cut.mask(mask)).any()}
            name = frame_name(number if counted else rank)
            write_png(self.folder / images / name, image)
            sheet.add(image)
            one = written(frame, name, image)
            state, pts_s = frame.state.value, f"{frame.pts_s:.6f}"
            rows.append((f"{images}/{name}", str(rank), pts_s, state, str(len(masks)), one.sha256))
            yield one, masks
            self.tick(number + 1, len(ranks))
        sheet.write(self.folder / SHEET)
        with (self.folder / TABLE).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)
        self.counts["frames"] = len(ranks)


def written(frame: FrameMasks, name: str, image: U8) -> Written:
    return Written(frame, name, pixel_hash(image), image.shape[1], image.shape[0])


def union(one: Written, masks: Mapping[int, U8]) -> U8:
    """All objects of a picture: uint8 [h, w] of 0 and 255."""
    found = np.zeros((one.height_px, one.width_px), np.uint8)
    for mask in masks.values():
        found |= mask
    return found * np.uint8(255)


@dataclass(frozen=True, slots=True)
class Staged:
    """An export that is whole and has not its name yet: in `folder`, beside `out`."""

    folder: Path
    out: Path
    counts: Mapping[str, int]

    def keep(self) -> None:
        """It is there from now on. Raises FaultError OUTPUT."""
        with _told(self.out):
            with suppress(FileNotFoundError):
                self.out.rmdir()
            self.folder.rename(self.out)
            sync(self.out.parent)

    def discard(self) -> None:
        """Nothing of it stays."""
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def sheet(self) -> Path | None:
        """Where its contact sheet is, to be looked at first; None: no picture leaves."""
        path = self.folder / SHEET
        return path if path.is_file() else None


def staged_in(folder: Path, out: Path) -> Staged:
    """What another process has made. Raises OSError, ValueError."""
    counts = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))["counts"]
    return Staged(folder, out, counts)


def stage(
    review: Review,
    format_: str,
    out: Path,
    *,
    only: Only = Only.VERIFIED,
    range_: tuple[int, int] | None = None,
    full_frame: bool = False,
    look: Look | str = Look.OVERLAY,
    tick: Tick = lambda done, of: None,
) -> Staged:
    """Write it beside `out`, a new or empty folder. What killed ones left there is removed first.

    What leaves is the endoscope's picture alone unless `full_frame`; the recording's name does not leave, a
    random code stands for it. Raises FaultError: nothing to export, a frame that cannot be read, OUTPUT.
    """
    out = out.absolute()
    format_row = chosen(format_)
    write = load(format_row.entry)
    _check_free(out)
    only = only if only in format_row.only else format_row.only[-1]
    selection = _selection(review, format_row, only, range_)
    cut = cut_of(review, selection.ranks, full_frame=full_frame)
    aside = out.parent / f".{out.name}{ASIDE}"
    with ExitStack() as stack:
        stack.enter_context(made_for_this(out.parent))
        with _told(out.parent):
            out.parent.mkdir(parents=True, exist_ok=True)
        stack.enter_context(held(lock_of(out)))
        shutil.rmtree(aside, ignore_errors=True)
        _sweep(out.parent)
        job = Export(review, selection, cut, aside, study_code(), range_, Look(look), tick)
        try:
            with _told(out):
                aside.mkdir()
                write(job)
                write_json(aside / DESCRIPTION, _description(job, format_, only, full_frame))
                sync_all(aside)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise
    return Staged(aside, out, job.counts)


def lock_of(out: Path) -> Path:
    """Held while an export to `out` is written, and while a person looks at it."""
    return out.parent / f".{out.name}{LOCK}"


def _sweep(folder: Path) -> None:
    """What killed exports of any name left here: a lock that nobody holds, and what was written beside it."""
    for lock in folder.glob(f".*{LOCK}"):
        left = lock.with_name(lock.name.removesuffix(LOCK) + ASIDE)
        with suppress(OSError, FaultError):
            if left.is_dir() and holder(lock) is None:
                with held(lock):
                    shutil.rmtree(left, ignore_errors=True)


def export(review: Review, format_: str, out: Path, **how: Any) -> Mapping[str, int]:
    """`stage`, and it has its name: whole, or not there. How many of what."""
    staged = stage(review, format_, out, **how)
    staged.keep()
    return staged.counts


def chosen(name: str) -> Format:
    """Raises FaultError ARGUMENT: there is no such format."""
    choose({one: row.entry for one, row in FORMATS.items()}, name, "format")
    return FORMATS[name]


def _selection(review: Review, row: Format, only: Only, range_: tuple[int, int] | None) -> Selection:
    if row.frames:
        return selected(review, only, range_)
    ranks = tuple(int(rank) for rank in review.table.ranks if _in(int(rank), range_))
    return Selection(ranks, selected(review, only).objects if only is Only.KEPT else None)


def counted(counts: Mapping[str, int]) -> str:
    """Such as "12 frames, 1 mask"."""
    return ", ".join(
        f"{count} {what.removesuffix('s') if count == 1 else what}" for what, count in counts.items()
    )


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise output_fault(path, error) from error


def study_code() -> str:
    """What a recording is called outside: random, and not kept here."""
    return f"study-{secrets.token_hex(4)}"


def _in(rank: int, range_: tuple[int, int] | None) -> bool:
    return range_ is None or range_[0] <= rank <= range_[1]


def _check_free(out: Path) -> None:
    if os.path.lexists(out) and (not out.is_dir() or any(out.iterdir())):
        raise FaultError(
            FaultCode.OUTPUT,
            expected="a new or empty folder",
            got=f"{out}, where something is",
            remedy="name another one with --out",
            said=f"There is something in {out} already. Choose a new folder.",
        )


def _description(job: Export, format_: str, only: Only, full_frame: bool) -> dict[str, object]:
    """What it was made of: enough to make it again here, and nothing that tells whose recording it is."""
    analysis = job.review.analysis
    states = [job.review.edits.frame(rank).state.value for rank in job.selection.ranks]
    return {
        "schema": 1,
        "format": format_,
        "study": job.code,
        "made_utc": now_utc(),
        "polyplive": _version(),
        "only": only.value,
        "range": job.range,
        "full_frame": full_frame,
        "crop": json.loads(region_text(job.cut.field)) if job.cut.field is not None else None,
        "counts": job.counts,
        "frame_states": {state: states.count(state) for state in sorted(set(states))},
        "model": {"id": analysis.model_id, "weights_sha256": analysis.weights_sha256},
        "preset": analysis.preset,
        "threshold": analysis.point.threshold,
        "use": "research use only",
    }


def _version() -> str:
    try:
        return version("polyplive")
    except PackageNotFoundError:
        return "from source"
