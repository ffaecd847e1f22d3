"""Real processes: how they are started, asked to end, and what is told of their end."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from engine.jobs.ended import How
from engine.jobs.folder import CANCEL, LOG
from engine.jobs.process import Life, Process, environment, python

LIMIT_S = 60.0
posix = pytest.mark.skipif(os.name != "posix", reason="groups and signals")

DEAF = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open(sys.argv[1], "w").close()
"""
SLEEPS = "time.sleep(600)"
# Takes no notice of a wish that was there before it began, as `begun` does.
JOB = """
import sys, time
from pathlib import Path
cancel = Path(sys.argv[1]) / "cancel"
time.sleep(0.3)
cancel.unlink(missing_ok=True)
print("begun", flush=True)
while not cancel.exists():
    time.sleep(0.01)
print("saved")
sys.exit(4)
"""


def start(code, *arguments, life=Life.DETACHED, **more):
    return Process([sys.executable, "-S", "-c", code, *arguments], life, **more)


def until(condition):
    end_s = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.01)


def runs(pid):
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_the_end_is_one_value_with_what_was_said_last():
    process = start("import sys; print('one'); print('a\\n\\nwhy\\n', file=sys.stderr); sys.exit(3)")
    found = process.wait(LIMIT_S)

    assert (found.how, found.code, found.last) == (How.DATA_REFUSED, 3, "why")
    assert process.read() == ("one\n", "a\n\nwhy\n\n")
    assert process.poll() is found


def test_megabytes_that_nobody_reads_hang_nothing():
    process = start("import sys; sys.stderr.write('x' * 3_000_000 + '\\nlast'); print('y' * 3_000_000)")

    assert process.wait(LIMIT_S).last == "last"


def test_it_is_none_while_it_runs_and_stopped_politely_at_once():
    process = start("import time; " + SLEEPS)
    assert process.wait(0.05) is None

    assert process.stop(LIMIT_S).how is How.CANCELLED


@posix
def test_what_does_not_listen_is_ended_firmly_after_its_grace(tmp_path):
    process = start(DEAF + SLEEPS, str(tmp_path / "deaf"))
    until((tmp_path / "deaf").exists)

    assert process.stop(0.2).how is How.OVERDUE


def test_a_job_is_asked_by_its_folder_also_while_it_only_begins(tmp_path):
    run = tmp_path / "run"
    process = start(JOB, str(run), folder=run)
    found = process.stop(LIMIT_S)

    assert (found.how, found.last) == (How.CANCELLED, "saved")
    assert (run / LOG).read_text() == "begun\nsaved\n"


def test_the_last_line_of_an_earlier_process_in_the_folder_is_not_taken_for_its_own(tmp_path):
    (tmp_path / LOG).write_text("of yesterday\n")
    process = start("raise SystemExit(1)", folder=tmp_path)

    assert process.wait(LIMIT_S).last == ""
    assert not (tmp_path / CANCEL).exists()


@posix
def test_a_group_of_its_own_is_killed_with_its_children(tmp_path):
    told = tmp_path / "pid"
    code = (
        "import subprocess, sys, time; from pathlib import Path; "
        "child = subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(600)']); "
        "Path(sys.argv[1] + 'x').write_text(str(child.pid)); Path(sys.argv[1] + 'x').rename(sys.argv[1]); "
    )
    process = start(code + SLEEPS, str(told))
    until(told.exists)
    process.kill()

    assert process.wait(LIMIT_S).how is How.OVERDUE
    until(lambda: not runs(int(told.read_text())))


OUTLIVED = """
import os, sys
from pathlib import Path
from engine.jobs.process import Life, Process, python
job = "import time; print('alive', flush=True); time.sleep(600)"
process = Process(python("-c", job), Life.DETACHED, folder=Path(sys.argv[1]))
print(process.pid, flush=True)
os._exit(0)
"""


@posix
def test_a_detached_one_outlives_the_window_and_its_terminal(tmp_path):
    parent = subprocess.run(
        python("-c", OUTLIVED, str(tmp_path)), env=environment(), capture_output=True, text=True
    )
    pid = int(parent.stdout)
    try:
        until(lambda: (tmp_path / LOG).read_text() == "alive\n")
        assert os.getsid(pid) == pid  # no Ctrl-C and no hang-up of a terminal reaches it
    finally:
        os.kill(pid, signal.SIGKILL)


TERMINAL = """
import os, signal, sys
from engine.jobs.process import Life, Process
child = '''
import signal, sys, time
signal.signal(signal.SIGINT, lambda *_: sys.exit(4))
print("up", flush=True)
time.sleep(600)
'''
process = Process([sys.executable, "-S", "-c", child], Life.TERMINAL)
print(process.wait().how, flush=True)
"""


@posix
def test_ctrl_c_in_a_shared_terminal_is_the_childs_and_waited_for():
    parent = subprocess.Popen(
        python("-c", TERMINAL), env=environment(), stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    with parent:
        assert parent.stdout.readline() == "up\n"
        os.killpg(parent.pid, signal.SIGINT)

        assert parent.stdout.readline() == "cancelled\n"


def test_a_program_that_is_not_there_is_the_systems_own_error():
    with pytest.raises(FileNotFoundError):
        Process(["/nowhere/at-all"], Life.TIED)
