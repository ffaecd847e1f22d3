"""A recording analysed: every frame judged, written down, and all of it published at once."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from itertools import chain
from pathlib import Path

from engine.analysis.findings import pictures_of
from engine.analysis.judged import open_judge, open_recording
from engine.analysis.overlay_files import STILLS, VIDEO
from engine.analysis.result_writer import ResultWriter
from engine.analysis.results import (
    SUMMARY,
    THUMBNAILS,
    ModelUsed,
    RuntimeUsed,
    Summary,
    read_results,
    read_summary,
    summary_text,
)
from engine.analysis.tracked import watched
from engine.faults import FaultCode, FaultError
from engine.files.output_folder import OutputFolder
from engine.files.whole import sha256_of, shown, write_text
from engine.model_card import STANDARD, WEIGHTS
from engine.model_folder import ModelFolder
from engine.runtime import AUTO
from engine.sources.base import SourceSpec
from engine.sources.file.decode_choice import SOFTWARE
from engine.types import Field, OperatingPoint, Region

PACKAGES = ("polyplive", "openvino", "torch", "av", "opencv-python-headless", "numpy")

Progress = Callable[[int, int | None], None]


def analyse(
    spec: SourceSpec,
    out: Path,
    *,
    model: ModelFolder,
    preset: str = STANDARD,
    threshold: float | None = None,
    runtime: str = AUTO,
    precision: str = AUTO,
    overlay: str | None = None,
    threads: int | None = None,
    decode: str = SOFTWARE,
    region: Region | Field | None = None,
    progress: Progress = lambda done, total: None,
) -> Summary:
    """Write `results.jsonl`, `summary.json` and, when asked for, the overlay into `out`; give the summary.

    `threshold` None is that of the model's `preset`, whose peak and area hold in any case; `overlay` a
    key of OVERLAYS, None for none; `threads` for the network, None for what suits a machine of one's own;
    `decode` as in `SourceOptions`; `region` as in `watched`, None for what the model was made for.
    `progress(done, total)` is called after each frame; total is None until the source has been counted.
    All appears at once at the end, in place of an earlier run's; after an error or KeyboardInterrupt `out` is
    as it was. A source that breaks off is analysed up to there, and the summary says so.
    Raises FaultError: a source that is live or cannot be read, a runtime that does not load, OUTPUT.
    """
    point = _point(model, preset, threshold)
    earlier = earlier_files(spec, out, findings=point.follows)
    faults: list[FaultError] = []
    with ExitStack() as stack:
        source = stack.enter_context(closing(open_recording(spec, decode)))
        judge = stack.enter_context(
            closing(open_judge(model, point, runtime=runtime, precision=precision, threads=threads))
        )
        looked_at = region or model.card.region
        began_s = time.monotonic()
        frames = stack.enter_context(
            closing(
                watched(source, judge, spec, looked_at, with_pixels=overlay is not None, tell=faults.append)
            )
        )
        first = next(frames)
        folder = stack.enter_context(OutputFolder(out))  # only now: bad input leaves nothing behind
        with ResultWriter(folder.aside, source.info, overlay) as writer:
            for frame in chain([first], frames):
                writer.write(frame)
                progress(writer.frames, source.info.frames)
        summary = Summary(
            source=shown(spec.text),
            frames=writer.frames,
            duration_s=source.info.duration_s or writer.span_s,
            width_px=source.info.width_px,
            height_px=source.info.height_px,
            decoder=source.info.decoder,
            model=ModelUsed(id=model.id, sha256=model.card.files[WEIGHTS].sha256),
            runtime=RuntimeUsed(**asdict(judge.runtime.info)),
            threshold=point.threshold,
            min_area_frac=point.min_area_frac,
            min_peak=point.min_peak,
            frames_with_findings=writer.frames_with_findings,
            preset=preset if writer.findings is not None or preset != STANDARD else None,
            region=_region(looked_at) if writer.findings is not None or region is not None else None,
            findings=writer.findings,
            frames_per_s=round(writer.frames / max(time.monotonic() - began_s, 1e-9), 2),
            versions=_versions(),
            created_utc=datetime.now(UTC).isoformat(timespec="seconds"),
            complete=all(fault.harmless for fault in faults),
            frames_missing=sum(fault.lost_frames for fault in faults),
            faults=tuple(str(fault) for fault in faults),
            files=writer.files,
            sha256={name: sha256_of(folder.aside / name) for name in writer.files if name not in FOLDERS},
        )
        write_text(folder.aside / SUMMARY, summary_text(summary))
        folder.publish(summary.files, earlier, last=SUMMARY)
    return summary


def _point(model: ModelFolder, preset: str, threshold: float | None) -> OperatingPoint:
    check_preset(model, preset)
    point = model.card.points[preset]
    # How far a mask reaches is one question; peak and area say whether it is shown, and stay the preset's.
    return point if threshold is None else point.moved(threshold)


def check_preset(model: ModelFolder, preset: str) -> None:
    """Raises FaultError ARGUMENT for one that the model does not have."""
    names = ", ".join(model.card.presets)
    if preset not in model.card.presets:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected=f"a preset of {model.id}: {names}",
            got=preset,
            remedy="name one of them with --preset",
            said=f"{model.id} has no preset {preset}. It has {names}.",
        )


def _region(looked_at: Region | Field) -> str:
    if isinstance(looked_at, Field):
        box = looked_at.box
        return f"{box.x},{box.y},{box.w},{box.h}"
    return looked_at


def earlier_files(spec: SourceSpec, out: Path, *, findings: bool = True) -> tuple[str, ...]:
    """What an earlier run left in `out`, to be replaced: files, then the folders they were in.

    Only what `analyse` writes, by the names that it gives. `findings`: whether a folder of that name may be
    written now. Raises FaultError for what must not be replaced.
    """
    if out.exists() and not out.is_dir():
        raise _bad_out(f"{out}, which is a file")
    if spec.kind == "file" and Path(spec.address).resolve() == (out / VIDEO).resolve():
        raise _bad_out(f"{out}, where the source itself would be overwritten")
    earlier = read_summary(out)
    files: tuple[str, ...] = earlier.files if earlier else ()
    folders: list[str] = []
    for name, names_of in FOLDERS.items():
        folder = out / name
        if name not in files and (not folder.exists() or (name == THUMBNAILS and not findings)):
            continue
        ours = name in files and folder.is_dir() and not folder.is_symlink()
        inside = {path.name for path in folder.iterdir()} if ours else set()
        if not ours or not inside <= names_of(out):
            raise _bad_out(f"{out}, where a folder {name} of something else is")
        folders += [*(f"{name}/{one}" for one in inside), name]
    return (*(name for name in files if name not in FOLDERS), *folders)


def _drawn(out: Path) -> set[str]:
    """Names of the stills that an earlier run drew on."""
    try:
        return {str(line.get("name")) for line in read_results(out)}
    except (OSError, ValueError, AttributeError):
        return set()


# The folders that `analyse` writes, and what the earlier run in a folder of results put into each.
FOLDERS = {STILLS: _drawn, THUMBNAILS: pictures_of}


def _bad_out(got: str) -> FaultError:
    return FaultError(
        FaultCode.ARGUMENT,
        expected="a folder for the results",
        got=got,
        remedy="choose another one with --out",
    )


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
