"""A file that one process holds says by whom, and is free when that one has ended, however it ended."""

import os
import subprocess

import pytest

from engine.faults import FaultCode, FaultError
from engine.files.lock import held, held_within, holder
from engine.jobs.process import environment, python

posix = pytest.mark.skipif(os.name != "posix", reason="there nobody can be named")

HOLDS = """
import sys, time
from pathlib import Path
from engine.files.lock import held
with held(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def other(tmp_path):
    """A process that holds the file."""
    with subprocess.Popen(
        python("-c", HOLDS, str(tmp_path / "lock")), env=environment(), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


@posix
def test_who_holds_it_is_known_and_named(other, tmp_path):
    assert holder(tmp_path / "lock") == other.pid
    with pytest.raises(FaultError, match=rf"\(process {other.pid}\)") as refused, held(tmp_path / "lock"):
        pass
    assert refused.value.code is FaultCode.OUTPUT


def test_one_that_was_killed_holds_nothing(other, tmp_path):
    other.kill()
    other.wait()

    assert holder(tmp_path / "lock") is None
    with held(tmp_path / "lock"):
        assert holder(tmp_path / "lock") in (os.getpid(), 0)
    assert not (tmp_path / "lock").exists()


def test_nobody_holds_a_file_that_is_not_there(tmp_path):
    assert holder(tmp_path / "lock") is None
    assert not (tmp_path / "lock").exists()


def test_what_is_said_to_the_second_can_be_said_otherwise(tmp_path):
    busy = FaultError(FaultCode.DEVICE_MISSING, "a", "b", "c", said="The camera is taken.")
    with held(tmp_path / "lock"), pytest.raises(FaultError, match="The camera is taken"):  # noqa: SIM117
        with held(tmp_path / "lock", busy):
            pass


def test_waiting_gives_up_with_the_systems_own_error(tmp_path):
    with held(tmp_path / "lock"), pytest.raises(OSError), held_within(tmp_path / "lock", 0.05):
        pass


@posix
def test_asking_who_holds_it_refuses_nobody(tmp_path):
    """The one who asks holds it for a moment himself, where a killed one left it."""
    asks = "import sys; from pathlib import Path; from engine.files.lock import holder\n"
    asks += "print('up', flush=True)\nwhile True: holder(Path(sys.argv[1]))"
    with subprocess.Popen(
        python("-c", asks, str(tmp_path / "lock")), env=environment(), stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout.readline() == "up\n"
            for _ in range(50):
                (tmp_path / "lock").write_text("1\n")
                with held(tmp_path / "lock"):
                    (tmp_path / "lock").stat()
        finally:
            process.kill()
