"""Model folders: `model.json` says what the network is, safetensors and ONNX hold it; never pickle."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files as package_files
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from engine.faults import FaultCode, FaultError
from engine.files.json_reader import read_json
from engine.files.whole import sha256_of, user_data
from engine.model_card import (
    CARD,
    INT8_XML,
    ONNX,
    READABLE,
    SCHEMA,
    WEIGHTS,
    FileCard,
    ModelCard,
    numbers_hash,
)

MOST_BYTES = 4 * 1024**2  # of `model.json`
# Weights in a file of their own: protobuf's field 1 with the key "location", its length however written.
OUTSIDE_DATA = re.compile(rb"\x0a(?:\x08|\x88\x80*\x00)location")


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A checked model folder."""

    path: Path
    card: ModelCard

    @property
    def id(self) -> str:
        return self.card.id

    @property
    def weights(self) -> Path:
        return self.path / WEIGHTS

    @property
    def onnx(self) -> Path:
        return self.path / ONNX

    @property
    def int8(self) -> Path | None:
        """OpenVINO IR of the int8 network; None when the model has none that passed."""
        return self.path / INT8_XML if INT8_XML in self.card.files else None


def load_model_folder(path: Path) -> ModelFolder:
    """Read `model.json` and check every file it names.

    Raises FaultError MODEL_MISSING (no folder, no file), MODEL_SCHEMA (newer or unreadable `model.json`,
    unknown key, impossible number, weights outside the hashed files) or MODEL_HASH (a file or a number of the
    card is not the one that was exported).
    """
    card = read_card(path)
    if card.numbers_sha256 not in (None, numbers_hash(card)):
        raise FaultError(
            FaultCode.MODEL_HASH,
            expected=f"the numbers in {CARD} of {card.id} as they were exported",
            got="others",
            remedy="copy the model folder again, or choose another model",
            said=f"The numbers in {path / CARD} are not the ones that were exported with {card.id}. "
            "Copy the model folder again, or choose another model.",
        )
    for name, listed in card.files.items():
        _check_file(path / name, listed, card.id)
    if OUTSIDE_DATA.search((path / ONNX).read_bytes()):
        raise FaultError(
            FaultCode.MODEL_SCHEMA,
            expected=f"{ONNX} with its weights inside",
            got="weights in a file of their own, which no hash covers",
            remedy="export the model again",
            said=f"{path / ONNX} keeps its weights in another file, which no hash covers. "
            "Export the model again.",
        )
    return ModelFolder(path, card)


def read_card(path: Path) -> ModelCard:
    """`model.json` of a folder, the other files unseen. Raises FaultError as `load_model_folder`."""
    card_path = path / CARD
    if not card_path.is_file():
        raise FaultError(
            FaultCode.MODEL_MISSING,
            expected=f"a model folder with {CARD}",
            got=f"none at {path}",
            remedy="choose a model folder, or a bundled model by its id",
            said=f"{path} is no model folder: it has no {CARD}. Choose one, or a bundled model by its name.",
        )
    try:
        values = read_json(card_path, MOST_BYTES)
    except (OSError, ValueError) as error:
        raise _unreadable(path, f"{CARD} is not JSON ({error})") from error
    try:
        return ModelCard.model_validate(_upgraded(values, path))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or CARD
        wrong = first["msg"].removeprefix("Value error, ")
        raise _unreadable(path, f"{where}: {wrong}") from error


def bundled_models() -> tuple[Path, ...]:
    """The folders that come with the program, by name."""
    return _folders_in(Path(str(package_files("assets").joinpath("models"))))


def user_models() -> tuple[Path, ...]:
    """The folders that the user added, by name."""
    return _folders_in(user_data() / "models")


def default_model() -> Path:
    """The bundled folder with `"default": true`. Raises FaultError MODEL_MISSING unless it is exactly one."""
    chosen = [path for path in bundled_models() if read_card(path).default]
    if len(chosen) == 1:
        return chosen[0]
    raise FaultError(
        FaultCode.MODEL_MISSING,
        expected='exactly one bundled model with "default": true',
        got=", ".join(path.name for path in chosen) or "none",
        remedy="install the program again, or name a model folder",
    )


