"""`export` on the command line: a recording or its side-car into a folder of a format that others read."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from tqdm import tqdm

from engine.analysis.one import check_preset
from engine.faults import FaultCode, FaultError
from engine.jobs.ended import CANCELLED, INPUT_UNUSABLE, OK
from engine.jobs.events import RunFolder
from engine.jobs.interrupt import terminable
from engine.model_card import STANDARD
from engine.model_folder import default_model, find_model, load_model_folder
from engine.review.analysis import analyse_into, begin, paths_of, run_folder, spec_of
from engine.review.exports.export import FORMATS, LOOKS, export
from engine.review.exports.selection import Only, range_of
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
    parser.add_argument("--out", type=Path, required=True, help="a new folder")
    parser.add_argument(
        "--range", metavar="A:B", help="frames 100:250, or seconds 4s:10s, both included (default: all)"
    )
    parser.add_argument(
        "--only",
        choices=tuple(one.value for one in Only),
        default=Only.ALL.value,
        help="verified frames, kept findings, or everything found (default)",
    )
    parser.add_argument(
        "--full-frame",
        action="store_true",
        help="all of each frame, with whatever stands beside the endoscope's picture",
    )
    parser.add_argument("--look", choices=LOOKS, default="overlay", help="of a clip (default: overlay)")
    parser.add_argument("--model", help="a model's name or folder, for a recording that is not analysed yet")
    parser.add_argument(
        "--preset", metavar="NAME", help=f"of a recording that is not analysed yet (default {STANDARD})"
    )
    parser.add_argument("--results", type=Path, metavar="DIR", help="what analyse wrote of it, instead")


def _formats() -> str:
    return "; ".join(f"{name}: {entry.summary}" for name, entry in FORMATS.items())


def run(arguments: argparse.Namespace, places: Places) -> int:
    """Export, and tell. 0: done, 2: it cannot be, 4: cancelled, and then nothing is there."""
    try:
        with terminable(), _opened(arguments.recording, places) as car:
            review = _analysed(car, arguments)
            range_ = range_of(arguments.range, review) if arguments.range else None
            counts = _export(review, arguments, range_)
    except FaultError as error:
        print(error, file=sys.stderr)
        return INPUT_UNUSABLE
    except KeyboardInterrupt:
        print("Cancelled: nothing was written.", file=sys.stderr)
        return CANCELLED
    _tell(counts, arguments.out)
    return OK


def main(argv: Sequence[str], places: Places) -> int:
    parser = argparse.ArgumentParser(prog="polyplive export", description=ABOUT)
    add_arguments(parser)
    return run(parser.parse_args(argv), places)


def _opened(names: Sequence[str], places: Places) -> SideCar:
    if len(names) == 1 and is_side_car(Path(names[0])):
        return open_folder(Path(names[0]))
    paths = paths_of(names[0]) if len(names) == 1 else [Path(name) for name in names]
    return open_side_car(paths, places, known=Library().side_car_of)


def _analysed(car: SideCar, arguments: argparse.Namespace) -> Review:
    """With the newest analysis that is done, or one that is made now."""
    if arguments.results:
        folder = find_results(arguments.results, car.recording.paths[0])
        return Review(car, _at_preset(take_results(car, folder), arguments.preset))
    done = [one for one in car.analyses if one.done]
    if done and not arguments.model:
        return Review(car, _at_preset(done[-1], arguments.preset))
    model = load_model_folder(find_model(arguments.model) if arguments.model else default_model())
    check_preset(model, arguments.preset or STANDARD)
    analysis = _at_preset(begin(car, model, arguments.preset or STANDARD), arguments.preset)
    if not analysis.done:
        print("The recording is analysed first.", file=sys.stderr)
        analyse_into(car.database, analysis, spec_of(car), RunFolder(run_folder(car.folder, analysis.id)))
    return Review(car, car.analysis(analysis.id))


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


def _export(
    review: Review, arguments: argparse.Namespace, range_: tuple[int, int] | None
) -> Mapping[str, int]:
    with closing(tqdm(unit=" pictures", mininterval=EVERY_S, file=sys.stderr, disable=None)) as bar:

        def tick(done: int, of: int) -> None:
            bar.total = of
            bar.update(done - bar.n)

        return export(
            review,
            arguments.format,
            arguments.out,
            only=Only(arguments.only),
            range_=range_,
            full_frame=arguments.full_frame,
            look=arguments.look,
            tick=tick,
        )


def _tell(counts: Mapping[str, int], out: Path) -> None:
    print(f"{', '.join(f'{count} {what}' for what, count in counts.items())} in {out}")
    print("Look at the contact sheet, or at the pictures, before anything leaves this machine.")
