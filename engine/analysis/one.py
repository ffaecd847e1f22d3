"""Every frame of a recording, as fast as it goes: decode ahead, infer side by side, write in order."""

from __future__ import annotations

import math
import platform
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from itertools import chain, islice
from pathlib import Path

import cv2

from engine.analysis.overlay_files import STILLS, VIDEO
from engine.analysis.read_ahead import Item, ReadAhead
from engine.analysis.result_writer import Judged, ResultWriter
from engine.analysis.results import SUMMARY, ModelUsed, RuntimeUsed, Summary, read_results, read_summary
from engine.drawing.components import components_of, find_regions
from engine.faults import FaultCode, FaultError
from engine.files.output_folder import OutputFolder
from engine.files.whole import sha256_of, shown, write_text
from engine.model_card import WEIGHTS
from engine.model_folder import ModelFolder
from engine.runtime import AUTO, open_runtime
from engine.runtime.base import Runtime, RuntimeOptions
from engine.runtime.host import default_threads
from engine.runtime.self_check import check_runtime
from engine.sources import open_source
from engine.sources.base import Source, SourceOptions, SourceSpec
from engine.sources.file.decode_choice import SOFTWARE
from engine.types import Mask, OperatingPoint, Rect, Result, Size, Timings

LIVE_KINDS = frozenset({"capture", "stream"})
PACKAGES = ("polyplive", "openvino", "torch", "av", "opencv-python-headless", "numpy")
AT_ONCE = 4
NEVER = Timings(math.nan, math.nan, math.nan, math.nan)

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
    progress: Progress = lambda done, total: None,
) -> Summary:
    """Write `results.jsonl`, `summary.json` and, when asked for, the overlay into `out`; give the summary.

    `threshold` None is that of the model's standard preset, whose peak and area hold in any case; `overlay` a
    key of OVERLAYS, None for none; `threads` for the network, None for what suits a machine of one's own;
    `decode` as in `SourceOptions`.
    `progress(done, total)` is called after each frame; total is None until the source has been counted.
    All appears at once at the end, in place of an earlier run's; after an error or KeyboardInterrupt `out` is
    as it was. A source that breaks off is analysed up to there, and the summary says so.
    Raises FaultError: a source that is live or cannot be read, a runtime that does not load, OUTPUT.
    """
    cv2.setNumThreads(1)  # its pool would fight with the network for the same cores
    earlier = earlier_files(spec, out)
    point = _point(model, threshold)
    streams = threads or default_threads()
    size = Size(model.card.input.width_px, model.card.input.height_px)
    with ExitStack() as stack:
        source = stack.enter_context(closing(_open_recording(spec, decode)))
        network = stack.enter_context(
            closing(open_runtime(runtime, model, RuntimeOptions(precision, threads or 0, streams)))
        )
        check_runtime(model.card, network)
        began_s = time.monotonic()
        # Pictures for the overlay are megabytes each: few of them are under way.
        at_once = AT_ONCE if overlay is None else 1
        ahead = stack.enter_context(ReadAhead(source, size, overlay is not None, 2 * at_once))
        pool = stack.enter_context(ThreadPoolExecutor(streams, thread_name_prefix="polyplive-infer"))
        items = iter(ahead)
        first = _first(items, spec)
        folder = stack.enter_context(OutputFolder(out))  # only now: bad input leaves nothing behind
        judge = Judge(network, model.id, point)
        with ResultWriter(folder.aside, source.info, overlay) as writer:
            for judged in _in_order(pool, judge, chain([first], items), 2 * streams, at_once):
                writer.write(judged)
                progress(writer.frames, source.info.frames)
        summary = Summary(
            source=shown(spec.text),
            frames=writer.frames,
            duration_s=source.info.duration_s or writer.span_s,
            width_px=source.info.width_px,
            height_px=source.info.height_px,
            decoder=source.info.decoder,
            model=ModelUsed(id=model.id, sha256=model.card.files[WEIGHTS].sha256),
            runtime=RuntimeUsed(**asdict(network.info)),
            threshold=point.threshold,
            min_area_frac=point.min_area_frac,
            min_peak=point.min_peak,
            frames_with_findings=writer.frames_with_findings,
            frames_per_s=round(writer.frames / max(time.monotonic() - began_s, 1e-9), 2),
            versions=_versions(),
            created_utc=datetime.now(UTC).isoformat(timespec="seconds"),
            complete=all(fault.harmless for fault in ahead.faults),
            frames_missing=sum(fault.lost_frames for fault in ahead.faults),
            faults=tuple(str(fault) for fault in ahead.faults),
            files=writer.files,
            sha256={name: sha256_of(folder.aside / name) for name in writer.files if name != STILLS},
        )
        write_text(folder.aside / SUMMARY, summary.model_dump_json(by_alias=True, indent=2) + "\n")
        folder.publish(summary.files, earlier, last=SUMMARY)
    return summary


@dataclass(frozen=True, slots=True)
class Judge:
    """What is done with one picture; called by several threads."""

    runtime: Runtime
    model_id: str
    point: OperatingPoint

    def __call__(self, item: Item) -> Judged:
        probability = self.runtime.infer(item.rgb)
        mask = Mask(item.index, probability, Rect(0, 0, item.width_px, item.height_px))
        regions = find_regions(mask, item.width_px, item.height_px, self.point)
        result = Result(
            number=item.index,
            index=item.index,
            pts_s=item.pts_s,
            seek_serial=0,
            size=Size(item.width_px, item.height_px),
            mask=mask,
            components=components_of(regions),
            point=self.point,
            timings=NEVER,
            model_id=self.model_id,
            runtime=self.runtime.info.name,
        )
        return Judged(item, result, regions)


def _in_order(
    pool: ThreadPoolExecutor, judge: Judge, items: Iterator[Item], depth: int, at_once: int
) -> Iterator[Judged]:
    """The items judged side by side and given in their order, at most `depth` times `at_once` under way.

    `at_once` of them go to a thread together: waking one costs a tenth of what a picture costs it.
    """

    def judge_all(some: list[Item]) -> list[Judged]:
        return [judge(item) for item in some]

    under_way: deque[Future[list[Judged]]] = deque()
    while some := list(islice(items, at_once)):
        under_way.append(pool.submit(judge_all, some))
        if len(under_way) >= depth:
            yield from under_way.popleft().result()
    while under_way:
        yield from under_way.popleft().result()


def _open_recording(spec: SourceSpec, decode: str) -> Source:
    source = None
    if spec.kind not in LIVE_KINDS:
        source = open_source(spec, SourceOptions(throughput=True, decode=decode))
        if not source.info.live:
            return source
        source.close()
    raise FaultError(
        FaultCode.ARGUMENT,
        expected="a recording: a video file, a folder of pictures or the demonstration",
        got=f"{spec.text}, which is live",
        remedy="record it first, or watch it without analyse",
        said=f"{spec.text} is live and has no end to analyse. Record it first, or watch it without analyse.",
    )


def _first(items: Iterator[Item], spec: SourceSpec) -> Item:
    for item in items:
        return item
    raise FaultError(
        FaultCode.SOURCE_UNREADABLE,
        expected=f"pictures in {spec.text}",
        got="none",
        remedy="choose another recording",
        said=f"There are no pictures in {spec.text}. Choose another recording.",
    )


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
