"""Maps against masks: prediction maps that somebody has, and what every judge does with samples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from distill.data.index import UNLABELLED
from distill.data.masks import Agreement
from distill.metrics.files import Pair, named, read_map, read_mask, read_picture
from distill.metrics.gallery import Gallery
from distill.metrics.measure import Case, Counting, Measured, Sample, measure
from engine.faults import FaultCode, FaultError
from engine.files.whole import read_json_lines


def samples_of(
    pairs: Iterable[Pair], cases: Mapping[str, Case], pictures: Mapping[str, Path] | None = None
) -> Iterator[Sample]:
    """Map and mask of every pair, read one at a time; `pictures` are the images by stem, for the gallery.

    A map is a grey picture of probability * 255. Raises FaultError DATA_SET for one that cannot be read.
    """
    agreement = Agreement()
    for pair in pairs:
        yield Sample(
            case=cases[pair.stem],
            probability=read_map(pair.path),
            mask=read_mask(pair.mask, agreement),
            picture=read_picture(pictures[pair.stem]) if pictures else None,
        )


def measure_all(
    samples: Iterable[Sample],
    counting: Counting = Counting(),
    gallery: Gallery | None = None,
    tick: Callable[[int], object] = lambda done: None,
) -> list[Measured]:
    """All of them in order; the gallery sees the images with a polyp. `tick` hears how many are done."""
    done = []
    for sample in samples:
        image = measure(sample, counting)
        if gallery is not None and image.polyp:
            gallery.add(sample, image.dice)
        done.append(image)
        tick(len(done))
    return done


def cases_of(stems: Iterable[str], set_name: str, index: Path | None) -> dict[str, Case]:
    """Set and group of every image: what the index says of its stem, else each image is its own group.

    index: JSON lines with `image`, `set` and `group`. Raises FaultError DATA_SET: an image that it lacks
    or that nobody has labelled.
    """
    stems = list(stems)
    if index is None:
        return {stem: Case(stem, set_name, stem) for stem in stems}
    known: dict[str, Case] = {}
    try:
        for line in read_json_lines(index):
            stem = Path(line["image"]).stem
            if line.get("label") != UNLABELLED:
                known[stem] = Case(stem, line["set"], line["group"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FaultError(
            FaultCode.DATA_SET,
            expected=f"JSON lines with image, set and group in {index}",
            got=f"{type(error).__name__}: {error}",
            remedy="correct --index",
        ) from error
    absent = [stem for stem in stems if stem not in known]
    if absent:
        raise FaultError(
            FaultCode.DATA_SET,
            expected=f"every image in {index}",
            got=f"{named(absent)} not in it, or unlabelled there",
            remedy="correct --index, or leave it out: each image is then its own group",
        )
    return {stem: known[stem] for stem in stems}
