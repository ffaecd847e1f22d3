"""python -m distill VERB. Exit codes: 0 ok, 1 bug, 2 input unusable, 3 data set unusable, 4 cancelled."""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys

from distill.exit_codes import CANCELLED, DATA_UNUSABLE, INPUT_UNUSABLE
from distill.train.cpu.allocator import keep_freed_memory
from distill.verbs import VERBS
from engine.bench.peer_table import add_peers
from engine.faults import FaultCode, FaultError
from engine.jobs.process import end_with_parent


def main(argv: list[str] | None = None) -> int:
    end_with_parent()  # where that one has asked for it: an export for a promotion
    # Before torch: its idle threads must not spin on the cores that something else needs.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    keep_freed_memory()
    add_peers()  # what one could pick instead can be trained by the same recipes
    options = _parser().parse_args(argv)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("distill").setLevel(logging.INFO)
    try:
        code: int = options.do(options)
        return code
    except KeyboardInterrupt:
        print("polyplive: stopped", file=sys.stderr)
        return CANCELLED
    except FaultError as fault:
        print(f"polyplive: {fault}", file=sys.stderr)
        return DATA_UNUSABLE if fault.code is FaultCode.DATA_SET else INPUT_UNUSABLE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m distill", description="Train, judge and export students."
    )
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    for name, summary in VERBS.items():
        module = importlib.import_module(f"distill.verbs.{name}")
        verb = verbs.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
        module.arguments(verb)
        verb.set_defaults(do=module.run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
