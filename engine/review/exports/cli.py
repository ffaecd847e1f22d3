"""`export` on the command line: a recording or its side-car into a folder of a format that others read."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path

from tqdm import tqdm

from engine.analysis.one import check_preset
from engine.faults import FaultCode, FaultError
from engine.files.output_folder import named_folder
from engine.jobs.begun import begun
from engine.jobs.ended import CANCELLED, INCOMPLETE, INPUT_UNUSABLE, OK
from engine.jobs.interrupt import terminable
from engine.model_card import STANDARD, WEIGHTS
from engine.model_folder import load_model_folder
from engine.model_in_use import named_or_in_use
from engine.review.analysis import (
    JOB,
    analyse_into,
    begin,
    check_readable,
    check_writable,
    paths_of,
    run_folder,
    spec_of,
)
from engine.review.edits import Edits
from engine.review.exports.export import SHEET, Staged, chosen, counted, stage
from engine.review.exports.formats import FORMATS, Format, Look, Only
from engine.review.exports.selection import range_of
from engine.review.imports.results import find_results, take_results
from engine.review.library.index import Library
from engine.review.places import Places, is_side_car
from engine.review.recording import Analysis
from engine.review.review import Review
from engine.review.store import SideCar, open_folder, open_side_car

EVERY_S = 0.1
ABOUT = "Hand on what is known of a recording. Research use only."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments; `run` takes what they become."""
    parser.add_argument(
        "recording",
        nargs="+",
        help="a video, a folder of pictures, or a side-car; several files are one recording in parts",
    )
    parser.add_argument("--format", required=True, choices=tuple(FORMATS), help=_formats())
    parser.add_argument("--out", type=named_folder, required=True, help="a new folder")
    parser.add_argument(
        "--range",
        metavar="A:B",
        help="frames 100:250, seconds 4s:10s or times 0:04-0:10, both included (default: all)",
    )
    parser.add_argument(
        "--only",
        choices=tuple(one.value for one in Only),
        help="verified frames, kept findings, or everything found (default; of a data set verified frames)",
    )
    parser.add_argument(
        "--full-frame",
        action="store_true",
        help="all of each frame, with whatever stands beside the endoscope's picture",
    )
    parser.add_argument(
        "--look", choices=tuple(one.value for one in Look), help="of a clip (default: overlay)"
    )
    parser.add_argument("--model", help="a model's name or folder, for a recording that is not analysed yet")
    parser.add_argument(
        "--preset", metavar="NAME", help=f"of a recording that is not analysed yet (default {STANDARD})"
    )
    parser.add_argument(
        "--results", type=named_folder, metavar="DIR", help="what analyse wrote of it, instead"
    )


def _formats() -> str:
    return "; ".join(f"{name}: {row.about}" for name, row in FORMATS.items())


def run(arguments: argparse.Namespace, places: Places) -> int:
    """Export, and tell. 0: done, 2: it cannot be, 4: cancelled, and then nothing is there, 5: done, of a
    recording of which frames are missing.
    """
    try:
        only = _only(chosen(arguments.format), arguments)
        with terminable(), _opened(arguments.recording, places) as car:
            review = _analysed(car, arguments)
            range_ = None if arguments.range is None else range_of(arguments.range, review)
            staged = _export(review, arguments, only, range_)
            has_pictures = staged.sheet is not None
            staged.keep()
    except FaultError as error:
        print(error, file=sys.stderr)
        return INPUT_UNUSABLE
    except KeyboardInterrupt:
        print("Cancelled: nothing was written.", file=sys.stderr)
        return CANCELLED
    _tell(staged.counts, arguments.out, has_pictures)
    for fault in review.analysis.faults:
        print(fault, file=sys.stderr)
    return INCOMPLETE if review.analysis.faults else OK


def main(argv: Sequence[str], places: Places) -> int:
    parser = argparse.ArgumentParser(prog="polyplive export", description=ABOUT)
    add_arguments(parser)
    return run(parser.parse_args(argv), places)


