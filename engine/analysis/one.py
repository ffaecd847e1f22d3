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

from engine.analysis.judged import open_judge, open_recording
from engine.analysis.overlay_files import STILLS, VIDEO
from engine.analysis.result_writer import ResultWriter
from engine.analysis.results import SUMMARY, ModelUsed, RuntimeUsed, Summary, read_results, read_summary
from engine.analysis.tracked import watched
from engine.faults import FaultCode, FaultError
from engine.files.output_folder import OutputFolder
from engine.files.whole import sha256_of, shown, write_text
from engine.model_card import WEIGHTS
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

    `threshold` None is that of the model's standard preset, whose peak and area hold in any case; `overlay` a
    key of OVERLAYS, None for none; `threads` for the network, None for what suits a machine of one's own;
    `decode` as in `SourceOptions`; `region` as in `watched`, None for what the model was made for.
    `progress(done, total)` is called after each frame; total is None until the source has been counted.
    All appears at once at the end, in place of an earlier run's; after an error or KeyboardInterrupt `out` is
    as it was. A source that breaks off is analysed up to there, and the summary says so.
    Raises FaultError: a source that is live or cannot be read, a runtime that does not load, OUTPUT.
    """
    earlier = earlier_files(spec, out)
    point = _point(model, threshold)
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
            frames_per_s=round(writer.frames / max(time.monotonic() - began_s, 1e-9), 2),
            versions=_versions(),
            created_utc=datetime.now(UTC).isoformat(timespec="seconds"),
            complete=all(fault.harmless for fault in faults),
            frames_missing=sum(fault.lost_frames for fault in faults),
            faults=tuple(str(fault) for fault in faults),
            files=writer.files,
            sha256={name: sha256_of(folder.aside / name) for name in writer.files if name != STILLS},
        )
        write_text(folder.aside / SUMMARY, summary.model_dump_json(by_alias=True, indent=2) + "\n")
        folder.publish(summary.files, earlier, last=SUMMARY)
    return summary


def _point(model: ModelFolder, threshold: float | None) -> OperatingPoint:
    standard = model.card.points["standard"]
    # How far a mask reaches is one question; peak and area say whether it is shown, and stay the preset's.
    return standard if threshold is None else standard.moved(threshold)


def earlier_files(spec: SourceSpec, out: Path) -> tuple[str, ...]:
    """What an earlier run left in `out`, to be replaced: files, then the folder they were in.

    Only what `analyse` writes, by the names that it gives. Raises FaultError for what must not be replaced.
    """
    if out.exists() and not out.is_dir():
        raise _bad_out(f"{out}, which is a file")
    if spec.kind == "file" and Path(spec.address).resolve() == (out / VIDEO).resolve():
        raise _bad_out(f"{out}, where the source itself would be overwritten")
    earlier = read_summary(out)
    files: tuple[str, ...] = earlier.files if earlier else ()
    stills = out / STILLS
    if STILLS not in files and not stills.exists():
        return files
    ours = STILLS in files and stills.is_dir() and not stills.is_symlink()
    inside = {path.name for path in stills.iterdir()} if ours else set()
    if not ours or not inside <= _drawn(out):
        raise _bad_out(f"{out}, where a folder {STILLS} of something else is")
    return (*(name for name in files if name != STILLS), *(f"{STILLS}/{name}" for name in inside), STILLS)


def _drawn(out: Path) -> set[str]:
    """Names of the stills that an earlier run drew on."""
    try:
        return {str(line.get("name")) for line in read_results(out)}
    except (OSError, ValueError, AttributeError):
        return set()


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
