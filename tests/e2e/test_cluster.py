"""Many recordings on a real Dask cluster: a scheduler and two workers, each a process."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.analysis.results import read_summary
from engine.files.whole import HOME_VARIABLE
from tests.e2e.test_analyse_many import (
    LONG_FRAMES,
    WAIT_S,
    analyse,
    home,
    model,
    rows_of,
    slow_list,
    start,
    states_of,
    wait_for_workers,
)
from tests.fixtures.senders import free_port

README = Path(__file__).parents[2] / "README.md"

pytest.importorskip("distributed", reason="pip install 'polyplive[cluster]'")
__all__ = ["analyse", "home", "model", "slow_list", "start"]  # fixtures


@pytest.fixture
def cluster(home, tmp_path):
    """The scheduler's address, and the workers by their process numbers."""
    described = tmp_path / "scheduler.json"
    environment = os.environ | {HOME_VARIABLE: str(home)}
    log = (tmp_path / "cluster.log").open("w")

    def dask(*arguments):
        return subprocess.Popen(
            [sys.executable, "-m", "dask", *arguments, "--no-dashboard", "--scheduler-file", str(described)],
            env=environment,
            stdout=log,
            stderr=log,
        )

    scheduler = dask("scheduler", "--host", "127.0.0.1", "--port", "0")
    workers = [
        dask("worker", "--no-nanny", "--nthreads", "1", "--local-directory", str(tmp_path)) for _ in range(2)
    ]
    try:
        deadline_s = time.monotonic() + WAIT_S
        while not described.exists() and time.monotonic() < deadline_s:
            time.sleep(0.05)
        address = json.loads(described.read_text())["address"]
        yield address, {worker.pid: worker for worker in workers}
    finally:
        for process in (*workers, scheduler):
            process.kill()
            process.wait()
        log.close()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_the_recording_of_a_killed_machine_is_done_again_by_the_other(cluster, start, slow_list, tmp_path):
    address, workers = cluster
    out = tmp_path / "out"
    running = start(slow_list, "--out", out, "--scheduler", address)
    pids = wait_for_workers(out, count=2)
    assert set(pids) == set(workers)

    victim = workers[pids[0]]
    victim.kill()
    victim.wait()
    _, errors = running.communicate(timeout=WAIT_S)

    assert running.returncode == 0, errors
    assert states_of(out) == {"short.mp4": "done", "long1": "done", "long2": "done"}
    assert [read_summary(out / folder).frames for folder in rows_of(out)] == [5, LONG_FRAMES, LONG_FRAMES]
    assert not any(path.name.startswith(".") for path in out.rglob("*"))


@pytest.fixture
def readmes_loop():
    """What the README has for workers that start themselves, with `address` in its place, as a process."""
    (line,) = re.findall(r"`(while true; do dask worker .*?done)`", README.read_text("utf-8"))
    shells = []

    def begin(address, environment):
        command = line.replace("tcp://HOST:8786", address).replace("sleep 5", "sleep 0.2")
        command = command.replace("dask worker", f"{sys.executable} -m dask worker --no-dashboard")
        shells.append(
            subprocess.Popen(
                ["sh", "-c", command],
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        )

    yield begin
    for shell in shells:
        os.killpg(shell.pid, signal.SIGKILL)
        shell.wait()


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such shell")
def test_workers_in_the_readmes_loop_come_back_with_their_scheduler_and_the_run_goes_on(
    home, start, slow_list, tmp_path, readmes_loop
):
    out, environment = tmp_path / "out", os.environ | {HOME_VARIABLE: str(home)}
    port = str(free_port(socket.SOCK_STREAM))
    address = f"tcp://127.0.0.1:{port}"
    command = [sys.executable, "-m", "dask", "scheduler", "--no-dashboard", "--host", "127.0.0.1"]
    quiet = {"env": environment, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    scheduler = subprocess.Popen([*command, "--port", port], **quiet)
    try:
        readmes_loop(address, environment)
        running = start(slow_list, "--out", out, "--scheduler", address)
        wait_for_workers(out, count=1)
        scheduler.kill()
        scheduler.wait()
        _, errors = running.communicate(timeout=WAIT_S)
        assert running.returncode != 0
        assert "Start all again" in errors

        scheduler = subprocess.Popen([*command, "--port", port], **quiet)
        again = start(slow_list, "--out", out, "--scheduler", address)
        _, errors = again.communicate(timeout=WAIT_S)
    finally:
        scheduler.kill()
        scheduler.wait()

    assert again.returncode == 0, errors
    assert set(states_of(out).values()) == {"done"}
    assert not any(path.name.startswith(".") for path in out.rglob("*"))


def test_a_scheduler_that_is_none_is_one_sentence_and_nothing_written(analyse, slow_list, tmp_path):
    code, _, errors = analyse(slow_list, "--out", tmp_path / "out", "--scheduler", "nonsense")

    assert code == 2
    assert "instead of a Dask scheduler at nonsense" in errors
    assert len(errors.splitlines()) == 1
    assert not (tmp_path / "out").exists()
