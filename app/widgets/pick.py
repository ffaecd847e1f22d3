"""Picking a file or a folder: dialogs beside the video, which goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QWidget


def ask_for_file(
    parent: QWidget, title: str, kinds: str, start_in: Path | None, then: Callable[[str], None]
) -> None:
    """Let a person pick a file of these `kinds`; `then` gets its path, unless they change their mind."""
    dialog = _dialog(parent, title, QFileDialog.FileMode.ExistingFile, then)
    if start_in is not None:
        dialog.setDirectory(str(start_in))
    dialog.setNameFilter(kinds)
    dialog.open()


def ask_for_files(
    parent: QWidget, title: str, kinds: str, start_in: Path | None, then: Callable[[list[str]], None]
) -> None:
    """Let a person pick a file of these `kinds`, or several; `then` gets their paths."""
    dialog = _dialog(parent, title, QFileDialog.FileMode.ExistingFiles)
    dialog.filesSelected.connect(then)
    if start_in is not None:
        dialog.setDirectory(str(start_in))
    dialog.setNameFilter(kinds)
    dialog.open()


def ask_for_folder(parent: QWidget, title: str, then: Callable[[str], None]) -> None:
    """Let a person pick a folder."""
    dialog = _dialog(parent, title, QFileDialog.FileMode.Directory, then)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    dialog.open()


def ask_where_to_save(parent: QWidget, title: str, name: str, then: Callable[[Path], None]) -> None:
    """Let a person say where a file goes; one that is there is asked for. `name` is proposed."""
    dialog = _dialog(parent, title, QFileDialog.FileMode.AnyFile, lambda path: then(Path(path)))
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix(Path(name).suffix.removeprefix("."))
    dialog.selectFile(name)
    dialog.open()


def _dialog(
    parent: QWidget, title: str, mode: QFileDialog.FileMode, then: Callable[[str], None] | None = None
) -> QFileDialog:
    dialog = QFileDialog(parent, title)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setFileMode(mode)
    if then is not None:
        dialog.fileSelected.connect(then)
    return dialog
