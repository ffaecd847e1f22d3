"""Those who do the work: here the processes of one machine, each with a pipe of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from typing import Any, Protocol

from engine.analysis.many.task import Order, OrderResult, analyse_one, check
from engine.faults import Fault, FaultCode, FaultError
from engine.jobs.ended import Ended, ended
from engine.jobs.process import safe_path
from engine.runtime.host import MOST_THREADS, physical_cores

ENDS_WITHIN_S = 5.0


class Crew(Protocol):
    """Takes orders and gives their results, in any order. One thread uses it."""

    @property
    def sharers(self) -> int:
        """How many tasks run side by side on one machine."""

    def prepare(self, order: Order) -> None:
        """See that such orders can be done. Raises FaultError."""

    def room(self) -> int:
        """How many orders can be begun now."""

    def start(self, order: Order) -> None:
        """Begin with one."""

    def finished(self, timeout_s: float) -> list[OrderResult]:
        """What has come to its end; waits for the first one, at most that long.

        Raises FaultError when the whole crew is gone.
        """

    def close(self) -> None:
        """Stop everything at once. Idempotent."""


def default_workers() -> int:
    """One for every four physical cores: a worker's network gains nothing from more."""
    return max(1, physical_cores() // MOST_THREADS)


class ProcessCrew:
    """As `Crew`. A process that dies takes nobody along; concurrent.futures' pool would break as a whole."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._idle: list[_Process] = []
        self._busy: list[_Process] = []

    @property
    def sharers(self) -> int:
        return self._workers

    def prepare(self, order: Order) -> None:
        """As `Crew.prepare`."""
        self._give(check, order)
        while not (answers := self._answers(timeout_s=None)):
            pass
        (_, answer) = answers[0]
        if isinstance(answer, Fault):
            raise FaultError(answer.code, answer.expected, answer.got, answer.remedy)
        if isinstance(answer, Ended):
            raise FaultError(
                FaultCode.MODEL_LOAD,
                expected="a worker process that loads the model",
                got=f"one that died by {answer.reason}",
                remedy="try --precision f32 or another runtime",
            )

    def room(self) -> int:
        """As `Crew.room`."""
        return self._workers - len(self._busy)

    def start(self, order: Order) -> None:
        """As `Crew.start`."""
        self._give(analyse_one, order)

    def finished(self, timeout_s: float) -> list[OrderResult]:
        """As `Crew.finished`."""
        return [
            OrderResult(order.number, lost=True) if isinstance(answer, Ended) else answer
            for order, answer in self._answers(timeout_s)
        ]

    def close(self) -> None:
        """As `Crew.close`."""
        processes = (*self._idle, *self._busy)
        self._idle, self._busy = [], []
        for process in processes:
            process.terminate()
        for process in processes:
            process.join(ENDS_WITHIN_S)

    def _give(self, call: Callable[[Order], Any], order: Order) -> None:
        process = self._idle.pop() if self._idle else _Process()
        self._busy.append(process)
        process.give(call, order)

    def _answers(self, timeout_s: float | None) -> list[tuple[Order, Any]]:
        """Orders with what came of them; how the process ended where it died over it."""
        if not self._busy:
            time.sleep(timeout_s or 0)
            return []
        ready = wait([process.connection for process in self._busy], timeout_s)
        answers = []
        for process in [process for process in self._busy if process.connection in ready]:
            self._busy.remove(process)
            order, answer = process.answer()
            answers.append((order, answer))
            if not isinstance(answer, Ended):
                self._idle.append(process)
        return answers


class _Process:
    """A worker process, one order at a time."""

    def __init__(self) -> None:
        context = get_context("spawn")  # a fork would copy the threads' locks without the threads
        self.connection, theirs = context.Pipe()
        self._order: Order | None = None
        self._process = context.Process(target=_serve, args=(theirs,), name="polyplive-worker")
        with _no_ctrl_c(), safe_path():
            self._process.start()
        theirs.close()  # now the pipe ends with the process

    def give(self, call: Callable[[Order], Any], order: Order) -> None:
        self._order = order
        with contextlib.suppress(OSError):  # it died while idle: `answer` says so
            self.connection.send((call, order))

    def answer(self) -> tuple[Order, Any]:
        assert self._order is not None
        try:
            return self._order, self.connection.recv()
        except (EOFError, OSError):
            return self._order, self.join(ENDS_WITHIN_S)

    def terminate(self) -> None:
        self._process.terminate()

    def join(self, timeout_s: float) -> Ended:
        """It is gone when this returns."""
        self._process.join(timeout_s)
        killed = self._process.is_alive()
        if killed:
            self._process.kill()
            self._process.join()
        code = self._process.exitcode
        self._process.close()
        self.connection.close()
        return ended(code or 0, asked=killed, killed=killed)


def _serve(connection: Connection) -> None:
    """The worker process: calls what comes through the pipe, until that is closed or the parent has died."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to everybody; the parent decides
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            call, order = connection.recv()
        except EOFError:
            return
        connection.send(call(order))


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def _no_ctrl_c() -> Iterator[None]:
    """A process that is started inside is born deaf to Ctrl-C; one that comes meanwhile waits for the end."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
