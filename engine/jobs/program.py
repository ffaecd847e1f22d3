"""Which version of the program a job was done with."""

from __future__ import annotations

import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

HERE = Path(__file__).parent


def version_of(package: str = "polyplive") -> str:
    """Of an installed package; "" where it is not installed, or runs from its source tree."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def program() -> str:
    """Version and commit of this one, as a log has it."""
    return " ".join(filter(None, (version_of(), git_revision())))


def git_revision() -> str | None:
    """The checkout's commit, "+changes" where files differ from it; None outside of a checkout."""
    try:
        commit = _git("rev-parse", "HEAD").strip()
        changed = bool(_git("status", "--porcelain", "--untracked-files=no").strip())
    except (OSError, subprocess.SubprocessError):
        return None
    return commit + ("+changes" if changed else "")


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=HERE, capture_output=True, text=True, timeout=10, check=True)
    return done.stdout
