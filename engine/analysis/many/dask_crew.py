"""The workers of a Dask cluster as a crew: the same task, on as many machines as there are."""

from __future__ import annotations

import logging
import queue
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

from distributed import Client, Future, KilledWorker
from distributed.client import FutureCancelledError

from engine.analysis.many.task import Order, OrderResult, analyse_one, check
from engine.faults import Fault, FaultCode, FaultError

log = logging.getLogger(__name__)

ANSWERS_WITHIN_S = 10.0
FIRST_WORKER_WITHIN_S = 60.0


class DaskCrew:
    """As `crew.Crew`. `scheduler`: its address ("tcp://host:8786") or its scheduler file.

    The scheduler itself begins a task again when its worker dies, `distributed.scheduler.allowed-failures`
    times; then it is lost. Workers may come and go. Raises FaultError when no scheduler answers.
    """

    def __init__(self, scheduler: str) -> None:
        self._scheduler = scheduler
        for name in ("distributed", "distributed.client"):  # stack traces beside the sentence of our fault
            logging.getLogger(name).setLevel(logging.CRITICAL)
        is_file = Path(scheduler).is_file()
        try:
            self._client: Any = Client(  # type: ignore[no-untyped-call]
                None if is_file else scheduler,
                scheduler_file=scheduler if is_file else None,
                timeout=ANSWERS_WITHIN_S,
                name="polyplive",
            )
        except (OSError, ValueError, TypeError) as error:  # TimeoutError is an OSError
            raise FaultError(
                FaultCode.ARGUMENT,
                expected=f"a Dask scheduler at {scheduler}",
                got=str(error).partition("\n")[0] or type(error).__name__,
                remedy="start one with `dask scheduler` and give its address, such as tcp://host:8786",
            ) from error
        self._under_way: dict[Future[OrderResult], int] = {}
        self._ended: queue.SimpleQueue[Future[OrderResult]] = queue.SimpleQueue()
        self._has_told = False

    @property
    def sharers(self) -> int:
        """Threads of the workers of the machine with the most of them."""
        machines: Counter[str] = Counter()
        for worker in self._client.scheduler_info(n_workers=-1)["workers"].values():
            machines[worker["host"]] += worker["nthreads"]
        return max(machines.values(), default=1)

    def prepare(self, order: Order) -> None:
        """As `Crew.prepare`: every worker that is there now must see the output folder and have the model."""
        try:
            self._client.wait_for_workers(1, timeout=FIRST_WORKER_WITHIN_S)
        except TimeoutError as error:
            raise FaultError(
                FaultCode.ARGUMENT,
                expected=f"workers at {self._scheduler}",
                got=f"none within {FIRST_WORKER_WITHIN_S:.0f} s",
                remedy=f"start some with `dask worker {self._scheduler}`",
            ) from error
        answers = self._client.run(check, order, on_error="return")
        for worker, answer in answers.items():
            if isinstance(answer, Fault):
                raise FaultError(answer.code, answer.expected, answer.got, answer.remedy)
            if answer is not None:
                raise FaultError(
                    FaultCode.EXTRA_MISSING,
                    expected=f"polyplive of this version on the worker {worker}",
                    got=f"{type(answer).__name__}: {answer}",
                    remedy="install it there, too",
                )

    def room(self) -> int:
        """As `Crew.room`: a task for each thread of each worker."""
        self._see_that_it_is_there()
        try:
            threads: int = sum(self._client.nthreads().values())
        except OSError:  # the connection is being made again, for half a minute
            return 0
        if not threads and not self._has_told:
            log.warning("there is no worker left at %s: waiting for one", self._scheduler)
        self._has_told = not threads
        return threads - len(self._under_way)

    def start(self, order: Order) -> None:
        """As `Crew.start`."""
        key = f"analyse-{order.number}-{uuid.uuid4().hex[:8]}"
        future: Future[OrderResult] = self._client.submit(analyse_one, order, key=key, pure=False)
        self._under_way[future] = order.number
        future.add_done_callback(self._ended.put)  # type: ignore[no-untyped-call]

    def finished(self, timeout_s: float) -> list[OrderResult]:
        """As `Crew.finished`."""
        self._see_that_it_is_there()
        results: list[OrderResult] = []
        try:
            while True:
                future = self._ended.get(timeout=0 if results else timeout_s)
                results.append(self._result(future, self._under_way.pop(future)))
        except queue.Empty:
            return results

    def close(self) -> None:
        """As `Crew.close`. A task that runs cannot be cancelled: it ends when its folder is gone."""
        self._under_way.clear()  # lets go of the futures
        self._client.close()

    def _result(self, future: Future[OrderResult], number: int) -> OrderResult:
        try:
            return future.result()
        except KilledWorker:
            return OrderResult(number, lost=True)
        except FutureCancelledError as error:
            raise self._gone() from error
        except Exception as error:  # Dask's own: a worker without polyplive, an answer that cannot be read
            return OrderResult(number, fault=f"The worker failed: {type(error).__name__}: {error}.")

    def _see_that_it_is_there(self) -> None:
        if self._client.status in ("closing", "closed"):
            raise self._gone()

    def _gone(self) -> FaultError:
        return FaultError(
            FaultCode.SOURCE_LOST,
            expected=f"the scheduler {self._scheduler} to stay until the end",
            got="no connection to it any more",
            remedy="start it and its workers again, and then the same command: it goes on from there",
            said=f"The scheduler {self._scheduler} is gone, and its workers end with it. Start all again, "
            "and then the same command: it goes on from there.",
        )
