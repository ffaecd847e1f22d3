"""VERBS: what `python -m distill` can do, a module each: `arguments(parser)` declares, `run(options)` does it.

`run` returns the exit code. A module imports torch and the like only inside `run`, so that --help is quick.
"""

from __future__ import annotations

from collections.abc import Mapping

VERBS: Mapping[str, str] = {
    "train": "train a student into a run folder",
    "evaluate": "figures of a model folder on the validation split of its recipe",
    "export": "make a model folder of a run: weights, ONNX, int8 if it is as good",
}
