"""Writes what was found of each frame, in order: lines, and pictures with the findings on them."""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path
from types import TracebackType

from engine.analysis.findings import Findings
from engine.analysis.judged import JudgedFrame
from engine.analysis.overlay_files import STILLS, VIDEO, OverlayStills, OverlayVideo, OverlayWriter
from engine.analysis.results import RESULTS, Product, result_line
from engine.drawing.overlays import OverlayStyle, drawn
from engine.drawing.render import draw
from engine.drawing.rle import encode_patches
from engine.faults import FaultError
from engine.files.whole import json_line, output_fault
from engine.types import SourceInfo


class ResultWriter:
    """Use as a context. `style`: a key of OVERLAYS, None for no pictures. Raises FaultError OUTPUT."""

    def __init__(self, folder: Path, info: SourceInfo, style: str | None) -> None:
        self._folder = folder
        self._info = info
        self._style = style
        self._open_files = ExitStack()
        self._overlay: OverlayWriter | None = None
        self._findings: Findings | None = None
        self._first_pts_s: float | None = None
        self._last_pts_s = 0.0
        self.frames = 0
        self.frames_with_findings = 0
        self.files: tuple[Product, ...] = (RESULTS,)

    @property
    def findings(self) -> dict[str, int] | None:
        """How many there were, by how long they lasted; None where they were not followed over time."""
        return None if self._findings is None else self._findings.counts

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
            if self._findings is not None and error is None:
                self.files = (*self.files, *self._findings.write())
        except OSError as closing_error:
            if error is None:  # else the first error is the one to tell
                raise output_fault(self._folder.parent, closing_error) from closing_error
        except FaultError:
            if error is None:
                raise

    def write(self, frame: JudgedFrame) -> None:
        """Add one frame."""
        result = frame.result
        try:
            mask = encode_patches(frame.patches, result.size.width_px, result.size.height_px)
            self._lines.write(json_line(result_line(result, mask, frame.name)))
            if self._style is not None:
                self._draw(frame, self._style)
            if result.point.follows and frame.name is None:
                self._findings = self._findings or Findings(self._folder)
                self._findings.add(frame)
        except OSError as error:
            raise output_fault(self._folder.parent, error) from error
        self.frames += 1
        self.frames_with_findings += bool(frame.patches)
        if self._first_pts_s is None:
            self._first_pts_s = result.pts_s
        self._last_pts_s = result.pts_s

    def _draw(self, frame: JudgedFrame, style: str) -> None:
        assert frame.bgra is not None  # read ahead for this
        if self._overlay is None:
            self._overlay = self._open_files.enter_context(closing(self._new_overlay(frame)))
        picture = frame.bgra.copy()
        draw(picture, drawn(style, frame.result, OverlayStyle()))
        self._overlay.write(frame, picture)

    def _new_overlay(self, first: JudgedFrame) -> OverlayWriter:
        if first.name is not None:
            self.files = (RESULTS, STILLS)
            return OverlayStills(self._folder / STILLS)
        self.files = (RESULTS, VIDEO)
        return OverlayVideo(self._folder / VIDEO, first, self._info.rate_hz, self._info.pixel_aspect)
