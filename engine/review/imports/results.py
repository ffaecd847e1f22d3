"""Folders that `analyse` wrote, also of many recordings, as an analysis of the side-car without inference."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from engine.analysis.results import Summary, is_whole, read_results, read_summary
from engine.drawing.rle import Rle
from engine.faults import FaultCode, FaultError
from engine.review.database import Database
from engine.review.findings import Sighted, write_findings
from engine.review.following import Noted
from engine.review.maps import CHUNK, StoredFrame, write_frames
from engine.review.recording import Analysis, point_text, region_text
from engine.review.store import SideCar, now_utc
from engine.sources.field_finder import whole
from engine.tracking.rule import TrackRule
from engine.tracking.tracks import Sighting, Tracks, step
from engine.types import U8, Component, Field, OperatingPoint, Rect, Size, TrackState
from engine.view.motion import STILL

MADE_BY = "analyse"
RULE = TrackRule(0.165, 0.265)  # of results whose blobs belong to no track: the usual preset's times
NO_MAP: U8 = np.zeros((0, 0), np.uint8)


def find_results(folder: Path, recording: Path) -> Path:
    """The folder with a recording's results: this one, or one of those in it (`analyse` of many).

    Raises FaultError ARGUMENT.
    """
    candidates = [folder, *(path.parent for path in sorted(folder.glob("*/summary.json")))]
    named = [(one, summary) for one in candidates if (summary := read_summary(one)) is not None]
    for one, summary in named:
        if Path(summary.source).resolve() == recording.resolve():
            return one
    alike = [one for one, summary in named if Path(summary.source).name == recording.name]
    if len(alike) == 1:
        return alike[0]
    raise FaultError(
        FaultCode.ARGUMENT,
        expected=f"a folder that analyse wrote of {recording.name}",
        got=f"{folder}, with results of {', '.join(Path(s.source).name for _, s in named[:3]) or 'nothing'}",
        remedy="name the folder given to analyse by --out",
        said=f"There are no results of {recording.name} in {folder}. "
        "Name the folder given to analyse by --out.",
    )


def take_results(car: SideCar, folder: Path) -> Analysis:
    """Keep them in the side-car. Raises FaultError ARGUMENT for a folder that is not whole."""
    summary = read_summary(folder)
    if summary is None or not is_whole(folder, summary):
        raise FaultError(
            FaultCode.ARGUMENT,
            expected=f"whole results in {folder}",
            got="a folder that lacks some, or was changed",
            remedy="analyse the recording again",
            said=f"The results in {folder} are not whole. Analyse the recording again.",
        )
    for known in car.analyses:
        if (known.made_by, known.began_utc) == (MADE_BY, summary.created_utc):
            return known
    size = Size(summary.width_px, summary.height_px)
    with car.database.change() as change:
        id_ = _row(change, summary)
        change.run(
            "UPDATE recording SET width_px = ?, height_px = ?, frames = coalesce(frames, ?), "
            "duration_s = coalesce(duration_s, ?)",
            summary.width_px,
            summary.height_px,
            summary.frames,
            summary.duration_s,
        )
        noted, seen = Noted(), []
        lines = read_results(folder)
        tracks = Tracks()
        while some := list(islice(lines, CHUNK)):
            frames, peaks, marks = [], [], []
            for line in some:
                frame = _frame(line, size)
                tracks, sighted = _sighted(line, tracks)
                for one in sighted:
                    noted.add(one, frame)
                if sighted:
                    seen.append((frame.rank, sighted))
                frames.append(frame)
                peak = max((part["peak"] for part in line["components"]), default=0.0)
                peaks.append(round(peak * 255))
                if line["mask"] is not None:
                    marks.append((id_, frame.rank, frame.pts_s, line["mask"]["counts"], peak))
            write_frames(change, id_, frames, peaks)
            change.run_all("INSERT INTO mark VALUES (?, ?, ?, ?, ?)", marks)
        write_findings(change, id_, noted.findings, seen)
    return car.analysis(id_)


def mark_at(database: Database, analysis: int, rank: int, size: Size) -> Rle | None:
    """The mask of a frame as `analyse` wrote it."""
    row = database.row("SELECT counts FROM mark WHERE analysis = ? AND rank = ?", analysis, rank)
    return None if row is None else Rle(size=[size.height_px, size.width_px], counts=row[0])


def _row(change: Database, summary: Summary) -> int:
    point = OperatingPoint(
        summary.threshold, summary.min_area_frac, summary.min_peak, preset=summary.preset or ""
    )
    return change.run(
        "INSERT INTO analysis (made_by, model_id, weights_sha256, model_path, preset, point, region, "
        "runtime, began_utc, map_width, map_height, done, faults) "
        "VALUES (?, ?, ?, '', ?, ?, ?, ?, ?, 0, 0, 1, ?)",
        MADE_BY,
        summary.model.id,
        summary.model.sha256,
        point.preset,
        point_text(point),
        region_text("field" if summary.region == "field" else "frame"),
        summary.runtime.name,
        summary.created_utc or now_utc(),
        json.dumps(summary.faults),
    )


def _frame(line: dict[str, Any], size: Size) -> StoredFrame:
    field = Field(Rect(*line["region"])) if "region" in line else whole(size)
    return StoredFrame(line["index"], line["pts_s"], NO_MAP, STILL, False, 0, field)


def _sighted(line: dict[str, Any], tracks: Tracks) -> tuple[Tracks, tuple[Sighted, ...]]:
    """By the tracks that stand in the line or, where none do, by those made here of its blobs."""
    parts = [*line["components"], *line.get("candidates", ())]
    if "candidates" in line:
        return tracks, tuple(_told(part) for part in parts if "track" in part)
    found = [Component(Rect(*part["box"]), part["area_px"], part["peak"], part["mean"], ()) for part in parts]
    tracks = step(tracks, [Sighting(one) for one in found], now_s=line["pts_s"], rule=RULE)
    return tracks, tuple(
        Sighted(track.id, track.state, one.box, one.area_px, one.peak)
        for track in tracks.tracks
        if track.seen_s == line["pts_s"]
        for one in track.components
    )


def _told(part: dict[str, Any]) -> Sighted:
    state = TrackState(part["state"])
    return Sighted(part["track"], state, Rect(*part["box"]), part["area_px"], part["peak"])
