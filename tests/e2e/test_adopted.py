"""A window that was closed comes back, and meets the job that it had started."""

import os
import subprocess

import pytest

from engine.files.lock import held, holder
from engine.jobs.adopted import is_at_work, stop
from engine.jobs.folder import CANCEL, LOCK
from engine.jobs.process import environment, python

pytestmark = pytest.mark.skipif(os.name != "posix", reason="there no job can be named")
LIMIT_S = 60.0

JOB = """
import sys, time
from pathlib import Path
from engine.jobs.begun import begun
with begun("train", Path(sys.argv[1])) as run:
    print("begun", flush=True)
    while sys.argv[2] == "deaf" or not run.is_cancelled():
        time.sleep(0.01)
    run.event("done", outcome="cancelled")
"""


@pytest.fixture
def start(tmp_path):
    """Starts a job in the folder, in a group of its own."""
    started = []

    def start(kind):
        job = subprocess.Popen(
            python("-c", JOB, str(tmp_path), kind),
            env=environment(),
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(job)
        assert job.stdout.readline() == "begun\n"
        return job

    yield start
    for job in started:
        job.kill()
        job.communicate()


def test_a_job_that_listens_ends_by_itself(start, tmp_path):
    job = start("listens")
    assert is_at_work(tmp_path)

    assert stop(tmp_path, LIMIT_S)
    assert job.wait(LIMIT_S) == 0
    assert not is_at_work(tmp_path)


def test_a_job_that_does_not_listen_is_ended_firmly(start, tmp_path):
    job = start("deaf")

    assert stop(tmp_path, 0.1)
    assert job.wait(LIMIT_S) < 0


def test_where_nobody_works_there_is_nothing_to_stop(tmp_path):
    assert not is_at_work(tmp_path)
    assert stop(tmp_path, LIMIT_S)
    assert not (tmp_path / CANCEL).exists()


def test_a_job_of_another_machine_is_asked_and_never_killed(tmp_path):
    with held(tmp_path / LOCK):
        (tmp_path / LOCK).write_text(f"{os.getpid()} another-machine\n")

        assert holder(tmp_path / LOCK) == 0
        assert not stop(tmp_path, 0.1)
        assert (tmp_path / CANCEL).exists()
