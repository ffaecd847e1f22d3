"""Picking a recording."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QWidget

from app.start.dropped import file_dialog_filter
from app.widgets.pick import ask_for_file, ask_for_files


def ask_for_recording(
    parent: QWidget, start_in: Path | None, then: Callable[[str], None], title: str = "Open recording"
) -> None:
    """Let a person pick a file; `then` gets its path, unless they change their mind."""
    ask_for_file(parent, title, file_dialog_filter(), start_in, then)


def ask_for_recordings(parent: QWidget, start_in: Path | None, then: Callable[[list[str]], None]) -> None:
    """Let a person pick a file, or several at once."""
    ask_for_files(parent, "Open recording", file_dialog_filter(), start_in, then)
