"""`evaluate`: a finished model folder on the images it was judged by."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from distill.exit_codes import OK
from distill.verbs.data_option import add_data_option, data_root
from engine.files import write_json

log = logging.getLogger("distill")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", help="a bundled model's id, or a model folder")
    parser.add_argument("--runtime", choices=("torch", "onnx", "openvino"), default="openvino")
    parser.add_argument("--out", type=Path, help="write the figures as JSON, too")
    add_data_option(parser)


def run(options: argparse.Namespace) -> int:
    from distill.judge import judge_model

    figures = judge_model(options.model, data_root(options), options.runtime)
    for row in figures:
        text = f"{row.set:14} {row.name:28} {row.value:.4f}  [{row.low:.4f}, {row.high:.4f}]  n={row.n}"
        log.info("%s", text)
    if options.out:
        write_json(options.out, [row.model_dump(mode="json") for row in figures])
    return OK
