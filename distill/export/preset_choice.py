"""Which numbers a preset gets: decided by what is counted, the worst set first (docs/adr/0032)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from distill.judging.over_time import Behaviour
from distill.metrics.detections import Detections, Point, counts_of, points_of

THRESHOLDS = (0.3, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65)
MIN_AREAS_FRAC = (
    0.0005,
    0.001,
    0.002,
)  # beyond it what is lost are small polyps, which no set here has many of
MIN_PEAKS = (0.0, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.985, 0.99)
FEW_POLYPS, FEW_FREE = 25, 50  # images: sets with fewer are judged together, where they are as many then
OTHERS = "others"  # those sets, together
BESIDE = "beside polyps"
EVEN_ODDS = 0.5
NOISE = 0.005  # of a set of some dozens of images: no reason to choose by
Rows = npt.NDArray[np.bool_]


class Key(NamedTuple):
    """A still point."""

    threshold: float
    min_area_frac: float
    min_peak: float


@dataclass(frozen=True, slots=True)
class Wish:
    """What a preset may cost, and how long a finding must last.

    `most_false`: detections an image, of the worst kind of images of the data that the model was trained
    beside: a set's polyp-free ones, or those with polyps, where it is what lies beside them.
    `most_further`: the same of the worst set of further folders, whose recorders the training did not know;
    `most_standing`: again, but of what reaches the peak of a hit: what a view that stands still confirms.
    `most_long`, `most_brief`: false activations of a second or more, and all, in the polyp-free recordings.
    """

    most_false: float
    most_further: float
    most_standing: float
    most_long: int
    most_brief: int
    hit_ms: float
    window_ms: float


WISHES: Mapping[str, Wish] = {
    "sensitive": Wish(0.10, 0.55, 0.60, 1, 4, 100.0, 165.0),
    "standard": Wish(0.06, 0.35, 0.42, 0, 1, 165.0, 265.0),
    "quiet": Wish(0.045, 0.25, 0.35, 0, 0, 330.0, 500.0),
}


@dataclass(frozen=True, slots=True)
class StillImage:
    """An image as it is counted. `found`: its blobs by threshold; `further`: of a further folder."""

    set: str
    found: Mapping[float, Detections]
    further: bool = False

    @property
    def polyp(self) -> bool:
        return next(iter(self.found.values())).there_px > 0


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one still point: by set with polyps, and by kind of images where nothing should be found."""

    sets: Mapping[str, Point]
    false: Mapping[str, float]
    further: Mapping[str, float]

    @property
    def worst(self) -> float:
        """The worst set's worth; 0 without polyps."""
        return min(map(worth, self.sets.values()), default=0.0)

    @property
    def mean(self) -> float:
        """Of the sets' worth, each as much as the others."""
        return sum(map(worth, self.sets.values())) / max(len(self.sets), 1)


def worth(point: Point) -> float:
    """The mean of sensitivity and Dice; of Dice alone where all lesions are too small to count."""
    sensitivity = point.dice_polyp_images if math.isnan(point.sensitivity) else point.sensitivity
    return (sensitivity + point.dice_polyp_images) / 2


def figures(images: Sequence[StillImage]) -> dict[Key, Figures]:
    """By every still point that is thought of."""
    polyp = np.array([image.polyp for image in images], bool)
    further = np.array([image.further for image in images], bool)
    polyps = _by_set(images, polyp, FEW_POLYPS)
    free = _by_set(images, ~polyp & ~further, FEW_FREE)
    elsewhere = _by_set(images, ~polyp & further, FEW_FREE)
    limits = list(product(MIN_AREAS_FRAC, MIN_PEAKS))
    found = {}
    for threshold in THRESHOLDS:
        counts = counts_of([image.found[threshold] for image in images], limits)
        at = {name: points_of(counts, rows) for name, rows in polyps.items()}
        false = {name: points_of(counts, rows) for name, rows in free.items()}
        far = {name: points_of(counts, rows) for name, rows in elsewhere.items()}
        beside = points_of(counts, polyp)
        for column, (area, peak) in enumerate(limits):
            known = {name: some[column].false_per_polyp_free_image for name, some in false.items()}
            if polyp.any():
                known[BESIDE] = beside[column].false_per_polyp_image
            found[Key(threshold, area, peak)] = Figures(
                {name: some[column] for name, some in at.items()},
                known,
                {name: some[column].false_per_polyp_free_image for name, some in far.items()},
            )
    return found


