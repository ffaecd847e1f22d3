"""`evaluate`: a model folder on images, through the runtime and the drawing of the live path; or a run."""

from __future__ import annotations

import argparse
import logging
from dataclasses import replace
from pathlib import Path

from distill.exit_codes import OK
from distill.verbs.data_option import OWN_DATA, add_data_option
from distill.verbs.measuring import add_measuring_options, measure_and_write
from engine.faults import FaultCode, FaultError
from engine.jobs.begun import begun

log = logging.getLogger("distill")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", nargs="?", help="a bundled model's id, a model folder, or a run folder")
    parser.add_argument("--model", dest="model_option", metavar="DIR", help="the same")
    parser.add_argument(
        "--images", type=Path, metavar="DIR", help="default: the validation split of the model's recipe"
    )
    parser.add_argument("--masks", type=Path, metavar="DIR", help="masks with the names of the images")
    parser.add_argument(
        "--negatives", type=Path, metavar="DIR", help="images without a polyp, which have no masks"
    )
    parser.add_argument("--runtime", default="auto", metavar="NAME", help="auto, openvino, eager")
    parser.add_argument("--precision", default="auto", metavar="NAME", help="auto, f32, bf16, int8")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="write the rows of a model card as JSON, too"
    )
    region = parser.add_mutually_exclusive_group()
    region.add_argument(
        "--field",
        dest="region",
        action="store_const",
        const="field",
        help="show the network the endoscope's picture alone, without panels and borders around it",
    )
    region.add_argument(
        "--whole-frame",
        dest="region",
        action="store_const",
        const="frame",
        help="show it whole frames; default: what the model or the run was made for",
    )
    add_measuring_options(parser)
    add_data_option(parser, OWN_DATA)


def run(options: argparse.Namespace) -> int:
    from distill.data.belonging import belonging_of_model
    from distill.judging.live_path import (
        folder_images,
        judged,
        rows_of,
        standard_point,
        validation_images,
    )
    from distill.runs import is_run
    from engine.files.whole import write_json
    from engine.model_folder import find_model, load_model_folder

    name = _model_name(options)
    if bool(options.images) != bool(options.masks) or (options.negatives and not options.images):
        raise FaultError(
            FaultCode.ARGUMENT,
            expected="--images and --masks together, or neither",
            got="one of them missing",
            remedy="name both; --negatives comes beside them",
        )
    if is_run(Path(name)):
        return _of_run(Path(name), options)
    with begun("evaluate", events=options.events) as events:
        model = load_model_folder(find_model(name))
        if options.images:
            images = folder_images(options.images, options.masks, options.negatives, options.index)
        else:
            belonging = belonging_of_model(model.id, model.card.training)
            images = validation_images(model, belonging.find(options.data))
        heading = {"model": model.id, "runtime": options.runtime, "precision": options.precision}
        region = options.region or model.card.region
        if region == "field":
            heading["field"] = "the endoscope's picture alone"
        if model.card.training.imported:
            heading["held_out"] = f"not known: {model.id} was imported, and may have been trained on these"
            log.info("held out: %s", heading["held_out"])
        samples = judged(model, images, options.runtime, options.precision, region)
        measured = measure_and_write(options, events, samples, len(images), standard_point(model), heading)
        if options.out:
            write_json(options.out, [row.model_dump(mode="json") for row in rows_of(measured)])
    if not options.images:
        for row in rows_of(measured):
            text = f"{row.set:14} {row.name:28} {row.value:.4f}  [{row.low:.4f}, {row.high:.4f}]  n={row.n}"
            log.info("%s", text)
    return OK


def _of_run(run: Path, options: argparse.Namespace) -> int:
    """The averaged weights of a run on its own validation split, in torch: nothing draws it yet."""
    from distill.data.index import load_index
    from distill.data.splits import split_of
    from distill.judging.run import validation_samples
    from distill.judging.trained import trained_run

    if options.images or options.out:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected="a model folder for --images and --out",
            got=f"{run}, a run folder",
            remedy="export it first: python -m distill export",
        )
    trained = trained_run(run)
    trained = replace(trained, region=options.region or trained.region)
    root = trained.belonging.find(options.data)
    index = load_index(root)
    trained.belonging.check(index)
    total = len(split_of(index.records, trained.data).validation)
    with begun("evaluate", events=options.events) as events:
        heading = {"run": run.name, "runtime": "torch", "precision": "float32"}
        if trained.region == "field":
            heading["field"] = "the endoscope's picture alone"
        measure_and_write(options, events, validation_samples(trained, root), total, heading=heading)
    return OK


def _model_name(options: argparse.Namespace) -> str:
    named = [name for name in (options.model, options.model_option) if name]
    if len(named) != 1:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected="one model",
            got=" and ".join(named) or "none",
            remedy="name a model folder, or a bundled model by its id",
        )
    return str(named[0])
