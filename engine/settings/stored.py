"""`settings.toml`: read with what goes over it, and changed without losing what others wrote there.

Defaults < file < POLYPLIVE__AI__MODEL < `--set ai.model=...`. A wrong value falls back alone, and is told.
"""

from __future__ import annotations

import difflib
import time
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.faults import Fault, FaultCode, FaultError
from engine.files.shared import alone_with, read_small, set_aside
from engine.files.whole import user_config, write_text
from engine.settings.looks import parse, shown
from engine.settings.types import DEFAULTS, KEYS, NOTHING, Settings

FILE = "settings.toml"
VARIABLE_PREFIX = "POLYPLIVE__"
PLACE = "settings"


@dataclass(frozen=True, slots=True)
class Found:
    """The settings in force, what is wrong with them, and the keys that something set.

    `over`: what goes over the file, by the key that it sets: "the variable POLYPLIVE__AI__MODEL".
    """

    settings: Settings
    faults: tuple[Fault, ...] = ()
    given: frozenset[str] = frozenset()
    over: Mapping[str, str] = field(default_factory=dict)


def settings_path() -> Path:
    return user_config() / FILE


def read_settings(
    path: Path | None, variables: Mapping[str, str] = {}, assignments: Sequence[str] = ()
) -> Found:
    """What is in force. A damaged file is set aside, wrong and unknown keys are left out; both are told.

    `assignments` are those of `--set`. Raises FaultError SETTINGS for a wrong one.
    """
    values: dict[str, object] = {}
    faults: list[Fault] = []
    for key, value, where in _stored(path, faults):
        _take(values, key, value, where, faults, strict=True)
    over: dict[str, str] = {}
    for name, text in variables.items():
        if name.startswith(VARIABLE_PREFIX):
            key = name.removeprefix(VARIABLE_PREFIX).lower().replace("__", ".")
            _take(values, key, text, f"the variable {name}", faults, strict=False)
            over[key] = f"The variable {name}"
    wrong: list[Fault] = []
    for assignment in assignments:
        key, _, text = assignment.partition("=")
        _take(values, key.strip(), text.strip(), f"--set {assignment}", wrong, strict=False)
        over[key.strip()] = f"--set {key.strip()}"
    for fault in wrong[:1]:
        raise FaultError(
            fault.code, fault.expected, fault.got, fault.remedy, said=fault.sentence.partition(" Until ")[0]
        )
    return Found(Settings.model_validate(_tree(values)), tuple(faults), frozenset(values), over)


def keep(path: Path, changes: Mapping[str, object]) -> Path | None:
    """Set these keys in the file, None takes one out; the rest, comments too, stays as others wrote it.

    Raises OSError. A file that has been damaged meanwhile is set aside; where it is then.
    """
    aside = None
    import tomlkit  # only for those who change something

    with alone_with(path):
        try:
            data = read_small(path)
            document = tomlkit.parse((data or b"").decode("utf-8-sig"))
            for dotted in changes:
                if not isinstance(document.get(dotted.partition(".")[0], {}), dict):
                    raise ValueError(f"{dotted.partition('.')[0]} is no section")
        except (ValueError, RecursionError):
            aside = set_aside(path)
            document = tomlkit.document()
        for dotted, value in changes.items():
            section, _, key = dotted.partition(".")
            if value is None:
                document.get(section, {}).pop(key, None)
                continue
            if section not in document:
                document[section] = tomlkit.table()
            document[section][key] = value
        write_text(path, tomlkit.dumps(document))
    return aside


def _stored(path: Path | None, faults: list[Fault]) -> Iterable[tuple[str, object, str]]:
    """Key, value and place of all that the file holds."""
    if path is None:
        return
    try:
        tree = tomllib.loads((read_small(path) or b"").decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        faults.append(_unreadable(path, error))
        return
    for section, values in tree.items():
        for key, value in values.items() if isinstance(values, dict) else ((None, values),):
            yield section if key is None else f"{section}.{key}", value, str(path)


def _take(
    values: dict[str, object], key: str, value: object, where: str, faults: list[Fault], *, strict: bool
) -> None:
    """Put one value among the others, or tell why not."""
    if key not in DEFAULTS and not key.startswith(f"{KEYS}."):
        near = difflib.get_close_matches(key, DEFAULTS, n=1, cutoff=0.4)
        known = ", ".join(DEFAULTS)
        what = f"Did you mean {near[0]}?" if near else f"There are {known}."
        faults.append(_fault(f"one of {known}", key, f"There is no setting {key}. {what}", where))
        return
    try:
        values[key] = parse(key, value, strict=strict)
    except FaultError as wrong:
        said = f"{key} cannot be {wrong.got}: {wrong.expected}. Until it is corrected, {_in_force(key)}."
        faults.append(_fault(wrong.expected, wrong.got, said, where))


def _tree(values: Mapping[str, object]) -> dict[str, dict[str, Any]]:
    tree: dict[str, dict[str, Any]] = {}
    for dotted, value in values.items():
        section, _, key = dotted.partition(".")
        tree.setdefault(section, {})[key] = value
    return tree


def _in_force(key: str) -> str:
    default = DEFAULTS.get(key)
    return "the usual one is used" if default in NOTHING else f"{shown(default)} is used"


def _fault(expected: str, got: str, said: str, where: str) -> Fault:
    return Fault(
        FaultCode.SETTINGS,
        PLACE,
        expected=expected,
        got=f"{got} in {where}",
        remedy="correct it",
        at_s=time.monotonic(),
        fatal=False,
        said=f"{where}: {said}",
    )


def _unreadable(path: Path, error: Exception) -> Fault:
    what = "Check who may read it; the usual settings are in force."
    if not isinstance(error, OSError):
        try:
            what = f"It is kept as {set_aside(path).name}; the usual settings are in force."
        except OSError:
            what = "Correct or remove it; the usual settings are in force."
    reason = error.strerror if isinstance(error, OSError) else str(error)
    said = f"The settings cannot be read ({reason}). {what}"
    return _fault("settings in TOML", str(error), said, str(path))
