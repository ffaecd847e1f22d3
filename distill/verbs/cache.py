"""`cache`: the teachers of a recipe look at every image of a data folder, once."""

from __future__ import annotations

import argparse
import logging
from contextlib import nullcontext
from pathlib import Path

from distill.exit_codes import CANCELLED, DATA_UNUSABLE, OK
from distill.verbs.data_option import add_data_option, add_more_data_option, data_root
from distill.verbs.progress import add_events_option
from distill.verbs.run_options import add_set_option, process_number

log = logging.getLogger("distill")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", nargs="?", choices=("fill", "verify"), default="fill")
    parser.add_argument("--recipe", help="whose teachers look: a name of distill/recipes, or a TOML file")
    add_set_option(parser)
    parser.add_argument("--folder", type=Path, help="the cache (default: cache/ of the data folder)")
    parser.add_argument("--run", type=Path, help="a folder for events.jsonl; a file named cancel in it stops")
    parser.add_argument(
        "--grid", type=int, default=0, metavar="CELLS", help="store maps finer than that as area means"
    )
    parser.add_argument("--verify", action="store_true", help="the same as the word verify")
    parser.add_argument(
        "--repair", action="store_true", help="verify, and forget the entries that are broken"
    )
    parser.add_argument("--accept-licence", action="store_true", help="run non-commercial teachers, too")
    add_data_option(parser)
    add_more_data_option(parser)
    add_events_option(parser)


def run(options: argparse.Namespace) -> int:
    """Fills, going on where it was stopped; `verify` returns 3 when something is broken or stale."""
    folder = options.folder or data_root(options) / "cache"
    if options.action == "verify" or options.verify or options.repair:
        return _verify(folder, options.repair)
    return _fill(options, folder)


def _verify(folder: Path, repair: bool) -> int:
    from distill.teachers.cache.check import verify

    problems = verify(folder, repair)
    for problem in problems:
        log.info(
            "%s: %s%s", problem.folder.name, problem.what, f" ({problem.image})" if problem.image else ""
        )
    log.info("%d problems in %s", len(problems), folder)
    return DATA_UNUSABLE if problems else OK


def _fill(options: argparse.Namespace, folder: Path) -> int:
    from distill.data.index import load_index
    from distill.data.more import with_more
    from distill.data.splits import shown
    from distill.recipe import load_recipe
    from distill.teachers.cache.features import fill_shard
    from engine.faults import FaultCode, FaultError
    from engine.jobs.begun import begun

    if not options.recipe:
        raise FaultError(FaultCode.ARGUMENT, expected="a recipe", got="none", remedy="name one with --recipe")
    recipe = load_recipe(options.recipe, options.set)
    teachers = recipe.distil.cached_teachers
    index = with_more(load_index(data_root(options)), options.more_data)
    records = (*shown(index.records, recipe.data), *(r for one in index.more for r in one.records))
    if not teachers:
        log.info("the recipe %s has no teachers to look at the frames: nothing to do", options.recipe)
        return OK
    own = options.run or folder
    first = process_number() == 0  # one process of several tells
    with (
        begun("cache", own, events=options.events, alone=False, run_id=own.name)
        if first
        else nullcontext() as told
    ):
        try:
            whole = all(
                fill_shard(folder, teacher, index.root, records, told, options.accept_licence, options.grid)
                for teacher in teachers
            )
        except KeyboardInterrupt:
            whole = False
        if told and not whole:
            told.event("done", outcome="cancelled")
    if not whole:
        log.info("stopped; the same command goes on where it was")
    return OK if whole else CANCELLED