def find_model(name_or_path: str | Path) -> Path:
    """A bundled or user's model by its name, or a folder by its path. Raises FaultError MODEL_MISSING.

    Text without a separator is a name: a folder that happens to lie in the current directory is never meant.
    """
    text = str(name_or_path)
    known = {found.name: found for found in (*user_models(), *bundled_models())}  # bundled ones win
    if not isinstance(name_or_path, Path) and not _has_separator(text):
        if text in known:
            return known[text]
        here = f" (a folder is named with its path: {os.curdir}{os.sep}{text})" if _is_folder(text) else ""
        raise _no_model(known, f"{text}{here}")
    if not _is_folder(name_or_path):
        raise _no_model(known, text)
    return Path(name_or_path).absolute()


def _has_separator(text: str) -> bool:
    return any(separator in text for separator in filter(None, (os.sep, os.altsep)))


def _is_folder(path: str | Path) -> bool:
    try:
        return (Path(path) / CARD).is_file()
    except (OSError, ValueError):  # a name that is too long, or holds a zero
        return False


def _no_model(known: Mapping[str, Path], got: str) -> FaultError:
    return FaultError(
        FaultCode.MODEL_MISSING,
        expected=f"a model folder, or one of: {', '.join(sorted(known)) or 'none installed'}",
        got=got,
        remedy="correct the name",
        said=f"There is no model {got}. Give a model folder, or one of: "
        f"{', '.join(sorted(known)) or 'none is installed'}.",
    )


def _folders_in(parent: Path) -> tuple[Path, ...]:
    # A hidden folder is an export that is not finished.
    return tuple(sorted(card.parent for card in parent.glob(f"[!.]*/{CARD}")))


def _upgraded(values: Any, path: Path) -> Mapping[str, Any]:
    """Values of a schema that this program reads: one of `READABLE`, whose older ones lack what is new."""
    if not isinstance(values, dict) or not isinstance(values.get("schema"), int):
        raise _unreadable(path, f"{CARD} without a whole number as schema")
    if values["schema"] not in READABLE:
        raise FaultError(
            FaultCode.MODEL_SCHEMA,
            expected=f"{path.name}/{CARD} of schema {SCHEMA}",
            got=f"schema {values['schema']}",
            remedy="update the program" if values["schema"] > SCHEMA else "export the model again",
            said=f"{CARD} of the model {path.name} has schema {values['schema']}; this program reads "
            f"{SCHEMA}. "
            + ("Update the program." if values["schema"] > SCHEMA else "Export the model again."),
        )
    return values


def _check_file(path: Path, listed: FileCard, model_id: str) -> None:
    if not path.is_file():
        raise FaultError(
            FaultCode.MODEL_MISSING,
            expected=f"{path.name} of {model_id}",
            got=f"no such file in {path.parent}",
            remedy="copy the model folder again, or choose another model",
            said=f"{path.name} of the model {model_id} is missing. Copy the model folder again, or "
            "choose another model.",
        )
    size_bytes = path.stat().st_size
    have = sha256_of(path)
    if have != listed.sha256 or size_bytes != listed.bytes:
        raise FaultError(
            FaultCode.MODEL_HASH,
            expected=f"{path.name} of {model_id} with sha256 {listed.sha256[:12]}",
            got=f"{have[:12]} ({size_bytes} bytes)",
            remedy="copy the model folder again, or choose another model",
            said=f"{path.name} of the model {model_id} is not the file that was exported: sha256 "
            f"{have[:12]} instead of "
            f"{listed.sha256[:12]}. Copy the model folder again, or choose another model.",
        )


def _unreadable(path: Path, got: str) -> FaultError:
    return FaultError(
        FaultCode.MODEL_SCHEMA,
        expected=f"{path.name}/{CARD} of schema {SCHEMA}",
        got=got,
        remedy="export the model again, or choose another one",
        said=f"{CARD} of the model {path.name} cannot be used: {got}. "
        "Export the model again, or choose another one.",
    )
