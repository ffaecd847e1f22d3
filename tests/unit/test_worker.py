import os
import sys
import threading

import pytest

from engine.live.worker import BEHIND_NICENESS, Worker


@pytest.fixture
def workers():
    started = []
    yield started
    for worker in started:
        assert worker.stop(2.0)


def running(workers, tick=lambda: None, on_error=lambda error: None):
    worker = Worker("test-worker", tick, on_error)
    workers.append(worker)
    worker.start()
    return worker


def test_commands_run_in_the_order_they_were_posted(workers):
    seen, done = [], threading.Event()
    worker = running(workers)
    for n in range(5):
        worker.post(lambda n=n: seen.append(n))
    worker.post(done.set)

    assert done.wait(2)
    assert seen == [0, 1, 2, 3, 4]


def test_of_several_commands_with_one_key_the_last_wins(workers):
    entered, gate, done, seen = threading.Event(), threading.Event(), threading.Event(), []
    worker = running(workers)
    worker.post(lambda: (entered.set(), gate.wait(2)))
    assert entered.wait(2)  # busy: what is posted now has to wait
    for target in (1, 2, 3):
        worker.post(lambda target=target: seen.append(target), key="seek")
    worker.post(done.set)
    gate.set()

    assert done.wait(2)
    assert seen == [3]


def test_an_error_is_reported_and_the_thread_lives_on(workers):
    errors, done = [], threading.Event()
    worker = running(workers, on_error=errors.append)
    worker.post(lambda: 1 / 0)
    worker.post(done.set)

    assert done.wait(2)
    assert [type(error) for error in errors] == [ZeroDivisionError]


def test_a_tick_that_asks_for_no_time_sleeps_until_the_bell(workers):
    ticks = threading.Semaphore(0)
    worker = running(workers, tick=lambda: ticks.release())
    assert ticks.acquire(timeout=2)  # once at the start
    assert not ticks.acquire(timeout=0.05)
    worker.ring()

    assert ticks.acquire(timeout=2)


def test_a_tick_that_asks_for_time_runs_again_by_itself(workers):
    ticks = threading.Semaphore(0)

    def tick():
        ticks.release()
        return 0.001

    running(workers, tick=tick)

    assert all(ticks.acquire(timeout=2) for _ in range(3))


def test_a_worker_stuck_in_its_tick_is_said_to_be_stuck():
    gate, entered = threading.Event(), threading.Event()

    def tick():
        entered.set()
        gate.wait(5)

    worker = Worker("stuck", tick, lambda error: None)
    worker.start()
    assert entered.wait(2)

    assert worker.stop(0.05) is False
    gate.set()
    assert worker.stop(2.0) is True


@pytest.mark.skipif(sys.platform != "linux", reason="threads have a niceness of their own on Linux only")
def test_a_worker_behind_the_others_and_the_threads_it_starts_give_way(workers):
    niceness, done = [], threading.Event()

    def note():
        niceness.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    def start_another():
        note()
        other = threading.Thread(target=note)
        other.start()
        other.join()
        done.set()

    worker = Worker("test-worker", lambda: None, lambda error: None, behind=True)
    workers.append(worker)
    worker.start()
    worker.post(start_another)

    assert done.wait(2)
    note()
    assert niceness == [niceness[2] + BEHIND_NICENESS, niceness[2] + BEHIND_NICENESS, niceness[2]]
