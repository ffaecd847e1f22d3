"""`run.json`: what a run was asked to do, with what, where. Whoever reads one does it here."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from distill.data.belonging import DATA, MORE_DATA, Belonging
from distill.data.index import load_index
from distill.recipe import Recipe, parse_recipe
from engine.faults import FaultCode, FaultError
from engine.files.json_reader import read_json
from engine.jobs.folder import RUN_JSON
from engine.jobs.program import git_revision

PACKAGES = ("polyplive", "torch", "timm", "accelerate", "numpy", "opencv-python-headless", "scikit-learn")


def run_json(recipe: Recipe, data_root: Path, more: Sequence[Path] = ()) -> dict[str, Any]:
    """The resolved recipe, the data's fingerprints and the versions: enough to do it again.

    `more`: further data folders, `distill.data.more`.
    """
    return {
        "schema": 1,
        "git_revision": git_revision(),
        "recipe": recipe.model_dump(mode="json"),
        "data": _data(data_root) | ({"more": [_data(root) for root in more]} if more else {}),
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        "host": {
            "python": platform.python_version(),
            "machine": platform.machine(),
            "system": platform.system(),
        },
    }


def _data(root: Path) -> dict[str, Any]:
    index = load_index(root)
    return {
        "index_sha256": index.sha256,
        "images": len(index.records),
        "folder": str(root.resolve()),
    }


def read_run(path: Path) -> dict[str, Any]:
    """A run folder's run.json. Raises FaultError ARGUMENT: none, or a damaged one."""
    try:
        found = read_json(path / RUN_JSON)
        if not isinstance(found["recipe"], dict):
            raise TypeError("no recipe")
        return dict(found)
    except FileNotFoundError as error:
        got, remedy = "there is none", "name a folder that train made"
        cause: Exception = error
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        got, remedy = (
            "it is damaged",
            "put it back from a copy, or start again in another folder",
        )
        cause = error
    raise FaultError(
        FaultCode.ARGUMENT,
        expected=f"a run folder with {RUN_JSON}",
        got=f"{path}, where {got}",
        remedy=remedy,
        said=f"{path} cannot be gone on with: {RUN_JSON} is what says how, and {got}; {remedy}.",
    ) from cause


def recipe_of(run: Path, resuming: bool = False) -> Recipe:
    """The recipe of a run folder, also of one that is older than this code. Raises FaultError ARGUMENT.

    `resuming`: the training is to be resumed, so that nothing which it used may be missing.
    """
    values = read_run(run)["recipe"]
    data = values.get("data")
    # Frames rendered for the training side: they were trained on and no more, so what is left can be judged.
    rendered = data.pop("synthetic_images", 0) if isinstance(data, dict) else 0
    if rendered and resuming:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected="a training on images of its data folder",
            got=f"{run}, which trains on {rendered} rendered images, too",
            remedy="start it again without data.synthetic_images; what it has trained can be exported",
        )
    return parse_recipe(values)


def is_run(path: Path) -> bool:
    """Whether the folder is one of a run, whatever has become of it."""
    return (path / RUN_JSON).is_file()


def belonging_of_run(run: Path) -> Belonging:
    """Which data the run is trained beside. Raises FaultError ARGUMENT as `read_run`."""
    return _belonging(run, _data_of(run))


def more_belongings_of_run(run: Path) -> list[Belonging]:
    """The same of its further data folders, in their order."""
    told = _data_of(run).get("more")
    return [_belonging(run, one, MORE_DATA) for one in (told if isinstance(told, list) else ())]


def _data_of(run: Path) -> dict[str, Any]:
    data = read_run(run).get("data")
    return data if isinstance(data, dict) else {}


def _belonging(run: Path, told: dict[str, Any], option: str = DATA) -> Belonging:
    folder = told.get("folder")
    sha256 = str(told.get("index_sha256") or "")
    return Belonging(run.name, sha256, Path(str(folder)) if folder else None, option)
