"""`analyse` on the command line: arguments, a progress bar, exit codes. No Qt."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from engine.analysis.many.recordings import holds_pictures, holds_videos, is_list
from engine.analysis.one import analyse
from engine.analysis.results import Summary
from engine.drawing.overlays import OVERLAYS
from engine.faults import FaultError
from engine.files.output_folder import named_folder
from engine.files.whole import shown
from engine.jobs.ended import CANCELLED, INCOMPLETE, INPUT_UNUSABLE, OK
from engine.jobs.interrupt import terminable
from engine.model_card import STANDARD
from engine.model_folder import load_model_folder
from engine.model_in_use import named_or_in_use
from engine.runtime import AUTO, RUNTIMES
from engine.sources import parse_source
from engine.sources.file.decode_choice import SOFTWARE
from engine.sources.what_is_there import expanded

# In a log file a bar is a line each time.
BAR_EVERY_S, LOG_EVERY_S = 0.1, 10.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments; `run` takes what they become."""
    parser.add_argument(
        "source",
        nargs="+",
        help="a video file, a folder of pictures, or demo:; many at once: several of them, a folder of "
        "videos, or a text file with a path a line",
    )
    parser.add_argument(
        "--out", type=named_folder, required=True, help="folder for results.jsonl and summary.json"
    )
    parser.add_argument(
        "--overlay",
        nargs="?",
        const="contour",
        choices=tuple(OVERLAYS),
        help="also write the pictures with the findings: overlay.mp4, for stills a folder overlay",
    )
    parser.add_argument(
        "--threshold",
        type=_probability,
        help="how far a mask reaches, 0 to 1 (default: the preset's; its peak and area hold anyway)",
    )
    parser.add_argument(
        "--preset",
        default=STANDARD,
        metavar="NAME",
        help=f"the model's preset that decides what is shown, such as sensitive (default: {STANDARD})",
    )
    parser.add_argument(
        "--whole-frame",
        action="store_true",
        help="show the network all of each picture, also where its card asks for the endoscope's alone",
    )
    parser.add_argument("--model", help="a model's name or folder")
    parser.add_argument(
        "--runtime",
        default=AUTO,
        metavar="NAME",
        help=f"{AUTO}, {', '.join(RUNTIMES)}; openvino:GPU, openvino:NPU",
    )
    parser.add_argument(
        "--decode",
        default=SOFTWARE,
        metavar="NAME",
        help="software (default), auto, or a hardware decoder such as cuda; software goes on where it fails",
    )
    parser.add_argument("--precision", choices=(AUTO, "f32", "bf16", "f16", "int8"), default=AUTO)
    many = parser.add_argument_group(
        "many recordings at once",
        "each gets a folder of its own in --out; stopped or failed, the same command goes on",
    ).add_mutually_exclusive_group()
    many.add_argument(
        "--workers", type=_count, metavar="N", help="processes on this machine (default: by cores)"
    )
    many.add_argument(
        "--scheduler", metavar="ADDRESS", help="a Dask cluster instead, such as tcp://host:8786 (or its file)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Analyse, and tell. 0: done, 2: input unusable, 4: cancelled, 5: written, but frames of the recording
    are missing; of many recordings 1: some failed.
    """
    try:
        with terminable():
            return _run(arguments)
    except FaultError as error:
        print(error, file=sys.stderr)
        return INPUT_UNUSABLE
    except KeyboardInterrupt:
        print("Cancelled: nothing was written.", file=sys.stderr)
        return CANCELLED


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="analyse", description="Segment every frame of a recording.")
    add_arguments(parser)
    return run(parser.parse_args(argv))


def _run(arguments: argparse.Namespace) -> int:
    if _is_many(arguments):
        from engine.analysis.many.verb import run_many

        return run_many(arguments)
    spec = parse_source(arguments.source[0])
    model = load_model_folder(named_or_in_use(arguments.model))
    every_s = BAR_EVERY_S if sys.stderr.isatty() else LOG_EVERY_S
    bar: tqdm[None] | None = None
    try:

        def progress(done: int, total: int | None) -> None:
            nonlocal bar
            if bar is None:  # not before the first frame: a source that does not open shows no bar
                bar = tqdm(total=total, unit=" frames", mininterval=every_s, file=sys.stderr)
            bar.total = total
            bar.update(done - bar.n)

        summary = analyse(
            spec,
            arguments.out,
            model=model,
            preset=arguments.preset,
            threshold=arguments.threshold,
            runtime=arguments.runtime,
            precision=arguments.precision,
            overlay=arguments.overlay,
            decode=arguments.decode,
            region="frame" if arguments.whole_frame else None,
            progress=progress,
        )
    finally:
        if bar is not None:
            bar.close()
    _tell(summary, arguments.out)
    return OK if summary.complete else INCOMPLETE


def _is_many(arguments: argparse.Namespace) -> bool:
    """Whether a folder of folders of results is asked for. A folder with pictures in it is one recording."""
    if len(arguments.source) > 1 or arguments.workers or arguments.scheduler:
        return True
    path = expanded(arguments.source[0])
    if not arguments.source[0].strip() or not path.is_dir():
        return is_list(path)
    videos = holds_videos(path, arguments.out)
    if videos and holds_pictures(path):
        print(f"Only the pictures in {path}: add --workers N for the videos in it.", file=sys.stderr)
        return False
    return videos


def _tell(summary: Summary, out: Path) -> None:
    for fault in summary.faults:
        print(fault, file=sys.stderr)
    found = "" if summary.findings is None else f", {summary.findings['all']} findings over time"
    print(
        f"{summary.frames} frames, {summary.frames_with_findings} with findings{found}, "
        f"{summary.frames_per_s:.0f} frames/s ({summary.model.id}, {summary.runtime.name} "
        f"{summary.runtime.precision}, threshold {summary.threshold:g})"
    )
    for name in (*summary.files, "summary.json"):
        print(shown(str(out / name)))


def _count(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 on")
    return value


def _probability(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1.0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 to 1")
    return value


if __name__ == "__main__":
    sys.exit(main())
