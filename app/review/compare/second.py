"""What the first analysis is compared with: chosen, analysed in the background, there again on opening."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.review.analysing import AnalysisProcess
from app.review.compare.offers import Offer, offers
from app.review.job import AnalysisJob, Begun
from app.review.side_car import SideCarThread
from engine.faults import FaultCode, FaultError
from engine.model_card import STANDARD, WEIGHTS
from engine.model_folder import ModelFolder, load_model_folder
from engine.review.analysis import Progress, begin, points_of, progress_of
from engine.review.compare.side import Side
from engine.review.recording import Analysis
from engine.review.store import SideCar
from engine.types import OperatingPoint


@dataclass(frozen=True, slots=True)
class First:
    """The first analysis, its presets, and the point at which it is looked at."""

    begun: Begun
    point: OperatingPoint

    @property
    def side(self) -> Side:
        return Side(self.begun.analysis, self.point)


@dataclass(frozen=True, slots=True)
class Second:
    """`points`: the presets of its model, none where that cannot be read, and then `why_not` says why.

    `is_first`: it is the first analysis itself, at another point: there is nothing more to analyse.
    """

    side: Side
    points: Mapping[str, OperatingPoint]
    progress: Progress
    is_first: bool
    why_not: str = ""

    @property
    def can_run(self) -> bool:
        return not (self.is_first or self.progress.is_done or self.why_not)


class SecondAnalysis(QObject):
    """`changed`: another one, or more of it is analysed. What is asked is done in the side-car's thread."""

    changed = Signal()
    offered = Signal(object)  # list[Offer]
    failed = Signal(object)  # Fault

    def __init__(
        self, side_car: SideCarThread, job: AnalysisJob, first: Callable[[], First], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._side_car = side_car
        self._job = job
        self._first = first
        self._process = AnalysisProcess(side_car, self, "The second analysis")
        self._process.looked.connect(self.look)
        self._process.changed.connect(self.changed)
        self._process.failed.connect(self.failed)
        self._why_read_only = ""
        self.second: Second | None = None

    @property
    def is_running(self) -> bool:
        return self._process.is_running

    def recall(self) -> None:
        """The one that it was compared with when the recording was last open."""
        self._side_car.ask(lambda car: car.why_read_only, self._note_read_only)
        self._job.ask(lambda edits: edits.second, self._recall)

    def offer(self) -> None:
        """Ask what there is to choose from."""
        first = self._first().begun.analysis
        self._side_car.ask(lambda car: offers(car, first), self.offered.emit)

    def choose(self, offer: Offer | None) -> None:
        """None: nothing is compared any more; what was analysed is kept."""
        if offer is None:
            self._process.pause()
            self.second = None
            if not self._why_read_only:
                self._job.ask(lambda edits: edits.compare_with(None))
            self.changed.emit()
            return
        first = self._first()
        self._side_car.ask(lambda car: _chosen(car, first, offer), self._choose)

    def use(self, point: OperatingPoint) -> None:
        """Its findings are those of this point from now on; no network is asked."""
        if self.second is not None:
            self.second = replace(self.second, side=Side(self.second.side.analysis, point))
            self.changed.emit()

    def keep(self) -> None:
        """It is compared with that, there, when it is opened again."""
        second = self.second
        if second is not None and not self._why_read_only:
            self._job.ask(lambda edits: edits.compare_with(second.side.analysis.id, second.side.point))

    def toggle(self) -> None:
        """Pause its analysis, or go on."""
        if self._process.is_running:
            self._process.pause()
        elif self.second is not None and self.can_run:
            self._process.start(self.second.side.analysis)

    @property
    def can_run(self) -> bool:
        return self.second is not None and self.second.can_run and not self._why_read_only

    def look(self) -> None:
        """More of it may be analysed."""
        second = self.second
        if second is not None:
            id_ = second.side.analysis.id
            self._side_car.ask(lambda car: progress_of(car.database, id_), lambda now: self._grown(id_, now))

    def close(self) -> None:
        """Once the side-car's thread has ended. What was analysed stays."""
        self._process.stop()

    # Inside

    def _recall(self, known: tuple[int, OperatingPoint] | None) -> None:
        if known is not None:
            first = self._first()
            self._side_car.ask(lambda car: _known(car, first, *known), self._take)

    def _note_read_only(self, why: str) -> None:
        self._why_read_only = why

    def _choose(self, second: Second) -> None:
        self._take(second)
        self.keep()

    def _take(self, second: Second | None) -> None:
        self.second = second
        if self.can_run:
            assert second is not None
            self._process.start(second.side.analysis)
        else:
            self._process.pause()
        self.changed.emit()

    def _grown(self, id_: int, progress: Progress) -> None:
        if self.second is not None and self.second.side.analysis.id == id_:
            self.second = replace(self.second, progress=progress)
            self.changed.emit()


# In the side-car's thread


def _chosen(car: SideCar, first: First, offer: Offer) -> Second:
    """Begun where it is not there. Raises FaultError: the model cannot be used, or nothing can be kept."""
    if offer.path is None:
        assert offer.analysis is not None
        analysis = car.analysis(offer.analysis)
        if analysis.id == first.begun.analysis.id:
            return _second(car, first, analysis, _other(first.begun.points, first.point))
        return _second(car, first, analysis, analysis.point)
    model = load_model_folder(offer.path)
    analysis = _begun_by(car, model)
    point = analysis.point
    if analysis.id == first.begun.analysis.id:
        point = _other(first.begun.points, first.point)
    return _second(car, first, analysis, point)


def _known(car: SideCar, first: First, id_: int, point: OperatingPoint) -> Second | None:
    found = next((one for one in car.analyses if one.id == id_), None)
    return None if found is None else _second(car, first, found, point)


def _begun_by(car: SideCar, model: ModelFolder) -> Analysis:
    if not car.why_read_only:
        return begin(car, model)
    sha256 = model.card.files[WEIGHTS].sha256
    for one in car.analyses:
        if one.has_maps and one.weights_sha256 == sha256:
            return one
    raise FaultError(
        FaultCode.REVIEW,
        expected=f"an analysis by {model.id}, or a place to keep one",
        got=car.why_read_only,
        remedy="open the recording where it can be changed",
        said=f"{car.why_read_only} {model.id} has not analysed it yet.",
    )


def _second(car: SideCar, first: First, analysis: Analysis, point: OperatingPoint) -> Second:
    is_first = analysis.id == first.begun.analysis.id
    points, why = dict(first.begun.points), ""
    if not is_first:
        points, why = _points(analysis)
    progress = progress_of(car.database, analysis.id)
    return Second(Side(analysis, point), points, progress, is_first, why)


def _points(analysis: Analysis) -> tuple[dict[str, OperatingPoint], str]:
    """The presets of its model; or why they are not known."""
    try:
        model = load_model_folder(Path(analysis.model_path))
    except FaultError as fault:
        return {}, f"{fault.said or fault} What it has analysed can be compared."
    if model.card.files[WEIGHTS].sha256 != analysis.weights_sha256:
        return {}, (
            f"{analysis.model_id} at {analysis.model_path} has other weights by now. What the earlier ones "
            "have analysed can be compared; to compare the new ones choose it again."
        )
    return points_of(model), ""


def _other(points: Mapping[str, OperatingPoint], point: OperatingPoint) -> OperatingPoint:
    """A preset that differs, the usual one if that does."""
    usual = points.get(STANDARD, point)
    return usual if usual != point else next((one for one in points.values() if one != point), point)
