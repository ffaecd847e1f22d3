"""`python main.py use`: compare a model with the one in use, decide, put it in use, and go back."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from engine.faults import FaultCode, FaultError
from engine.files.whole import sha256_of, shown
from engine.jobs.ended import BUG, CANCELLED, INPUT_UNUSABLE, OK, How
from engine.jobs.events import Event, Failed, Progress, Stage
from engine.jobs.folder import EVENTS
from engine.jobs.tail import Tail
from engine.model_card import CARD
from engine.model_folder import find_model
from engine.model_in_use import Promotion, model_in_use, read_log
from engine.promotion import locked
from engine.promotion.acceptance import ACCEPTANCE, read_acceptance
from engine.promotion.export import is_run
from engine.promotion.job import begin, finished, is_comparison, start
from engine.promotion.page import acceptance_text, log_lines
from engine.promotion.promote import go_back, promote

ABOUT = (
    "Compare a model, or the run folder of a training, with the model in use: parity, latency here, "
    "alarms, first detection and Dice on the demonstration and on what you have locked. Then use it, or not. "
    "Research use only."
)
LOOK_EVERY_S = 0.2
GRACE_S = 15.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "model",
        nargs="?",
        metavar="MODEL_OR_RUN",
        help="a model's name or folder, a training's run folder, or the folder of a comparison",
    )
    parser.add_argument("--yes", action="store_true", help="use it without being asked")
    parser.add_argument(
        "--reason", default="", metavar="TEXT", help="why it is used although something speaks against it"
    )
    other = parser.add_mutually_exclusive_group()
    other.add_argument("--back", action="store_true", help="use the model before")
    other.add_argument("--list", action="store_true", help="what is and was in use, and what is locked")
    other.add_argument(
        "--lock",
        type=Path,
        metavar="PATH",
        help="judge models on this from now on: a video with masks in NAME_masks/, a folder with "
        "index.jsonl, or one with images/ and masks/",
    )
    other.add_argument("--unlock", type=Path, metavar="PATH", help="do so no more")
    parser.add_argument("--polyp-free", action="store_true", help="with --lock: no polyp is in any of it")


def run(arguments: argparse.Namespace) -> int:
    """0: done, or nothing to do; 2: it cannot be, or needs a reason; 3: what is locked cannot be used;
    4: cancelled, or a person said no.
    """
    try:
        return _run(arguments)
    except FaultError as error:
        print(error, file=sys.stderr)
        return INPUT_UNUSABLE


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="polyplive use", description=ABOUT)
    add_arguments(parser)
    return run(parser.parse_args(argv))


def _run(arguments: argparse.Namespace) -> int:
    if arguments.list:
        return _list()
    if arguments.lock is not None:
        now_utc = datetime.now(UTC).isoformat(timespec="seconds")
        one = locked.lock(arguments.lock, now_utc, polyp_free=arguments.polyp_free)
        print(f"Models are judged on {shown(one.path)} from now on. Keep it out of every training.")
        return OK
    if arguments.unlock is not None:
        locked.unlock(arguments.unlock)
        print(f"Models are not judged on {shown(str(arguments.unlock))} any more.")
        return OK
    if arguments.back:
        return _tell(go_back(arguments.reason))
    if not arguments.model:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected="a model or a run folder",
            got="nothing",
            remedy="name one, or use --back or --list",
            said="Name a model or a training's run folder, or use --back, --list, --lock or --unlock.",
        )
    return _use(arguments)


def _use(arguments: argparse.Namespace) -> int:
    read_log()  # a damaged one is told before the work
    folder = Path(arguments.model)
    if not (folder / ACCEPTANCE).is_file():
        folder, code = _compared(arguments)
        if code is not None:
            return code
    acceptance = read_acceptance(folder)
    print(acceptance_text(acceptance))
    if acceptance.candidate.sha256 == acceptance.in_use.sha256:
        print(f"{acceptance.candidate.id} is in use already.")
        return OK
    if arguments.yes and (arguments.reason or not acceptance.objections):
        return _tell(promote(folder, arguments.reason))
    reason = " --reason TEXT" if acceptance.objections else ""
    again = f"python main.py use {shown(str(folder))} --yes{reason}"
    if sys.stdin.isatty() and (not acceptance.objections or arguments.reason):
        if input(f"\nUse {acceptance.candidate.id} from now on? [y/N] ").strip().lower() in ("y", "yes"):
            return _tell(promote(folder, arguments.reason))
        print(f"Nothing was changed. To use it later: {again}")
        return CANCELLED
    print(f"\nNothing was changed. To use it: {again}")
    return INPUT_UNUSABLE if arguments.yes else OK


def _compared(arguments: argparse.Namespace) -> tuple[Path, int | None]:
    """The folder of a finished comparison, an earlier one where it says yes to that; or how it ended."""
    folder = Path(arguments.model)
    if not is_comparison(folder):
        if not is_run(folder):
            model = find_model(arguments.model)
            if _is_in_use(model):
                print(f"{arguments.model} is in use already.")
                return folder, OK
            if arguments.yes and (known := finished(model)) is not None:
                return known, None
        folder = begin(arguments.model)
    print(f"Compared in {shown(str(folder))}, which goes on when this ends.", file=sys.stderr)
    code = _followed(folder)
    return folder, None if code == OK else code


def _is_in_use(path: Path) -> bool:
    with contextlib.suppress(OSError):
        return sha256_of(path / CARD) == sha256_of(model_in_use().path / CARD)
    return False


def _followed(folder: Path) -> int:
    """Start the job, and tell of it until it has ended; Ctrl-C ends it."""
    tail, bar, fault = Tail(folder / EVENTS), _Line(), ""
    while tail.look().behind:  # of an earlier start
        pass
    process = start(folder)
    try:
        while True:
            ended = process.poll()
            for event in tail.look().events:
                bar.tell(event)
                if isinstance(event, Failed):
                    fault = event.said
            if ended is not None:
                break
            time.sleep(LOOK_EVERY_S)
    except KeyboardInterrupt:
        ended = process.stop(GRACE_S)
    bar.close()
    if ended.how is How.DONE:
        return OK
    if ended.how is How.CANCELLED:
        print("Cancelled: nothing was changed.", file=sys.stderr)
        return CANCELLED
    refused = ended.how in (How.REFUSED, How.DATA_REFUSED)
    print(fault or (ended.last if refused else ended.sentence("The comparison")), file=sys.stderr)
    return ended.code if refused else BUG


class _Line:
    """Stages on stderr, a line each; on a terminal with how far it is."""

    def __init__(self) -> None:
        self._stage = ""
        self._live = sys.stderr.isatty()

    def tell(self, event: Event) -> None:
        if isinstance(event, Stage):
            self.close()
            self._stage = f"{(event.i or 0) + 1}/{event.of} {event.name}"
            print(self._stage, end="" if self._live else "\n", file=sys.stderr, flush=True)
        elif isinstance(event, Progress) and self._live and event.total:
            share = min(100, 100 * event.done // event.total)
            print(f"\r{self._stage} {share:3} %", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        if self._live and self._stage:
            print(file=sys.stderr)
        self._stage = ""


def _tell(promotion: Promotion) -> int:
    name = promotion.model.folder or f"{promotion.model.id}, the program's own,"
    print(f"{name} is in use. A window that is open takes it at its next start.")
    if promotion.kind == "use":
        print("The model before: python main.py use --back")
    return OK


def _list() -> int:
    found = model_in_use()
    if found.fault is not None:
        print(found.fault, file=sys.stderr)
    own = " (the program's own)" if found.is_factory else ""
    print(f"in use: {found.path.name}{own}")
    with contextlib.suppress(FaultError):  # told above
        for line in log_lines(read_log(), found.path.name if not found.is_factory else ""):
            print(line)
    for one in locked.locked():
        what = ", polyp-free" if one.polyp_free else ""
        print(f"locked: {shown(one.path)}{what}, {locked.state_of(one)}")
    return OK
