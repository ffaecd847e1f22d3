"""A model folder on images, through the engine's own source, runtime and components: as it is shown live."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from distill.data.index import Record, load_index
from distill.data.labelled import laid, mask_of
from distill.data.masks import Agreement
from distill.data.splits import split_beside
from distill.judging.maps import cases_of
from distill.metrics.files import pair_by_stem, pictures_in
from distill.metrics.measure import Case, Measured, Sample
from distill.metrics.rows import ImageResult, card_rows
from engine.drawing.components import find_patches, pixels_of
from engine.faults import FaultCode, FaultError
from engine.model_card import Metric
from engine.model_folder import ModelFolder
from engine.runtime import AUTO, open_runtime
from engine.runtime.base import Runtime, RuntimeOptions
from engine.runtime.masks import region_mask
from engine.sources import open_source
from engine.sources.base import Picture, SourceOptions, SourceSpec
from engine.sources.field_finder import FieldFinder
from engine.sources.orientation import orientation_of
from engine.types import U8, Field, OperatingPoint, Rect, Region, Size
from engine.view.region import placed

PRECISION = "f32"  # of a card: what every processor has, so that every machine makes the same figures
NEGATIVES = "negatives"  # the set of images that came without masks


@dataclass(frozen=True, slots=True)
class EvalImage:
    """An image to be judged, and its mask; None: it shows no polyp.

    `turned`: the mask has had the turn that the image's EXIF asks for; `sha256`: of the mask, by the index.
    """

    case: Case
    image: Path
    mask: Path | None
    turned: bool = False
    sha256: str | None = None


def folder_images(
    images: Path, masks: Path, negatives: Path | None = None, index: Path | None = None
) -> tuple[EvalImage, ...]:
    """Images and masks paired by stem, then the images of `negatives`, which have no masks.

    `index` says their sets and groups; without it the folder's name is the set and each image its own group.
    Raises FaultError DATA_SET.
    """
    pairs = pair_by_stem(images, masks)
    cases = cases_of([pair.stem for pair in pairs], images.name, index)
    found = [EvalImage(cases[pair.stem], pair.path, pair.mask) for pair in pairs]
    if negatives is not None:
        free = pictures_in(negatives)
        free_cases = cases_of(free, NEGATIVES, index)
        found += [EvalImage(free_cases[stem], path, None) for stem, path in free.items()]
    return tuple(found)


def validation_images(model: ModelFolder, data_root: Path) -> tuple[EvalImage, ...]:
    """The validation split that the model was trained beside. Raises FaultError."""
    index = load_index(data_root)
    records = [index.records[position] for position in split_beside(model.card.training, index).validation]
    return tuple(eval_image(record, data_root) for record in records)


def eval_image(record: Record, root: Path) -> EvalImage:
    """An image of an index; `root`: what its paths are meant from."""
    return EvalImage(
        Case(record.image, record.set, record.group),
        root / record.image,
        root / record.mask if record.mask else None,
        turned=record.exif is not None,
        sha256=record.mask_sha256,
    )


def judged(
    model: ModelFolder,
    images: Sequence[EvalImage],
    runtime: str = AUTO,
    precision: str = AUTO,
    region: Region | None = None,
    network: Runtime | None = None,
) -> Iterator[Sample]:
    """Map, mask and what the window would draw of every image, in order, one at a time.

    `region`: what of a frame the network sees, None as its card says; outside of it nothing is found.
    `network`: the model in a runtime that is open and stays so; None: it is opened as the two names say.
    Raises FaultError DATA_SET for an unreadable image or a mask of another size, and what the runtime raises.
    """
    size = Size(model.card.input.width_px, model.card.input.height_px)
    point = standard_point(model)
    agreement = Agreement()
    with ExitStack() as stack:
        if network is None:
            network = stack.enter_context(closing(open_runtime(runtime, model, RuntimeOptions(precision))))
        for asked in images:
            picture = _picture(asked.image)
            mask = _mask(asked, picture, agreement)
            pixels = picture.bgra()[..., :3]
            size_of = Size(picture.width_px, picture.height_px)
            whole = Rect(0, 0, picture.width_px, picture.height_px)
            field = _field_of(picture, region or model.card.region)
            box = field.box
            found = region_mask(network, picture.rgb(size, box), field, 0)
            yield Sample(
                case=asked.case,
                probability=placed(found.probability.astype(np.float32) / np.float32(255), box, size_of),
                mask=mask,
                shown=pixels_of(find_patches(found, whole.w, whole.h, point), whole.w, whole.h),
                picture=pixels,
            )


def _field_of(picture: Picture, region: Region) -> Field:
    """As the live path has it of a still."""
    finder = FieldFinder()
    return finder.field_of(picture, picture.pts_s, region)


def rows_of(images: Sequence[Measured]) -> tuple[Metric, ...]:
    """What a model card says of them."""
    outcomes = [
        ImageResult(
            dice=image.dice,
            iou=image.dice / (2 - image.dice),  # of one image, exactly
            found=bool(image.pixels.found[0]),
            hit=bool(image.pixels.hit[0]),
            polyp_share=image.polyp_share,
        )
        for image in images
    ]
    return tuple(card_rows([image.case for image in images], outcomes))


def standard_point(model: ModelFolder) -> OperatingPoint:
    """What the window starts with."""
    return model.card.presets["standard"].point


def _picture(path: Path) -> Picture:
    try:
        with closing(open_source(SourceSpec("images", str(path)), SourceOptions(throughput=True))) as source:
            picture = source.read()
    except FaultError as fault:
        raise _unusable(f"a picture at {path}", fault.got) from fault
    if picture is None:
        raise _unusable(f"a picture at {path}", "none")
    return picture


def _mask(asked: EvalImage, picture: Picture, agreement: Agreement) -> U8:
    """uint8 [h, w] of 0 and 1. Raises FaultError DATA_SET: another size than the image's."""
    shape = (picture.height_px, picture.width_px)
    if asked.mask is None:
        return np.zeros(shape, np.uint8)
    mask = mask_of(asked.mask, agreement, asked.sha256)
    orientation = orientation_of(asked.image.read_bytes())
    try:
        return laid(mask, shape, orientation, asked.image.name, turned=asked.turned)
    except ValueError as error:
        raise _unusable(f"{asked.mask} to fit its image", str(error)) from error


def _unusable(expected: str, got: str) -> FaultError:
    return FaultError(
        FaultCode.DATA_SET, expected=expected, got=got, remedy="restore the file, or take it away"
    )
