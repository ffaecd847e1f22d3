"""python -m distill VERB. Exit codes: 0 ok, 1 bug, 2 input unusable, 3 data set unusable, 4 cancelled."""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from pathlib import Path

from engine.faults import FaultCode, FaultError
from engine.files import write_json

log = logging.getLogger("distill")
OK, INPUT_UNUSABLE, DATA_UNUSABLE, CANCELLED = 0, 2, 3, 4


def main(argv: list[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    log.setLevel(logging.INFO)
    try:
        code: int = arguments.verb(arguments)
        return code
    except FaultError as fault:
        print(f"polyplive: {fault}", file=sys.stderr)
        return DATA_UNUSABLE if fault.code is FaultCode.DATA_SET else INPUT_UNUSABLE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m distill", description="Train, judge and export students."
    )
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    verb = verbs.add_parser("train", help="train a student into a run folder")
    verb.add_argument("--recipe", default="light", help="a name of distill/recipes, or a TOML file")
    verb.add_argument("--run", type=Path, help="the run folder (default: runs/<utc>_<recipe>_s<seed>)")
    verb.add_argument("--resume", type=Path, metavar="RUN", help="go on with that run; its own recipe counts")
    verb.add_argument(
        "--stop-after", type=int, metavar="STEPS", help="stop as if cancelled after so many steps"
    )
    verb.add_argument("--events", action="store_true", help="print the events as well")
    _data_option(verb)
    verb.set_defaults(verb=_train)

    verb = verbs.add_parser(
        "evaluate", help="figures of a model folder on the validation split of its recipe"
    )
    verb.add_argument("model", help="a bundled model's id, or a model folder")
    verb.add_argument("--runtime", choices=("torch", "onnx", "openvino"), default="openvino")
    verb.add_argument("--out", type=Path, help="write the figures as JSON, too")
    _data_option(verb)
    verb.set_defaults(verb=_evaluate)

    verb = verbs.add_parser(
        "export", help="make a model folder of a run: weights, ONNX, int8 if it is as good"
    )
    verb.add_argument("source", type=Path, help="a run folder, or a model folder to be exported again")
    verb.add_argument("--size", type=int, metavar="PX", help="the input's size (default: the recipe's)")
    verb.add_argument(
        "--out", type=Path, required=True, help="the new model folder; its name is the model's id"
    )
    verb.add_argument(
        "--default", action="store_true", help="make it the model that is taken when none is named"
    )
    verb.add_argument(
        "--int8-images", type=int, default=300, help="training images for calibration, 0: no int8"
    )
    _data_option(verb)
    verb.set_defaults(verb=_export)
    return parser


def _data_option(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--data", type=Path, help="the data folder (default: $POLYP_DATA, or ../shared/data)")


def _data_root(arguments: argparse.Namespace) -> Path:
    from distill.data.index import data_folder

    root: Path = arguments.data or data_folder()
    return root


def _train(arguments: argparse.Namespace) -> int:
    from distill.recipe import load_recipe, parse_recipe
    from distill.train.loop import train
    from distill.train.run import RUN_JSON, run_json
    from engine.jobs import RunFolder

    root = _data_root(arguments)
    if arguments.resume:
        path = arguments.resume
        if not (path / RUN_JSON).is_file():
            raise FaultError(
                FaultCode.ARGUMENT,
                expected=f"a run folder with {RUN_JSON}",
                got=str(path),
                remedy="correct --resume",
            )
        recipe = parse_recipe(json.loads((path / RUN_JSON).read_text(encoding="utf-8"))["recipe"])
    else:
        recipe = load_recipe(arguments.recipe)
        utc = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        path = arguments.run or Path("runs") / f"{utc}_{recipe.name}_s{recipe.seed}"
        if (path / RUN_JSON).exists():
            raise FaultError(
                FaultCode.ARGUMENT,
                expected="a new run folder",
                got=f"{path}, which holds a run",
                remedy=f"go on with --resume {path}, or name another one",
            )
    run = RunFolder(path, echo=sys.stdout.write if arguments.events else None)
    run.clear_cancel()
    if not arguments.resume:
        write_json(path / RUN_JSON, run_json(recipe, root))
    run.event("start", job="train", run_id=path.name, resumed_from=str(path) if arguments.resume else None)
    try:
        outcome = train(recipe, root, run, resume=bool(arguments.resume), stop_after=arguments.stop_after)
    except BaseException as error:
        if isinstance(error, FaultError):
            run.fault(error.as_fault("training"))
        run.event("done", outcome="failed")
        raise
    run.event("done", outcome="cancelled" if outcome.cancelled else "ok")
    if outcome.cancelled:
        log.info(
            "stopped at step %d of %d; go on: python -m distill train --resume %s",
            outcome.step,
            outcome.steps,
            path,
        )
        return CANCELLED
    log.info(
        "done, best validation Dice %.4f; next: python -m distill export %s --out FOLDER", outcome.best, path
    )
    return OK


def _evaluate(arguments: argparse.Namespace) -> int:
    from distill.judge import judge_model

    figures = judge_model(arguments.model, _data_root(arguments), arguments.runtime)
    for row in figures:
        text = f"{row.set:14} {row.name:28} {row.value:.4f}  [{row.low:.4f}, {row.high:.4f}]  n={row.n}"
        log.info("%s", text)
    if arguments.out:
        write_json(arguments.out, [row.model_dump(mode="json") for row in figures])
    return OK


def _export(arguments: argparse.Namespace) -> int:
    from distill.export import export

    export(
        arguments.source,
        arguments.out,
        _data_root(arguments),
        arguments.default,
        arguments.int8_images,
        arguments.size,
    )
    log.info("wrote %s", arguments.out)
    return OK


if __name__ == "__main__":
    sys.exit(main())
