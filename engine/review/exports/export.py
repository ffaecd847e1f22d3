"""An export from its selection to its folder: pictures, the format's own files, and what it was made of."""

from __future__ import annotations

import csv
import json
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from engine.faults import FaultCode, FaultError
from engine.files.output_folder import sync_all
from engine.files.whole import output_fault, write_json
from engine.review.analysis import spec_of
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
from engine.review.exports.selection import Only, Selection, selected
from engine.review.recording import region_text
from engine.review.review import FrameMasks, Review
from engine.review.store import now_utc
from engine.table import Entry, load_named
from engine.types import U8

DESCRIPTION = "export.json"
IMAGES = "images"
SHEET = "contact_sheet.jpg"
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
    look: str
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


# TABLE of formats. To add one: a module with a function that takes an Export, and its line.
FORMATS: Mapping[str, Entry] = {
    "coco": Entry("engine.review.exports.coco:write", summary="one JSON, run lengths and polygons"),
    "cvat": Entry("engine.review.exports.cvat:write", summary="one XML for video, a track an object"),
    "yolo": Entry("engine.review.exports.yolo:write", summary="segmentation, a text a picture"),
    "masks": Entry("engine.review.exports.masks:write", summary="pictures beside masks, and a table"),
    "csv": Entry("engine.review.exports.tables:write", summary="the list of findings"),
    "clip": Entry("engine.review.exports.clip:write", summary="an MP4, raw, marked or side by side"),
    "snapshot": Entry("engine.review.exports.snapshot:write", summary="a picture of each finding"),
    "dataset": Entry("engine.review.exports.dataset:write", summary="verified frames, for training"),
}
WITHOUT_FRAMES = frozenset({"csv", "clip", "snapshot"})  # they choose their frames themselves
LOOKS = ("raw", "overlay", "side")


def export(
    review: Review,
    format_: str,
    out: Path,
    *,
    only: Only = Only.VERIFIED,
    range_: tuple[int, int] | None = None,
    full_frame: bool = False,
    look: str = "overlay",
    tick: Tick = lambda done, of: None,
) -> dict[str, int]:
    """Write it into `out`, a new or empty folder; how many of what. It appears whole, or not at all.

    What leaves is the endoscope's picture alone unless `full_frame`; the recording's name does not leave, a
    random code stands for it. Raises FaultError: nothing to export, a frame that cannot be read, OUTPUT.
    """
    write = load_named(FORMATS, format_, "format")
    _check_free(out)
    if format_ == "dataset":
        only = Only.VERIFIED
    if format_ in WITHOUT_FRAMES:
        ranks = [int(rank) for rank in review.table.ranks if _in(int(rank), range_)]
        selection = Selection(tuple(ranks), _objects(review, only))
    else:
        selection = selected(review, only, range_)
    cut = cut_of(review, selection.ranks, full_frame=full_frame)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".part", dir=out.parent))
    except OSError as error:
        raise output_fault(out.parent, error) from error
    job = Export(review, selection, cut, aside, study_code(), range_, look, tick)
    try:
        write(job)
        write_json(aside / DESCRIPTION, _description(job, format_, only, full_frame))
        sync_all(aside)
        with suppress(FileNotFoundError):
            out.rmdir()
        aside.chmod(0o755)
        aside.rename(out)
    except OSError as error:
        raise output_fault(out, error) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return job.counts


def study_code() -> str:
    """What a recording is called outside: random, and not kept here."""
    return f"study-{secrets.token_hex(4)}"


def _objects(review: Review, only: Only) -> frozenset[int] | None:
    return selected(review, only).objects if only is Only.KEPT else None


def _in(rank: int, range_: tuple[int, int] | None) -> bool:
    return range_ is None or range_[0] <= rank <= range_[1]


def _check_free(out: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FaultError(
            FaultCode.OUTPUT,
            expected="a new or empty folder",
            got=f"{out}, where something is",
            remedy="name another one with --out",
            said=f"There is something in {out} already. Name a new folder with --out.",
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
