"""Writes what was found of each frame, in order: lines, and pictures with the findings on them."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from engine.analysis.overlay_files import STILLS, VIDEO, OverlayStills, OverlayVideo, OverlayWriter
from engine.analysis.read_ahead import Item
from engine.analysis.results import RESULTS, Product, result_line
from engine.drawing.components import Region
from engine.drawing.overlays import OVERLAYS, OverlayStyle
from engine.drawing.render import draw
from engine.drawing.rle import encode_regions
from engine.faults import FaultError
from engine.files.whole import json_line, output_fault
from engine.types import Result, SourceInfo


@dataclass(frozen=True, slots=True)
class Judged:
    """A picture and what was found on it; `regions` hold the pixels of `result.components`."""

    item: Item
    result: Result
    regions: tuple[Region, ...]


class ResultWriter:
    """Use as a context. `style`: a key of OVERLAYS, None for no pictures. Raises FaultError OUTPUT."""

    def __init__(self, folder: Path, info: SourceInfo, style: str | None) -> None:
        self._folder = folder
        self._info = info
        self._style = style
        self._open_files = ExitStack()
        self._overlay: OverlayWriter | None = None
        self._first_pts_s: float | None = None
        self._last_pts_s = 0.0
        self.frames = 0
        self.frames_with_findings = 0
        self.files: tuple[Product, ...] = (RESULTS,)

    @property
    def span_s(self) -> float:
        """From the first time stamp to the last."""
        return 0.0 if self._first_pts_s is None else self._last_pts_s - self._first_pts_s

    def __enter__(self) -> ResultWriter:
        try:
            lines = (self._folder / RESULTS).open("w", encoding="utf-8", newline="\n")
        except OSError as error:
            raise output_fault(self._folder.parent, error) from error
        self._lines = self._open_files.enter_context(lines)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._open_files.close()
        except OSError as closing_error:
            if error is None:  # else the first error is the one to tell
                raise output_fault(self._folder.parent, closing_error) from closing_error
        except FaultError:
            if error is None:
                raise

    def write(self, judged: Judged) -> None:
        """Add one frame."""
        item = judged.item
        try:
            mask = encode_regions(judged.regions, item.width_px, item.height_px)
            self._lines.write(json_line(result_line(judged.result, mask, item.name)))
            if self._style is not None:
                self._draw(judged, self._style)
        except OSError as error:
            raise output_fault(self._folder.parent, error) from error
        self.frames += 1
        self.frames_with_findings += bool(judged.regions)
        if self._first_pts_s is None:
            self._first_pts_s = item.pts_s
        self._last_pts_s = item.pts_s

    def _draw(self, judged: Judged, style: str) -> None:
        item = judged.item
        assert item.bgra is not None  # read ahead for this
        if self._overlay is None:
            self._overlay = self._open_files.enter_context(closing(self._new_overlay(item)))
        picture = item.bgra.copy()
        draw(picture, OVERLAYS[style](judged.result, OverlayStyle()))
        self._overlay.write(item, picture)

    def _new_overlay(self, first: Item) -> OverlayWriter:
        if first.name is not None:
            self.files = (RESULTS, STILLS)
            return OverlayStills(self._folder / STILLS)
        self.files = (RESULTS, VIDEO)
        return OverlayVideo(self._folder / VIDEO, first, self._info.rate_hz, self._info.pixel_aspect)