def still_point(by_key: Mapping[Key, Figures], wish: Wish) -> Key:
    """Of the points within the wish the one whose worst set is best, its neighbours' with it.

    The mean over the point and those one step beside it: a value whose neighbours are as good is one that
    another hospital may shift. Among those within `NOISE` of the best worst set the mean of the sets decides,
    among those within it of the best mean silence, then what is nearest to even odds. Where none fulfils the
    wish: the quietest.
    """
    allowed = [key for key in by_key if excess(by_key[key], wish) <= 0.0]
    if not allowed:
        return min(by_key, key=lambda key: (excess(by_key[key], wish), -by_key[key].worst, -by_key[key].mean))
    kept = _nearly_best(allowed, lambda key: _mean(by_key[one].worst for one in _around(key)))
    kept = _nearly_best(kept, lambda key: _mean(by_key[one].mean for one in _around(key)))
    return max(kept, key=lambda key: (key.min_peak, key.min_area_frac, -abs(key.threshold - EVEN_ODDS)))


def _nearly_best(keys: Sequence[Key], worth_of: Callable[[Key], float]) -> list[Key]:
    by_key = {key: worth_of(key) for key in keys}
    return [key for key in keys if by_key[key] >= max(by_key.values()) - NOISE]


def excess(found: Figures, wish: Wish) -> float:
    """How far the worst kind of false detections is over the wish, as a part of it; 0 or less: within."""
    known = max((value / wish.most_false for value in found.false.values()), default=0.0)
    further = max((value / wish.most_further for value in found.further.values()), default=0.0)
    return max(known, further) - 1.0


def hit_peak(
    key: Key, followed: Callable[[float], Sequence[Behaviour]], by_key: Mapping[Key, Figures], wish: Wish
) -> float:
    """What a hit in video has to reach at that still point: the lowest peak within the wish, else its own.

    `followed`: what the recordings come to with such a peak. No higher ones than the still's are thought of:
    what is seen again and again may be fainter than what is judged by one picture.
    """
    for peak in (peak for peak in MIN_PEAKS if peak < key.min_peak):
        if standing(by_key[key._replace(min_peak=peak)]) <= wish.most_standing:
            recordings = followed(peak)
            long, brief = (activations(recordings, least_s) for least_s in (1.0, 0.0))
            if long <= wish.most_long and brief <= wish.most_brief:
                return peak
    return key.min_peak


def standing(found: Figures) -> float:
    """Of a view that stands still, the worst kind's false detections: each is confirmed."""
    return max((*found.false.values(), *found.further.values()), default=0.0)


def activations(recordings: Sequence[Behaviour], least_s: float) -> int:
    """False ones that last so long at least, of all polyp-free recordings."""
    return sum(one.false_activations[least_s] for one in recordings if one.false_activations is not None)


def _by_set(images: Sequence[StillImage], rows: Rows, few: int) -> dict[str, Rows]:
    """Which images are of which set, bool [n] each: small sets together, or left out if few."""
    sets = np.array([image.set for image in images])
    found = {str(name): rows & (sets == name) for name in dict.fromkeys(sets[rows].tolist())}
    large = {name: some for name, some in found.items() if some.sum() >= few}
    rest = rows & ~np.isin(sets, list(large))
    return large | {OTHERS: rest} if rest.sum() >= few or (rest.any() and not large) else large


def _around(key: Key) -> Iterator[Key]:
    """The point, and those one step beside it."""
    yield key
    for place, values in enumerate((THRESHOLDS, MIN_AREAS_FRAC, MIN_PEAKS)):
        at = values.index(key[place])
        for step in (at - 1, at + 1):
            if 0 <= step < len(values):
                yield Key._make((*key[:place], values[step], *key[place + 1 :]))


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))
