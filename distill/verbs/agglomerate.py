"""`agglomerate`: one student of several teachers for several tasks, or the comparison of what it brings."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from distill.exit_codes import CANCELLED, OK
from distill.verbs.data_option import add_data_option, data_root
from distill.verbs.progress import add_events_option
from distill.verbs.run_options import add_set_option, refuse_a_run, refuse_changes

if TYPE_CHECKING:
    from distill.agglomerate.config import Config

log = logging.getLogger("distill")


def arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--run", type=Path, help="a new run folder")
    what.add_argument("--resume", type=Path, metavar="RUN", help="go on with that run; its own recipe counts")
    what.add_argument(
        "--compare",
        type=Path,
        metavar="FOLDER",
        help="train what the table needs and is not there yet: without teachers, of one, specialists, "
        "agglomerated with each balance",
    )
    parser.add_argument("--recipe", default="agglomerate", help="a name of distill/recipes, or a TOML file")
    add_set_option(parser)
    parser.add_argument(
        "--unlabelled", type=Path, metavar="DIR", help="further images for the teachers: an index or pictures"
    )
    parser.add_argument(
        "--cache", type=Path, help="the teachers' features (default: cache/ of the data folder)"
    )
    parser.add_argument("--accept-licence", action="store_true", help="run non-commercial teachers, too")
    parser.add_argument(
        "--stop-after", type=int, metavar="STEPS", help="stop as if cancelled after so many steps"
    )
    parser.add_argument("--seeds", type=int, default=3, help="of each line of the comparison (default 3)")
    parser.add_argument("--dry-run", action="store_true", help="compare: only the plan, disk and hours")
    add_events_option(parser)
    add_data_option(parser)


def run(options: argparse.Namespace) -> int:
    from distill.agglomerate.config import Config
    from distill.recipe import load_recipe
    from distill.train.cpu.precision import fitting

    root = data_root(options)
    config = Config(
        recipe=fitting(load_recipe(options.recipe, options.set)),
        data_root=root,
        cache=options.cache or root / "cache",
        unlabelled=options.unlabelled,
        accept_licence=options.accept_licence,
    )
    return _compare(config, options) if options.compare else _train(config, options)


def _train(config: Config, options: argparse.Namespace) -> int:
    from distill.agglomerate.run_json import config_of_run
    from distill.agglomerate.running import run_config
    from engine.jobs.folder import TASKS
    from engine.jobs.interrupt import interrupt

    path: Path = options.resume or options.run
    if options.resume:
        refuse_changes(options)
        config = config_of_run(path, config)
    else:
        refuse_a_run(path)
    with interrupt() as interrupted:
        result = run_config(config, path, interrupted, options.events, options.stop_after)
    if result.cancelled:
        log.info("stopped; go on: python -m distill agglomerate --resume %s", path)
        return CANCELLED
    log.info("done, mean Dice over tasks %.4f; each task's student: %s", result.best, path / TASKS)
    return OK


def _compare(config: Config, options: argparse.Namespace) -> int:
    from distill.agglomerate.compare import plan, run_comparison, table
    from distill.agglomerate.variants import Comparison

    comparison = Comparison(config, options.compare, range(options.seeds))
    if options.dry_run:
        print(plan(comparison))
        return OK
    whole = run_comparison(comparison, options.events)
    print(table(comparison))
    if not whole:
        log.info("stopped; the same command goes on where it was")
    return OK if whole else CANCELLED
