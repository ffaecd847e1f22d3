"""What `analyse` writes: `results.jsonl`, a line a frame, `summary.json`, and the names of the rest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from engine.drawing.rle import Rle
from engine.files.json_reader import read_json
from engine.files.whole import read_json_lines, sha256_of, shown
from engine.types import Component, Rect, Result

SCHEMA = 1
RESULTS: Final = "results.jsonl"
SUMMARY = "summary.json"
FINDINGS: Final = "findings.csv"
THUMBNAILS: Final = "findings"


# All that `analyse` ever writes beside its summary, and so all that it ever removes.
Product = Literal["results.jsonl", "overlay.mp4", "overlay", "findings.csv", "findings"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelUsed(_Part):
    """`sha256` is that of the weights."""

    id: str
    sha256: str


class RuntimeUsed(_Part):
    """As `engine.types.RuntimeInfo`."""

    name: str
    device: str
    precision: str
    threads: int
    version: str


class Summary(_Part):
    """`summary.json`; it is written last, so where it is, everything in `files` is whole.

    `complete` is False when the source broke off or pictures of it could not be read; `frames_missing` is how
    many, as far as anybody can tell, and `faults` says why. Their indices are gaps in the results.
    `preset` and `region` (what of a frame the network was shown) are said where they are not the usual ones,
    or findings were followed over time; then `findings` counts them: all, and those that lasted so many
    seconds at least. Where they are None they are not in the file.
    """

    schema_: Annotated[int, Field(alias="schema")] = SCHEMA
    source: str
    frames: int
    duration_s: float
    width_px: int
    height_px: int
    decoder: str = ""
    model: ModelUsed
    runtime: RuntimeUsed
    threshold: float
    min_area_frac: float
    min_peak: float = 0.0
    frames_with_findings: int
    preset: str | None = None
    region: str | None = None
    findings: dict[str, int] | None = None
    frames_per_s: float
    versions: dict[str, str]
    created_utc: str
    complete: bool
    frames_missing: int = 0
    faults: tuple[str, ...]
    files: tuple[Product, ...]
    sha256: dict[Product, str] = {}


def summary_text(summary: Summary) -> str:
    """The file's text."""
    return summary.model_dump_json(by_alias=True, indent=2, exclude_none=True) + "\n"


def is_whole(folder: Path, summary: Summary) -> bool:
    """Whether everything that the summary names is there as it was written."""
    try:
        return all((folder / name).exists() for name in summary.files) and all(
            sha256_of(folder / name) == known for name, known in summary.sha256.items()
        )
    except OSError:
        return False


def result_line(result: Result, mask: Rle | None, name: str | None = None) -> dict[str, Any]:
    """The value of one line; `name` only for stills. `mask` is exactly the union of the components.

    Time stamps are the file's own, to a microsecond; probabilities have four decimals.
    """
    line: dict[str, Any] = {"index": result.index, "pts_s": round(result.pts_s, 6)}
    if name is not None:
        line["name"] = shown(name)
    roi = result.mask.roi
    if roi != Rect(0, 0, result.size.width_px, result.size.height_px):
        line["region"] = [roi.x, roi.y, roi.w, roi.h]
    line["components"] = [_component(component) for component in result.components]
    line["mask"] = mask
    if name is None and result.point.follows:
        line["candidates"] = [_component(component) for component in result.candidates]
    return line


def _component(component: Component) -> dict[str, Any]:
    said: dict[str, Any] = {
        "box": [component.box.x, component.box.y, component.box.w, component.box.h],
        "area_px": component.area_px,
        "peak": round(component.peak, 4),
        "mean": round(component.mean, 4),
    }
    if component.track is not None and component.state is not None:
        said |= {"track": component.track, "state": component.state.value}
    return said


def read_results(folder: Path) -> Iterator[dict[str, Any]]:
    """The lines of a folder that `analyse` wrote."""
    yield from read_json_lines(folder / RESULTS)


def read_summary(folder: Path) -> Summary | None:
    """The summary of a folder, None when it has none that can be read (an older or foreign file)."""
    try:
        return Summary.model_validate(read_json(folder / SUMMARY))
    except (OSError, ValueError):
        return None