def _opened(names: Sequence[str], places: Places) -> SideCar:
    if len(names) == 1 and is_side_car(Path(names[0])):
        return open_folder(Path(names[0]))
    paths = paths_of(names[0]) if len(names) == 1 else [Path(name) for name in names]
    return open_side_car(paths, places, seen=False, known=Library().side_car_of, check=check_readable)


def _analysed(car: SideCar, arguments: argparse.Namespace) -> Review:
    """With the analysis that is reviewed, where it is done, or one that is made now."""
    if arguments.results:
        folder = find_results(arguments.results, car.recording.paths[0])
        return Review(car, _at_preset(take_results(car, folder), arguments.preset))
    done = [one for one in car.analyses if one.done]
    known = Edits(car.database).reviewed(done, _weights_in_use()) if len(done) > 1 else (*done, None)[0]
    if known is not None and arguments.model is None:
        return Review(car, _at_preset(known, arguments.preset))
    model = load_model_folder(named_or_in_use(arguments.model))
    preset = STANDARD if arguments.preset is None else arguments.preset
    check_preset(model, preset)
    analysis = _at_preset(begin(car, model, preset), arguments.preset)
    if not analysis.done:
        check_writable(car)
        print("The recording is analysed first.", file=sys.stderr)
        with begun(JOB, run_folder(car.folder, analysis.id)) as job:
            analyse_into(car.database, analysis, spec_of(car), job)
    return Review(car, car.analysis(analysis.id))


def _weights_in_use() -> str:
    """ "" where that model cannot be read: what is known is handed on none the less."""
    with suppress(FaultError):
        return load_model_folder(named_or_in_use(None)).card.files[WEIGHTS].sha256
    return ""


def _at_preset(analysis: Analysis, preset: str | None) -> Analysis:
    """What is known stays as its reviewer left it: another preset is refused (FaultError ARGUMENT)."""
    if preset is not None and preset != analysis.preset:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected=f"the preset of what is known of the recording: {analysis.preset}",
            got=preset,
            remedy="choose the preset in its review, or leave --preset out",
            said=f"The findings of this recording are those of preset {analysis.preset or 'none'}, "
            f"not {preset}. Choose the preset in its review, or leave --preset out.",
        )
    return analysis


def _only(row: Format, arguments: argparse.Namespace) -> Only:
    """What was asked for, or the usual of the format. Raises FaultError ARGUMENT."""
    if arguments.look is not None and not row.looks:
        raise _no_choice("--look", arguments.look, "only a clip has a look", "Leave --look out")
    if arguments.only is None:
        return row.only[-1]
    only = Only(arguments.only)
    if only not in row.only:
        names = " or ".join(one.value for one in row.only)
        raise _no_choice("--only", only.value, f"{arguments.format} has {names}", f"Choose {names}")
    return only


def _no_choice(option: str, got: str, has: str, remedy: str) -> FaultError:
    return FaultError(
        FaultCode.ARGUMENT,
        expected=has,
        got=f"{option} {got}",
        remedy=remedy,
        said=f"{option} {got} cannot be: {has}. {remedy}.",
    )


def _export(
    review: Review, arguments: argparse.Namespace, only: Only, range_: tuple[int, int] | None
) -> Staged:
    with closing(tqdm(unit=" pictures", mininterval=EVERY_S, file=sys.stderr, disable=None)) as bar:

        def tick(done: int, of: int) -> None:
            bar.total = of
            bar.update(done - bar.n)

        return stage(
            review,
            arguments.format,
            arguments.out,
            only=only,
            range_=range_,
            full_frame=arguments.full_frame,
            look=arguments.look or Look.OVERLAY,
            tick=tick,
        )


def _tell(counts: Mapping[str, int], out: Path, has_pictures: bool) -> None:
    print(f"{counted(counts)} in {out}")
    if has_pictures:
        print(f"Look at {out / SHEET} before anything leaves this machine.")
