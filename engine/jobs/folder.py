"""What lies in a run folder, by name: whoever writes it and whoever reads it looks here.

The window reads run folders and knows nothing of training; a name that only one side knows is a file that the
other one misses.
"""

from __future__ import annotations

from pathlib import Path

# What a job is asked and what it tells, of any kind.
RUN_JSON = "run.json"  # what it was asked to do, with what, where
EVENTS = "events.jsonl"  # what it tells, an object a line (engine.jobs.events)
CANCEL = "cancel"  # whoever makes this file asks for the end
LOG = "log.txt"  # what it prints, where nobody looks on
LOCK = "lock"  # held by the process that works in the folder

# Of a training.
METRICS = "metrics.json"  # a row an epoch
DAMAGED_METRICS = "metrics-damaged.json"  # set aside; the epochs are in the events as well
CURVES = "curves.png"
SAMPLES = "samples"  # a folder with a contact sheet an epoch
CHECKPOINTS = "checkpoints"  # a folder: tensors, and what they were saved as
STATE, BEFORE = "state.json", "state-before.json"  # in it: the newest state, and the one before
PROCESS = "process-"  # what the folders of further processes begin with, below the run's own

# Of an agglomeration.
TASKS = "tasks"  # a run folder for the student of each task
CLOCK = "seconds.json"  # what a part has taken so far, over all its sittings
WATCH = "watch.json"  # of the finished first part: what the student explains of each teacher
FIGURES = "figures.json"

# Of a run that was judged on the held-out images.
TEST_FIGURES = "test_figures.json"
TEST_IMAGES = "test_per_image.csv"


def sample_of(epoch: int) -> Path:
    """An epoch's contact sheet inside the run folder; the first epoch is 0 and its name says 1."""
    return Path(SAMPLES) / f"epoch-{epoch + 1:03d}.png"


def has_states(checkpoints: Path) -> bool:
    """Whether anything was ever saved in this folder of checkpoints, whole or not."""
    return (checkpoints / STATE).is_file() or (checkpoints / BEFORE).is_file()


def holds_states(run: Path) -> bool:
    """Whether anything was ever saved in any part of the run."""
    return any(has_states(path.parent) for path in run.glob("**/state*.json"))


def process_folder(run: Path, process: int) -> Path:
    """Where process number `process` of several tells its events: the first one in the run folder itself."""
    return run / f"{PROCESS}{process}" if process else run


def shared_folder(own: Path) -> Path:
    """The run folder that a process's own one (`process_folder`) belongs to."""
    return own.parent if own.name.startswith(PROCESS) else own
