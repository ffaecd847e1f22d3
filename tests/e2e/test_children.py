"""Our own processes run only what is installed, and end with the window that started them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.doctor.bounded import ask_python
from engine.jobs.process import environment, python

LIMIT_S = 60.0
MODULES = ("engine", "app", "random", "subprocess", "numpy", "multiprocessing")


@pytest.fixture
def marker(tmp_path, monkeypatch):
    """The current directory holds modules of the names that a start imports; each leaves the marker."""
    marker = tmp_path / "foreign code ran"
    folder = tmp_path / "recordings"
    for name in MODULES:
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text(f"open({str(marker)!r}, 'w').close()\n")
    monkeypatch.chdir(folder)
    return marker


@pytest.mark.parametrize("path", ["", f"{os.pathsep}."])
def test_a_child_imports_nothing_from_the_current_directory(marker, monkeypatch, path):
    monkeypatch.setenv("PYTHONPATH", path)

    done = subprocess.run(
        python("-m", "engine.runtime.auto.measure", "--help"),
        env=environment(),
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    assert "--background" in done.stdout
    assert not marker.exists()


def test_a_clone_that_is_not_installed_finds_itself(marker):
    """As `python main.py` with the dependencies alone: no `.pth` file names the source tree."""
    code = "import engine, sys; print(engine.__file__)"

    done = subprocess.run(
        [sys.executable, "-S", "-P", "-c", code], env=environment(), capture_output=True, text=True
    )

    assert done.stdout.strip().endswith(str(Path("engine") / "__init__.py"))
    assert not marker.exists()


def test_the_doctors_probes_import_nothing_from_the_current_directory(marker):
    answer = ask_python(["-c", "import random, engine, subprocess"], LIMIT_S)

    assert answer.code == 0, answer.err
    assert not marker.exists()


CREW = """
import sys
from engine.analysis.many.crew import ProcessCrew
from engine.analysis.many.task import Options, Order

if __name__ == "__main__":
    crew = ProcessCrew(1)
    crew.start(Order(0, "a.mp4", sys.argv[1], Options("none", "none", None, None, "auto", "auto"), 1))
    print(crew.finished(60.0)[0].fault)
    crew.close()
"""


def test_workers_import_nothing_from_the_current_directory(marker, tmp_path):
    program = tmp_path / "program" / "start.py"
    program.parent.mkdir()
    program.write_text(CREW)
    own = {name: value for name, value in environment().items() if name != "PYTHONSAFEPATH"}

    done = subprocess.run(
        [sys.executable, program, tmp_path / "nothing"], env=own, capture_output=True, text=True
    )

    assert "the output folder" in done.stdout, done.stderr
    assert not marker.exists()


WINDOW = """
import sys, time
from engine.live.upgrade import Upgrade
from engine.runtime.live import Later
from engine.jobs.process import python
child = '''
import os, sys, time
from pathlib import Path
from engine.jobs.process import end_with_parent
end_with_parent()
Path(sys.argv[1] + ".part").write_text(str(os.getpid()))
Path(sys.argv[1] + ".part").rename(sys.argv[1])
time.sleep(600)
'''
later = Later(python("-c", child, sys.argv[1]), reopen=None, at_rest=False)
upgrade = Upgrade(later, lambda: True, print)
time.sleep(600)
"""


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_a_measuring_child_ends_when_its_window_is_killed(tmp_path):
    told = tmp_path / "pid"
    window = subprocess.Popen(python("-c", WINDOW, str(told)), env=environment())
    try:
        _until(told.exists)
        child = int(told.read_text())
        assert _runs(child)
    finally:
        window.send_signal(signal.SIGKILL)
        window.wait(LIMIT_S)

    _until(lambda: not _runs(child))


def _runs(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


def _until(condition):
    end_s = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.02)
