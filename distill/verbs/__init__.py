"""VERBS: what `python -m distill` can do, a module each: `arguments(parser)` declares, `run(options)` acts.

`run` returns the exit code. A module imports torch and the like only inside `run`, so that --help is quick.
"""

from __future__ import annotations

from collections.abc import Mapping

VERBS: Mapping[str, str] = {
    "prepare": "make a data folder with one index of data sets as they are published",
    "audit": "what in a data folder would spoil a training: duplicates across splits, wrong masks",
    "cache": "let the teachers of a recipe look at every image once; verify what they said",
    "train": "train a student into a run folder",
    "agglomerate": "one student of several teachers for several tasks, and the comparison of what it brings",
    "evaluate": "figures of a model folder, on a folder of images or on its own validation split",
    "score": "figures of prediction maps against masks",
    "compare": "whether one run or model is better than another: difference, interval and p",
    "card": "the model card: every figure of the bundled models, measured again",
    "export": "make a model folder of a run: weights, ONNX, int8 if it is as good",
    "presets": "choose the presets of a model folder again by what its training left out, and measure them",
    "import": "make a model folder of weights that others published: PraNet, EMCAD, U-Net, U-Net++",
    "probe": "which forms of distillation reach a student, and which only look like it",
    "reproduce": "make a table of the paper again, run by run; --dry-run tells what it costs",
    "schema": "every key of a recipe as a JSON schema: title, unit, limits, default, and why one changes it",
    "bench": "how fast training is here: loading, distillation, memory",
}
