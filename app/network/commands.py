"""From the side panel to the pipeline: network, threshold, overlay."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.launch import Launch
from app.network.catalogue import Catalogue, model_choice, name_of, read_catalogue, read_machine
from app.network.panel import ControlPanel
from app.widgets.task import Task
from engine.drawing.overlays import OverlayStyle, drawn
from engine.drawing.shape import Shape
from engine.faults import Fault, FaultError
from engine.types import AiState, OperatingPoint, Result, Snapshot

if TYPE_CHECKING:
    from engine.live.pipeline import Pipeline  # cv2 and pydantic: not before the window is up

PLACE = "model"
NUDGE_STEPS = 2  # hundredths
Marks = Callable[[Result], tuple[Shape, ...]]


class AiControls(QObject):
    """Handlers of the AI's actions. `faulted`: a model folder cannot be used; `mended`: one can again.

    `chosen` carries what a person chose, by its key in engine.settings. `set_overlay` hears how findings are
    drawn.
    """

    faulted = Signal(object)
    mended = Signal(str)
    chosen = Signal(object)

    def __init__(
        self,
        panel: ControlPanel,
        set_overlay: Callable[[Marks], None],
        launch: Launch,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._panel = panel
        self._set_overlay = set_overlay
        self._launch = launch
        self._pipeline: Pipeline | None = None
        self._state: AiState | None = None
        self._catalogue: Catalogue | None = None
        self._reading = Task("catalogue", lambda: read_catalogue(launch.model), self)
        self._reading.done.connect(self._show_catalogue)
        self._reading.failed.connect(self._show_no_catalogue)
        self._asking = Task("machine", read_machine, self)
        self._asked = False
        self._asking.done.connect(panel.set_machine)
        panel.model_chosen.connect(self._choose)
        panel.point.chosen.connect(self._use_point)
        self.set_style(launch.overlay)

    def connect_to(self, pipeline: Pipeline | None) -> None:
        """Start with the model that was asked for; None: the window closes."""
        self._pipeline = pipeline
        if pipeline is None:
            for task in (self._reading, self._asking):
                task.forget()
                task.join(1.0)
            return
        pipeline.expect_model(True)
        self._reading.start()

    def take(self, snapshot: Snapshot) -> None:
        """Once a network runs, what else could is asked: the start does not wait for it."""
        self._state = snapshot.ai_state
        if snapshot.running is not None and not self._asked and self._pipeline is not None:
            self._asked = True
            self._asking.start()

    def use(self, folder: Path, runtime: str, precision: str) -> None:
        """Load a network; the picture goes on meanwhile."""
        if self._pipeline is not None:
            self._pipeline.set_model(folder, runtime, precision)
            self.mended.emit(PLACE)

    def use_point(self, preset: str, threshold: float | None) -> None:
        """A preset of the model in use, and the threshold where that is another than the preset's."""
        named = self._panel.point.preset_point
        point = named(preset) or named("standard")
        if point is None or self._pipeline is None:
            return
        self._pipeline.set_operating_point(point if threshold is None else point.moved(threshold))

    def use_network(self, model: str, runtime: str, precision: str) -> None:
        """As the settings have them; a model is a name or a folder, "" the one in use."""
        from engine.model_in_use import named_or_in_use

        try:
            folder = named_or_in_use(model or None)
        except FaultError as error:
            self.faulted.emit(error.as_fault(PLACE))
            return
        self._panel.select_network(runtime, precision)
        self.use(folder, runtime, precision)

    def use_folder(self, folder: Path) -> None:
        """A model folder that a person pointed to."""
        try:
            choice = model_choice(folder)
        except FaultError as error:
            self.faulted.emit(error.as_fault(PLACE))
            return
        known = self._catalogue.models if self._catalogue is not None else ()
        self._panel.set_models((*(other for other in known if other.path != folder), choice))
        self._panel.choose_model(folder)

    def toggle_ai(self) -> str:
        if self._pipeline is None or self._state is None:
            return ""
        on = self._state not in (AiState.ON, AiState.LOADING)
        self._pipeline.set_ai(on)
        return "AI on" if on else "AI off"

    def choose_style(self, name: str) -> str:
        """A person chose how findings are drawn."""
        self.set_style(name)
        self.chosen.emit({"overlay.style": name})
        return f"Overlay: {name}"

    def set_style(self, name: str) -> None:
        """How findings are drawn: a name of engine.drawing.overlays."""
        style = OverlayStyle()
        self._set_overlay(lambda result: drawn(name, result, style))
        self._panel.overlay.select(name)

    def style_contour(self) -> str:
        return self.choose_style("contour")

    def style_fill(self) -> str:
        return self.choose_style("fill")

    def style_box(self) -> str:
        return self.choose_style("box")

    def style_corners(self) -> str:
        return self.choose_style("corners")

    def threshold_down(self) -> str:
        return self._nudge(-NUDGE_STEPS)

    def threshold_up(self) -> str:
        return self._nudge(NUDGE_STEPS)

    def _nudge(self, steps: int) -> str:
        return f"Threshold {self._panel.point.nudge_threshold(steps):.2f}"

    def _choose(self, folder: Path, runtime: str, precision: str) -> None:
        self.use(folder, runtime, precision)
        name = name_of(folder)
        self.chosen.emit({"ai.model": name, "ai.runtime": runtime, "ai.precision": precision})

    def _use_point(self, point: OperatingPoint) -> None:
        if self._pipeline is not None:
            self._pipeline.set_operating_point(point)
        own = self._panel.point.preset_point(point.preset)
        moved = own is None or own.threshold != point.threshold
        self.chosen.emit({"ai.preset": point.preset, "ai.threshold": point.threshold if moved else None})

    def _show_no_catalogue(self, fault: Fault) -> None:
        if self._pipeline is not None:
            self._pipeline.expect_model(False)
        self.faulted.emit(fault)

    def _show_catalogue(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._panel.set_models(catalogue.models)
        self._panel.set_runtimes(catalogue.runtimes)
        self._panel.select_network(self._launch.runtime, self._launch.precision)
        self._panel.set_chosen(catalogue.chosen)
        self.use_point(self._launch.preset, self._launch.threshold)
        self.use(catalogue.chosen, self._launch.runtime, self._launch.precision)
