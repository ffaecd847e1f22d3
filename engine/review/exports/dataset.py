"""Verified frames as a data folder of ours, which `python -m distill prepare` takes as it is.

A recording is one group: its frames are never on two sides of a split. Its side follows from its hash alone,
so that no later version of a data set, and no other data set, puts it on the other one.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from engine.faults import FaultCode, FaultError
from engine.files.lock import held
from engine.files.output_folder import sync_all
from engine.files.whole import output_fault, read_json_lines, sha256_of, write_json, write_json_lines
from engine.review.exports.export import DESCRIPTION, IMAGES, TABLE, Export, Tick, stage, union
from engine.review.exports.pictures import write_png
from engine.review.review import Review
from engine.review.store import SideCar, now_utc

INDEX, MASKS, VERSION = "index.jsonl", "masks", "version.json"
ADDING = ".adding"  # beside the versions: one that is being made
SET = "reviewed"
SIDES = 5  # one recording in so many is for validation
HASH_LETTERS = 16


def group_of(car: SideCar) -> str:
    """What a recording is called in data sets: a hash that says nothing to anybody else."""
    return f"recording-{car.recording.parts[0].identity.sha256[:HASH_LETTERS]}"


def side_of(group: str) -> str:
    """ "train" or "validation", now and for ever."""
    return "validation" if int(group.rpartition("-")[2], 16) % SIDES == 0 else "train"


def write(job: Export) -> None:
    """`index.jsonl`, a line a frame. Raises FaultError, OSError."""
    group = group_of(job.review.car)
    (job.folder / MASKS).mkdir()
    lines: list[dict[str, Any]] = []
    for one, masks in job.frames():
        name = f"{group}_{one.name}"
        image = (job.folder / IMAGES / one.name).rename(job.folder / IMAGES / name)
        mask = job.folder / MASKS / name
        if masks:
            write_png(mask, union(one, masks))
        lines.append(
            {
                "image": f"{IMAGES}/{name}",
                "mask": f"{MASKS}/{name}" if masks else None,
                "set": SET,
                "group": group,
                "split": side_of(group),
                "label": "polyp" if masks else "no-polyp",
                "frame": one.frame.rank,
                "width": one.width_px,
                "height": one.height_px,
                "sha256": sha256_of(image),
                "mask_sha256": sha256_of(mask) if masks else None,
            }
        )
    (job.folder / TABLE).unlink()  # the index says the same
    write_json_lines(job.folder / INDEX, lines)
    job.counts["with polyps"] = sum(line["mask"] is not None for line in lines)


def add_to_data_set(
    review: Review, folder: Path, *, full_frame: bool = False, tick: Tick = lambda done, of: None
) -> Path:
    """A new version of the data set in `folder` (`v1`, `v2` ...): what the newest one has, with the verified
    frames of this recording in the place of those that it had before. No version is ever changed; the newest
    one itself, where nothing is new.

    Raises FaultError: no frame is verified, OUTPUT.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with held(folder / f"{ADDING}.lock"):
            return _added(review, folder, folder / ADDING, full_frame, tick)
    except OSError as error:
        raise output_fault(folder, error) from error


def _added(review: Review, folder: Path, aside: Path, full_frame: bool, tick: Tick) -> Path:
    shutil.rmtree(aside, ignore_errors=True)  # what a killed one left
    before = newest(folder)
    version = folder / f"v{1 if before is None else int(before.name[1:]) + 1}"
    try:
        made = stage(review, "dataset", aside / version.name, full_frame=full_frame, tick=tick).folder
        lines = list(read_json_lines(made / INDEX))
        group = group_of(review.car)
        known = [] if before is None else list(read_json_lines(before / INDEX))
        kept = [line for line in known if line["group"] != group]
        lines = sorted([*kept, *lines], key=lambda line: line["image"])
        if before is not None:
            if lines == known:
                return before
            _link(before, made, kept)
        write_json_lines(made / INDEX, lines)
        write_json(made / VERSION, _version(made, before, int(version.name[1:]), lines))
        sync_all(made)
        made.rename(version)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return version


def newest(folder: Path) -> Path | None:
    """The newest version in a folder of versions; None: there is none yet."""
    found = [path for path in folder.glob("v*") if path.name[1:].isdigit() and (path / VERSION).is_file()]
    return max(found, key=lambda path: int(path.name[1:]), default=None)


def check(version: Path) -> None:
    """Whether a version is as it was made. Raises FaultError DATA_SET."""
    known = json.loads((version / VERSION).read_text(encoding="utf-8"))["sha256"]
    for name, sha256 in known.items():
        path = version / name
        if not path.is_file() or sha256_of(path) != sha256:
            raise FaultError(
                FaultCode.DATA_SET,
                expected=f"{name} of {version} as it was added",
                got="another one" if path.is_file() else "none",
                remedy="take another version, or add the recordings again",
                said=f"{name} in {version} is not what was added to this data set. "
                "Take another version, or add the recordings again.",
            )


def _link(before: Path, made: Path, lines: Iterable[dict[str, Any]]) -> None:
    """The same files under another name, where the file system can; else copies."""
    for line in lines:
        for name in filter(None, (line["image"], line["mask"])):
            try:
                os.link(before / name, made / name)
            except OSError:
                shutil.copyfile(before / name, made / name)


def _version(
    made: Path, before: Path | None, number: int, lines: Iterable[dict[str, Any]]
) -> dict[str, object]:
    groups: dict[str, dict[str, object]] = {}
    hashes: dict[str, str] = {INDEX: sha256_of(made / INDEX)}
    for line in lines:
        group = groups.setdefault(line["group"], {"frames": 0, "split": line["split"]})
        group["frames"] = int(str(group["frames"])) + 1
        hashes[line["image"]] = line["sha256"]
        if line["mask"] is not None:
            hashes[line["mask"]] = line["mask_sha256"]
    return {
        "schema": 1,
        "version": number,
        "previous": None if before is None else before.name,
        "made_utc": now_utc(),
        "recordings": groups,
        "added": json.loads((made / DESCRIPTION).read_text(encoding="utf-8")),
        "sha256": hashes,
    }
