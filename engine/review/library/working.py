"""The queue worked through: each recording is analysed in a process of its own, one after the other.

A bad recording stops nobody. What a window has open for review is that window's: it is left until later.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from engine.faults import FaultCode, FaultError, fault_of
from engine.files.lock import held, holder
from engine.files.whole import shown
from engine.jobs.adopted import is_at_work
from engine.jobs.ended import Ended, How
from engine.jobs.process import Process
from engine.model_folder import load_model_folder
from engine.review.analysis import begin, check_writable, progress_of, run_folder, start
from engine.review.database import DATABASE, open_database
from engine.review.library.index import Library
from engine.review.library.kept import remove
from engine.review.library.queue import Item, Queue
from engine.review.places import Places
from engine.review.store import WINDOW_LOCK, open_folder, open_side_car

log = logging.getLogger(__name__)

LOCK = "queue.lock"
LOOK_S = 0.4
PATIENCE_S = 0.5  # then it is killed: less than 64 frames are judged again
LATER_ROUNDS = 5  # so many looks until what was in use is tried again
PLACE = "queue"

Wait = Callable[[float], bool]  # for so many seconds, or shorter; whether it is the end


@dataclass(frozen=True, slots=True)
class Worker:
    """`wait`: as `threading.Event.wait`; when that says so, what runs is stopped and goes on another time."""

    queue: Queue
    library: Library
    places: Places
    wait: Wait

    def work(self) -> None:
        """Until the end, whatever is added meanwhile. Nothing is done while another window does it.

        Raises FaultError OUTPUT when the queue itself cannot be kept.
        """
        lock = self.queue.path.with_name(LOCK)
        while not self.wait(0.0):
            with suppress(_HeldError), held(lock, busy=_HeldError()):
                self.queue.begin()
                self._work_alone()
            if self.wait(LOOK_S):
                return

    def _work_alone(self) -> None:
        in_use: set[int] = set()
        looks = 0
        while not self.wait(0.0):
            item = None if self.queue.is_paused else self.queue.next(in_use)
            if item is None:
                looks += 1
                if looks % LATER_ROUNDS == 0:
                    in_use.clear()
                if self.wait(LOOK_S):
                    return
            elif not self._analyse(item):
                in_use.add(item.id)

    def _analyse(self, item: Item) -> bool:
        """Analyse it, and say how that ended; False when it is in use elsewhere."""
        try:
            return self._begun(item)
        except Exception as error:  # one of many: the others go on
            self.queue.fail(item.id, fault_of(error, PLACE).sentence)
            return True

    def _begun(self, item: Item) -> bool:
        model = load_model_folder(item.model)
        is_new = False
        with open_side_car(list(item.paths), self.places, seen=False, known=self.library.side_car_of) as car:
            folder = car.folder
            if car.is_in_use:
                return False
            check_writable(car)
            is_new = not car.analyses
            analysis = begin(car, model, item.preset)
            if is_at_work(run_folder(folder, analysis.id)):
                return False
            self.queue.work_on(item.id, folder)
            if analysis.done:
                self._note(folder)
                self.queue.finish(item.id)
                return True
            process = start(car, analysis)
        self._watch(item, folder, analysis.id, process, is_new=is_new)
        return True

    def _watch(self, item: Item, folder: Path, analysis: int, process: Process, *, is_new: bool) -> None:
        asked = False
        try:
            with closing(open_database(folder / DATABASE, write=False)) as database:
                while process.poll() is None and not asked:
                    progress = progress_of(database, analysis)
                    asked = not self.queue.tell(item.id, progress.done, progress.total) or self.wait(LOOK_S)
                done = progress_of(database, analysis).done
        finally:
            ended = process.stop(PATIENCE_S)
        if ended.how is How.DONE:
            self.queue.finish(item.id)
        elif asked or ended.how is How.CANCELLED or _is_in_use(folder, analysis):
            # Not wanted now, or whoever reviews it has taken it over.
            self.queue.wait(item.id)
        else:
            self.queue.fail(item.id, _why(ended))
            if is_new and not done:
                _take_back(folder)
                return
        self._note(folder)

    def _note(self, folder: Path) -> None:
        with suppress(FaultError), open_folder(folder, write=False) as car:
            self.library.note(car)


class _HeldError(FaultError):
    """Another window works on the queue."""

    def __init__(self) -> None:
        super().__init__(FaultCode.REVIEW, "to be the only one", "another window", "wait")


def _is_in_use(folder: Path, analysis: int) -> bool:
    """By a window, or by a process of one that was killed and is only ending."""
    return holder(folder / WINDOW_LOCK) is not None or is_at_work(run_folder(folder, analysis))


def _why(ended: Ended) -> str:
    """In a sentence: what the process said of the recording, or what became of the process."""
    return shown(ended.last) if ended.how is How.REFUSED and ended.last else ended.sentence("The analysis")


def _take_back(folder: Path) -> None:
    """Nothing is known of what is no recording."""
    try:
        remove(folder)
    except FaultError as fault:
        log.info("what is known of nothing stays: %s", fault)
