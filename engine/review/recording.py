"""Which recording a side-car is of, and what looked at it: values, and how they stand in the database."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from engine.review.identity import Identity
from engine.types import Field, Form, OperatingPoint, Rect, Region, Size


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a recording; most have but one."""

    number: int
    path: Path
    identity: Identity


@dataclass(frozen=True, slots=True)
class Recording:
    """What the side-car is of. Sizes and lengths are None until it has been read once."""

    title: str
    parts: tuple[Part, ...]
    width_px: int | None = None
    height_px: int | None = None
    rate_hz: float | None = None
    frames: int | None = None
    duration_s: float | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        return tuple(part.path for part in self.parts)

    @property
    def size(self) -> Size | None:
        return Size(self.width_px, self.height_px) if self.width_px and self.height_px else None


@dataclass(frozen=True, slots=True)
class Analysis:
    """What one network said of the recording. `made_by`: "review", with maps, or "analyse", without.

    `point`: at which `findings` were made of it; `done`: all of the recording was judged.
    """

    id: int
    made_by: str
    model_id: str
    weights_sha256: str
    model_path: str
    preset: str
    point: OperatingPoint
    region: Region | Field
    runtime: str
    began_utc: str
    map_size: Size
    done: bool
    faults: tuple[str, ...]

    @property
    def has_maps(self) -> bool:
        """Whether findings can be made again at another operating point."""
        return self.map_size.width_px > 0


def point_text(point: OperatingPoint) -> str:
    return json.dumps(asdict(point))


def point_of(text: str) -> OperatingPoint:
    return OperatingPoint(**json.loads(text))


def region_text(region: Region | Field) -> str:
    if not isinstance(region, Field):
        return json.dumps(region)
    box = region.box
    return json.dumps([box.x, box.y, box.w, box.h, region.form.value, region.cut])


def region_of(text: str) -> Region | Field:
    value: Any = json.loads(text)
    if isinstance(value, str):
        return "field" if value == "field" else "frame"
    return Field(Rect(*value[:4]), Form(value[4]), value[5])


def part_of_row(number: int, path: str, size_bytes: int, mtime_ns: int, sha256: str) -> Part:
    return Part(number, Path(path), Identity(size_bytes, mtime_ns, sha256))


def analysis_of_row(*row: Any) -> Analysis:
    id_, made_by, model_id, weights, path, preset, point, region, runtime, began, wide, high, done, told = row
    return Analysis(
        id=id_,
        made_by=made_by,
        model_id=model_id,
        weights_sha256=weights,
        model_path=path,
        preset=preset,
        point=point_of(point),
        region=region_of(region),
        runtime=runtime,
        began_utc=began,
        map_size=Size(wide, high),
        done=bool(done),
        faults=tuple(json.loads(told)),
    )
