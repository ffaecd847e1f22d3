"""Folders that are written to, and the models that come with the program."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from engine.doctor.check_result import CheckResult, Level

SCARCE_BYTES = 2 * 2**30  # a long recording's overlay, or a TensorRT build
FULL_BYTES = 200 * 2**20  # the compiled models of the default student


def folder(name: str, path: Path, unwritable: Level) -> CheckResult:
    """Free space, and whether a file can be written there; `unwritable` is how bad it is if not."""
    place = next((there for there in (path, *path.parents) if there.exists()), path)
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
        free_bytes = shutil.disk_usage(place).free
    except OSError as error:
        return CheckResult(
            name,
            unwritable,
            f"{path} cannot be written: {error.strerror or error}",
            "make it writable for this user, or set POLYPLIVE_HOME to a folder that is",
        )
    text = f"{path}, {free_bytes / 2**30:.1f} GiB free"
    if free_bytes < SCARCE_BYTES:
        level = Level.FAIL if free_bytes < FULL_BYTES else Level.WARN
        return CheckResult(name, level, text, "free some space on that disk")
    return CheckResult(name, Level.OK, text)


def models(bundled: tuple[Path, ...] | None = None, own: tuple[Path, ...] | None = None) -> CheckResult:
    """Every model folder's files against the hashes of its `model.json`; exactly one bundled default."""
    from engine.faults import FaultError
    from engine.model_folder import bundled_models, default_model, load_model_folder, user_models

    broken: list[FaultError] = []
    whole: list[str] = []
    for path in (
        *(bundled_models() if bundled is None else bundled),
        *(user_models() if own is None else own),
    ):
        try:
            card = load_model_folder(path).card
            whole.append(f"{card.id} (default)" if card.default else card.id)
        except FaultError as error:
            broken.append(error)
    if bundled is None:
        try:
            default_model()
        except FaultError as error:
            broken.append(error)
    if broken:
        text = "; ".join(error.wrong for error in broken)
        return CheckResult("models", Level.FAIL, text, broken[0].remedy)
    return CheckResult("models", Level.OK, f"{', '.join(whole)}: every file is the one that was exported")


def model_in_use() -> CheckResult:
    """Which one runs where none is named, and whether the log of promotions and its model are whole."""
    from engine.faults import FaultError
    from engine.model_in_use import model_in_use as in_use

    try:
        found = in_use()
    except FaultError as error:
        return CheckResult("model in use", Level.FAIL, error.wrong, error.remedy)
    if found.fault is not None:
        return CheckResult("model in use", Level.WARN, found.fault.wrong, found.fault.remedy)
    last = found.promotion
    since = f", since {last.at_utc[:10]} by {last.who}" if last else ""
    own = " (the program's own)" if found.is_factory else ""
    return CheckResult("model in use", Level.OK, f"{found.path.name}{own}{since}")
