"""A model on images of which it is known what they show: what the window would draw of a still, counted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from engine.analysis.judged import Judge
from engine.drawing.components import Patch, find_patches
from engine.faults import FaultCode, FaultError
from engine.model_folder import ModelFolder
from engine.promotion.statistics import Counts, Share
from engine.promotion.truth import Image, read_mask
from engine.promotion.watching import HIT_IOU, Tell, overlap
from engine.runtime.masks import region_mask
from engine.sources import open_source
from engine.sources.base import Picture, SourceOptions, SourceSpec
from engine.sources.field_finder import FieldFinder


def count_images(
    images: Sequence[Image], models: Sequence[tuple[ModelFolder, Judge]], tell: Tell = lambda: None
) -> list[Counts]:
    """Of each model, a Share an image. Raises FaultError DATA_SET for an image that cannot be used, and what
    the runtime raises."""
    counts: list[dict[str, list[Share]]] = [defaultdict(list) for _ in models]
    for image in images:
        picture = _picture(image.path)
        there = None if image.mask is None else read_mask(image.mask, (picture.height_px, picture.width_px))
        for (model, judge), kept in zip(models, counts, strict=True):
            patches = _drawn(picture, model, judge)
            if there is None:
                kept["images_false"].append(Share(image.group, bool(patches), 1.0))
                continue
            same, either, both = overlap(patches, there)
            kept["images_met"].append(Share(image.group, same >= HIT_IOU * either, 1.0))
            kept["image_dice"].append(Share(image.group, 2.0 * same / both, 1.0))
        tell()
    return list(counts)


def _drawn(picture: Picture, model: ModelFolder, judge: Judge) -> tuple[Patch, ...]:
    field = FieldFinder().field_of(picture, picture.pts_s, model.card.region)
    mask = region_mask(judge.runtime, picture.rgb(judge.size, field.box), field, 0)
    return find_patches(mask, picture.width_px, picture.height_px, model.card.presets["standard"].still)


def _picture(path: Path) -> Picture:
    try:
        with closing(open_source(SourceSpec("images", str(path)), SourceOptions(throughput=True))) as source:
            picture = source.read()
    except FaultError as fault:
        raise _unusable(path, fault.got) from fault
    if picture is None:
        raise _unusable(path, "none")
    return picture


def _unusable(path: Path, got: str) -> FaultError:
    return FaultError(
        FaultCode.DATA_SET,
        expected=f"a picture at {path}",
        got=got,
        remedy="restore the file, and lock it again",
    )
