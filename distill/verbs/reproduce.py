"""`reproduce`: a table of the paper, or the agglomeration's, made again run by run."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from distill.exit_codes import CANCELLED, OK
from distill.verbs.data_option import add_data_option, data_root
from distill.verbs.progress import add_events_option, progress
from engine.jobs.begun import begun

if TYPE_CHECKING:
    from distill.reproduce.plan import Plan

log = logging.getLogger("distill")
AGGLOMERATION = "agglomeration"  # the table of the other paper: all tasks that the index names
PUBLISHED_IMAGES = 1450  # of the paper's training split, for a plan without data at hand


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("table", choices=("table1", "table2", "table3", "table4", AGGLOMERATION))
    parser.add_argument(
        "--preset", help="the recipe: paper (default), notebook, best, a TOML file; agglomeration has its own"
    )
    parser.add_argument("--seeds", type=int, default=3, help="how many (default 3)")
    parser.add_argument("--students", nargs="*", default=[], help="only these of the paper's, or light")
    parser.add_argument(
        "--teachers",
        nargs="*",
        default=[],
        metavar="NAME",
        help="these in the place of the paper's, one row a student: timm:tf_efficientnet_lite1 for instance",
    )
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change the preset")
    parser.add_argument("--runs", type=Path, default=Path("runs") / "reproduce", help="where the runs lie")
    parser.add_argument(
        "--cache", type=Path, help="the teachers' features (default: cache/ of the data folder)"
    )
    parser.add_argument("--accept-licence", action="store_true", help="run non-commercial teachers, too")
    parser.add_argument(
        "--unlabelled",
        type=Path,
        metavar="DIR",
        help="agglomeration: further images for the teachers, an index or pictures",
    )
    parser.add_argument("--protocol", default="p05_image", help="of our figures (default p05_image)")
    parser.add_argument("--out", type=Path, metavar="FILE.md", help="write the table there, too")
    parser.add_argument("--dry-run", action="store_true", help="only the plan: runs, disk and hours")
    parser.add_argument(
        "--gmacs-per-s", type=float, metavar="RATE", help="of the machine to plan for (default: this one's)"
    )
    add_events_option(parser)
    add_data_option(parser)


def run(options: argparse.Namespace) -> int:
    from distill.metrics import PROTOCOLS
    from distill.reproduce.plan import plan_table
    from distill.reproduce.run import finished, run_plan, tables
    from distill.reproduce.table import filled
    from engine.files.whole import write_text
    from engine.table import choose

    choose(PROTOCOLS, options.protocol, "protocol")
    if options.table == AGGLOMERATION:
        return _agglomeration(options)
    preset = options.preset or "paper"
    seeds = range(options.seeds)
    plan = plan_table(options.table, preset, seeds, options.students, options.set, options.teachers)
    if options.dry_run:
        text, code = _dry(plan, options), OK
    else:
        with begun("reproduce", events=options.events) as folder, progress(folder, "run") as tick:
            code = run_plan(
                plan, options.runs, data_root(options), tick, options.cache, options.accept_licence
            )
        text = filled(plan, finished(plan, options.runs), tables(plan, options.runs), options.protocol)
    print(text)
    if options.out:
        write_text(options.out, text)
    return code


def _agglomeration(options: argparse.Namespace) -> int:
    from distill.agglomerate.compare import plan, run_comparison, table
    from distill.agglomerate.config import Config
    from distill.agglomerate.variants import Comparison
    from distill.recipe import load_recipe
    from engine.files.whole import write_text

    root = data_root(options)
    recipe = load_recipe(options.preset or "agglomerate", options.set)
    config = Config(
        recipe=recipe,
        data_root=root,
        cache=options.cache or root / "cache",
        unlabelled=options.unlabelled,
        accept_licence=options.accept_licence,
    )
    comparison = Comparison(config, options.runs / AGGLOMERATION, range(options.seeds))
    if options.dry_run:
        text, whole = plan(comparison), True
    else:
        whole = run_comparison(comparison, options.events)
        text = table(comparison)
    print(text)
    if options.out:
        write_text(options.out, text)
    return OK if whole else CANCELLED


def _dry(plan: Plan, options: argparse.Namespace) -> str:
    from distill.reproduce.estimate import cache_gigabytes, estimate_runs, gmacs_per_s
    from distill.reproduce.places import places
    from distill.reproduce.run import finished
    from distill.reproduce.table import dry

    images = _training_images(options)
    recipes = {name: one.recipe for name, one in plan.runs.items()}
    rate = options.gmacs_per_s or gmacs_per_s()
    log.info("%d training images, %.0f GMAC/s", images, rate)
    done = tuple(finished(plan, options.runs))
    weights = places(recipes.values(), options.data)
    return dry(plan, estimate_runs(recipes, images, rate), cache_gigabytes(recipes, images), done, weights)


def _training_images(options: argparse.Namespace) -> int:
    """Of the named data folder, else as many as the paper has."""
    from distill.data.index import load_index

    if options.data is None:
        return PUBLISHED_IMAGES
    records = load_index(options.data).records
    return sum(record.split == "train" for record in records) or len(records)
