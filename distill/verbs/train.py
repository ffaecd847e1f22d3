"""`train`: a recipe becomes a run folder; a run that was stopped goes on."""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from pathlib import Path

from distill.exit_codes import CANCELLED, OK
from distill.verbs.data_option import add_data_option, data_root
from engine.faults import FaultCode, FaultError
from engine.files import write_json

log = logging.getLogger("distill")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--recipe", default="light", help="a name of distill/recipes, or a TOML file")
    parser.add_argument("--run", type=Path, help="the run folder (default: runs/<utc>_<recipe>_s<seed>)")
    parser.add_argument(
        "--resume", type=Path, metavar="RUN", help="go on with that run; its own recipe counts"
    )
    parser.add_argument(
        "--stop-after", type=int, metavar="STEPS", help="stop as if cancelled after so many steps"
    )
    parser.add_argument("--events", action="store_true", help="print the events as well")
    add_data_option(parser)


def run(options: argparse.Namespace) -> int:
    from distill.recipe import load_recipe, parse_recipe
    from distill.train.loop import train
    from distill.train.run import RUN_JSON, run_json
    from engine.jobs import RunFolder

    root = data_root(options)
    if options.resume:
        path = options.resume
        if not (path / RUN_JSON).is_file():
            raise FaultError(
                FaultCode.ARGUMENT,
                expected=f"a run folder with {RUN_JSON}",
                got=str(path),
                remedy="correct --resume",
            )
        recipe = parse_recipe(json.loads((path / RUN_JSON).read_text(encoding="utf-8"))["recipe"])
    else:
        recipe = load_recipe(options.recipe)
        utc = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        path = options.run or Path("runs") / f"{utc}_{recipe.name}_s{recipe.seed}"
        if (path / RUN_JSON).exists():
            raise FaultError(
                FaultCode.ARGUMENT,
                expected="a new run folder",
                got=f"{path}, which holds a run",
                remedy=f"go on with --resume {path}, or name another one",
            )
    folder = RunFolder(path, echo=sys.stdout.write if options.events else None)
    folder.clear_cancel()
    if not options.resume:
        write_json(path / RUN_JSON, run_json(recipe, root))
    folder.event("start", job="train", run_id=path.name, resumed_from=str(path) if options.resume else None)
    try:
        outcome = train(recipe, root, folder, resume=bool(options.resume), stop_after=options.stop_after)
    except BaseException as error:
        if isinstance(error, FaultError):
            folder.fault(error.as_fault("training"))
        folder.event("done", outcome="failed")
        raise
    folder.event("done", outcome="cancelled" if outcome.cancelled else "ok")
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
