"""Whether a setting can have a value: by its type, or by looking where only that says. What can be chosen."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from pydantic import ValidationError

from engine.faults import FaultCode, FaultError
from engine.settings.types import DEFAULTS, KEYS, NOTHING, Settings, value_of


def parse(key: str, value: object, *, strict: bool) -> object:
    """The value as its type has it. Raises FaultError SETTINGS: `expected` says what it should be.

    `strict`: as TOML has it; otherwise text is read, too.
    """
    section, _, name = key.partition(".")
    if section == KEYS and isinstance(value, str):
        value = (value,) if value else ()
    elif section == KEYS and isinstance(value, list):
        value = tuple(value)
    part = {name: value}
    try:
        if section == KEYS:
            taken = Settings.model_validate({KEYS: part}, strict=strict)
        else:
            kind = type(getattr(Settings(), section))
            taken = Settings.model_construct(**{section: kind.model_validate(part, strict=strict)})
        value = value_of(taken, key)
        if value not in NOTHING and value != DEFAULTS.get(key) and (look := LOOKS.get(key)) is not None:
            look(str(value))
    except ValidationError as error:
        message = str(error.errors(include_url=False)[0]["msg"])
        raise _wrong(message.replace("Input should", "it should", 1).rstrip("."), value) from error
    except FaultError as error:
        raise _wrong(f"{error.got}; it should be {error.expected}", value) from error
    return value


def shown(value: object) -> str:
    """For a sentence; not all of it where it is long."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _wrong(why: str, value: object) -> FaultError:
    return FaultError(FaultCode.SETTINGS, expected=why, got=shown(value), remedy="correct it")


def _find_model(name: str) -> None:
    from engine.model_folder import find_model

    find_model(name)


def _parse_runtime(name: str) -> None:
    from engine.runtime import parse_runtime

    parse_runtime(name)


def _check_decoder(name: str) -> None:
    from engine.sources.file.decode_choice import check_name

    check_name(name)


def _find_weights(name: str) -> None:
    if not _path(name).exists():
        raise _not_that("a file or folder of weights", f"there is nothing at {name}")


def _check_folder(name: str) -> None:
    path = _path(name)
    there = next(one for one in (path, *path.parents) if one.exists())
    if not there.is_dir():
        raise _not_that("a folder", f"{there} is a file")
    if not os.access(there, os.W_OK):
        raise _not_that("a folder that can be written to", f"nothing can be written to {there}")


def _path(name: str) -> Path:
    try:
        path = Path(name).expanduser()
    except RuntimeError:  # of somebody who is not known here
        path = Path(name)
    if not path.is_absolute():
        raise _not_that("a whole path", f"{name} is a part of one")
    return path


def _not_that(expected: str, got: str) -> FaultError:
    return FaultError(FaultCode.SETTINGS, expected=expected, got=got, remedy="choose another")


# What can only be known by looking: models on the disk, names of other tables. They cost an import.
LOOKS: Mapping[str, Callable[[str], None]] = {
    "ai.model": _find_model,
    "ai.runtime": _parse_runtime,
    "video.decode": _check_decoder,
    "review.library": _check_folder,
    "review.sam_weights": _find_weights,
}


def _models() -> Mapping[str, str]:
    from engine.model_folder import bundled_models, user_models

    return {"": ""} | {folder.name: "" for folder in (*bundled_models(), *user_models())}


def _runtimes() -> Mapping[str, str]:
    from engine.runtime import RUNTIMES
    from engine.runtime.order import missing

    return {"auto": ""} | {name: missing(name) for name in RUNTIMES}


def _decoders() -> Mapping[str, str]:
    from engine.sources.file.decode_choice import AUTO, SOFTWARE
    from engine.sources.file.hardware import listed

    return dict.fromkeys((SOFTWARE, AUTO, *listed()), "")


# What can be chosen, and why it cannot be had on this machine, "" where it can. They cost an import.
CHOICES: Mapping[str, Callable[[], Mapping[str, str]]] = {
    "ai.model": _models,
    "ai.runtime": _runtimes,
    "video.decode": _decoders,
}
