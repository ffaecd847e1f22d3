"""`run.json`: what a run was asked to do, with what, where."""

from __future__ import annotations

import importlib.metadata
import platform
from pathlib import Path
from typing import Any

from distill.data.index import load_index
from distill.recipe import Recipe

RUN_JSON = "run.json"
PACKAGES = ("polyplive", "torch", "timm", "numpy", "opencv-python-headless", "scikit-learn")


def run_json(recipe: Recipe, data_root: Path) -> dict[str, Any]:
    """The resolved recipe, the data's fingerprint and the versions: enough to do it again."""
    index = load_index(data_root)
    return {
        "schema": 1,
        "recipe": recipe.model_dump(mode="json"),
        "data": {"index_sha256": index.sha256, "images": len(index.records)},
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        "host": {
            "python": platform.python_version(),
            "machine": platform.machine(),
            "system": platform.system(),
        },
    }
