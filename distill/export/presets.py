"""The presets of a model folder: chosen and measured through the path that runs live (docs/adr/0032).

Stills of the validation split and of further folders choose the still points, recordings what a hit in video
is. What the network says is kept in a folder while this works, so that it goes on where it was stopped.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from distill.data.belonging import INDEX_DIGITS
from distill.data.index import UNLABELLED, Index, Record, load_index
from distill.data.more import training_lists, with_more
from distill.data.splits import held_out_by, split_beside
from distill.export.parity import MAX_DICE_DROP, compare_samples
from distill.export.preset_choice import (
    THRESHOLDS,
    WISHES,
    Key,
    StillImage,
    Wish,
    figures,
    hit_peak,
    still_point,
)
from distill.export.preset_figures import by_set, of_recordings, of_stills, worst_of
from distill.judging.live_path import PRECISION, eval_image, judged, validation_images
from distill.judging.over_time import Behaviour, Looked, behaviour_at, look
from distill.judging.recordings import recordings_of
from distill.judging.remembered import maps_folder, open_remembered
from distill.metrics.detections import detections
from distill.metrics.image import dice_iou
from distill.metrics.measure import Case, Sample
from distill.metrics.pixels import at_native_size
from distill.metrics.rows import ImageResult, card_rows
from engine.analysis.judged import Judge
from engine.model_card import INT8_XML, SCHEMA, ModelCard, Parity, RecordingCard
from engine.model_folder import ModelFolder
from engine.preset import Preset
from engine.runtime.base import Runtime
from engine.runtime.self_check import checked
from engine.types import Region, Size

log = logging.getLogger(__name__)

INT8 = "int8"
KEEP_FACTOR = 0.7  # a weaker answer than the threshold may continue a finding, never start one
MOST_FURTHER = 250  # images of a set: they tell a rate of a third to 6 points
Tick = Callable[[int, int], None]

# Where no image says which: area and peak as in the middle of what is chosen for trained ones.
USUAL: Mapping[str, Key] = {
    "sensitive": Key(0.4, 0.0005, 0.0),
    "standard": Key(0.5, 0.001, 0.8),
    "quiet": Key(0.6, 0.002, 0.95),
}


@dataclass(frozen=True, slots=True)
class Seen:
    """All that a model was asked. `cases` and `outcomes`: of the validation images alone, at 0.5."""

    images: tuple[StillImage, ...]
    cases: tuple[Case, ...]
    outcomes: tuple[ImageResult, ...]
    recordings: tuple[Looked, ...]


def usual_presets() -> dict[str, Preset]:
    """Of each wish a point that nothing was measured for: `measured` is empty."""
    return {name: _preset(key, WISHES[name]) for name, key in USUAL.items()}


def with_presets(
    model: ModelFolder,
    data_root: Path,
    more: Sequence[Path] = (),
    region: Region | None = None,
    maps: Path | None = None,
    tick: Tick = lambda done, total: None,
) -> ModelCard:
    """The model's card with presets chosen for `region` (None: the card's) by what the training left out.

    Its check and hash are made again, and where the region is another the figures of its sets, too. `more`:
    further folders, whose polyp-free images count where the training did not see them. `maps`: where what
    the network says is kept; None: in the user's cache. Raises FaultError DATA_SET, and as `judged`.
    """
    region = region or model.card.region
    parity = model.card.parity
    with closing(open_remembered(model, PRECISION, maps or maps_folder(model))) as network:
        seen = ask(model, network, data_root, more, region, tick)
        if region != model.card.region and model.int8:
            row = _int8_parity(model, network, data_root, region, maps or maps_folder(model))
            parity = (*(old for old in parity if old.file != INT8_XML), row)
    changes: dict[str, Any] = {
        "schema_": SCHEMA,
        "region": region,
        "presets": choose_presets(seen.images, seen.recordings),
        "recordings": tuple(map(_recording_card, seen.recordings)),
        "parity": parity,
        "numbers_sha256": None,
        "check": None,
    }
    if region != model.card.region:
        changes["metrics"] = tuple(card_rows(seen.cases, seen.outcomes))
    return checked(replace(model, card=model.card.model_copy(update=changes)))


def ask(
    model: ModelFolder, network: Runtime, data_root: Path, more: Sequence[Path], region: Region, tick: Tick
) -> Seen:
    """Every image and recording. Raises FaultError as `with_presets`."""
    index = with_more(load_index(data_root), more)
    validation = split_beside(model.card.training, index).validation
    own = [eval_image(index.records[i], data_root) for i in validation]
    further = [eval_image(record, Path()) for record in unseen(model, index)]
    sequences = list(recordings_of(model.card.training, index, validation))
    total = len(own) + len(further) + len(sequences)
    images: list[StillImage] = []
    cases: list[Case] = []
    outcomes: list[ImageResult] = []
    for sample in judged(model, (*own, *further), region=region, network=network):
        is_further = len(images) >= len(own)
        images.append(_still(sample, is_further))
        if not is_further:
            cases.append(sample.case)
            outcomes.append(_outcome(sample))
        tick(len(images), total)
    size = Size(model.card.input.width_px, model.card.input.height_px)
    judge = Judge(network, model.id, size, model.card.points["standard"], streams=1)
    recordings: list[Looked] = []
    for recording in sequences:
        recordings.append(look(recording, judge, region))
        tick(len(images) + len(recordings), total)
    return Seen(tuple(images), tuple(cases), tuple(outcomes), tuple(recordings))


def unseen(model: ModelFolder, index: Index) -> list[Record]:
    """Polyp-free images of further folders that the model was not trained on: a few hundred of each set.

    Of a folder that its card does not name those whose group has no image on the training side, of one that
    it does those that were held out. Of more than `MOST_FURTHER` some at even distances.
    """
    sets: dict[str, list[Record]] = {}
    for record in _unseen(model, index):
        sets.setdefault(record.set, []).append(record)
    chosen: list[Record] = []
    for some in sets.values():
        few = min(len(some), MOST_FURTHER)
        chosen += [some[i * len(some) // few] for i in range(few)]
    return chosen


def _unseen(model: ModelFolder, index: Index) -> Iterator[Record]:
    training = model.card.training
    split = split_beside(training, index)
    trained = {index.records[i].group for i in split.train}
    learned = {record.image for record in training_lists(index, split, held_out_by(training)).labelled}
    for one in index.more:
        is_named = one.sha256[:INDEX_DIGITS] in training.data
        for record in one.records:
            is_free = record.label != UNLABELLED and record.has_no_polyp
            if is_free and record.group not in trained and not (is_named and record.image in learned):
                yield record


def choose_presets(images: Sequence[StillImage], recordings: Sequence[Looked] = ()) -> dict[str, Preset]:
    """Of each wish its still point, then what a hit in a recording is, with what both cost and bring.

    Without recordings frames are judged one by one, as by cards from before.
    """
    by_key = figures(images)
    presets = {}
    for name, wish in WISHES.items():
        key = still_point(by_key, wish)
        preset = _preset(key, wish)
        measured = of_stills(images, key)
        if recordings:
            followed = partial(_followed, recordings, key, wish)
            peak = hit_peak(key, followed, by_key, wish)
            preset = _preset(key, wish, peak)
            measured |= of_recordings(followed(peak), by_key[key._replace(min_peak=peak)])
        presets[name] = preset.model_copy(
            update={"measured": measured, "by_set": by_set(images, key), "worst_set": worst_of(by_key[key])}
        )
    return presets


def _followed(recordings: Sequence[Looked], key: Key, wish: Wish, peak: float) -> list[Behaviour]:
    return [behaviour_at(one, _preset(key, wish, peak).over_time) for one in recordings]


def _int8_parity(model: ModelFolder, exact: Runtime, data_root: Path, region: Region, maps: Path) -> Parity:
    """How far the int8 network is from the exact one where it now looks."""
    own = validation_images(model, data_root)
    with closing(open_remembered(model, INT8, maps)) as quick:
        both = (judged(model, own, region=region, network=network) for network in (exact, quick))
        row = compare_samples(INT8_XML, f"{quick.info.name} {INT8}", *both)
    if row.dice_drop >= MAX_DICE_DROP:
        log.warning("%s: int8 is worse by %.2f points there", model.id, 100 * row.dice_drop)
    return row


def _preset(key: Key, wish: Wish, hit: float | None = None) -> Preset:
    return Preset(
        threshold=key.threshold,
        keep=round(key.threshold * KEEP_FACTOR, 2),
        min_area_frac=key.min_area_frac,
        min_peak=key.min_peak,
        hit_peak=hit,
        hit_ms=wish.hit_ms,
        window_ms=wish.window_ms,
    )


def _still(sample: Sample, is_further: bool) -> StillImage:
    native = at_native_size(sample.probability, sample.mask)
    found = {threshold: detections(native, sample.mask, threshold) for threshold in THRESHOLDS}
    return StillImage(sample.case.set, found, is_further)


def _outcome(sample: Sample) -> ImageResult:
    """At 0.5, as `distill.metrics.evaluate` has it."""
    found = at_native_size(sample.probability, sample.mask) > 0.5
    dice, iou = dice_iou(found, sample.mask)
    there = sample.mask > 0
    return ImageResult(dice, iou, bool(found.any()), bool((found & there).any()), float(there.mean()))


def _recording_card(looked: Looked) -> RecordingCard:
    recording = looked.recording
    return RecordingCard(
        name=recording.name,
        frames=len(looked.frames),
        seconds=round(looked.seconds, 2),
        polyp_free=recording.polyp_free,
    )
