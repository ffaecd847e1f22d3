"""The side panel: which network, how it executes, where outlines begin, how findings are drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from app.network.catalogue import Machine, ModelChoice
from app.network.fault_list import FaultList
from app.network.point_controls import PointControls
from app.network.stage_table import StageTable
from app.widgets import theme, words
from app.widgets.controls import Choice, Fold, Segments, follow_tip, label, line
from engine.faults import Fault
from engine.settings import names_of
from engine.types import Chosen, RuntimeInfo, Snapshot

STYLE_NAMES = names_of("overlay.style")
PRECISION_NAMES = names_of("ai.precision")


class ControlPanel(QWidget):
    """Signals tell what a person chose; `show_snapshot` shows what is in force."""

    model_chosen = Signal(object, str, str)  # folder, runtime, precision
    folder_asked = Signal()
    latency_asked = Signal()
    dismissed = Signal(object)  # Fault
    raw_held = Signal(bool)  # the picture without marks, while the button is down

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedWidth(theme.PANEL_PX)
        self.setProperty("surface", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._models: tuple[ModelChoice, ...] = ()
        self._chosen: Path | None = None
        self._wish = Chosen(Path(), "auto", "auto")  # what the next choice changes a part of
        self._running: Chosen | None = None
        self._runtime: RuntimeInfo | None = None
        self._machine = Machine({}, {})

        self.model = Choice("Model")
        self.runtime = Choice("Runtime")
        self.precision = Choice("Precision")
        self.precision.fill([(text, value) for value, text in PRECISION_NAMES.items()])
        self.point = PointControls()
        self._executing = label(role=theme.CAPTION, tone="secondary")
        self._executing.setWordWrap(True)
        self.overlay = Segments("Overlay")
        for style, text in STYLE_NAMES.items():
            self.overlay.add(style, text, actions[style])
        self._raw = QPushButton(actions["raw"].icon(), " Without marks (hold)")
        follow_tip(self._raw, actions["raw"])
        self._raw.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._raw.pressed.connect(lambda: self.raw_held.emit(True))
        self._raw.released.connect(lambda: self.raw_held.emit(False))
        self._stages = StageTable()
        self.latency_fold = Fold("Latency", self._latency_content(actions["latency"]))
        self._fault_list = FaultList()
        self.faults_fold = Fold("Faults (0)", self._fault_list)
        self._lay_out()

        self.model.chosen.connect(self._choose_model)
        self.runtime.chosen.connect(self._choose_runtime)
        self.precision.chosen.connect(self._choose_precision)
        self._fault_list.dismissed.connect(self.dismissed)

    # What can be chosen

    def set_models(self, models: Sequence[ModelChoice]) -> None:
        """The folders on offer; a person may still point to another one."""
        self._models = tuple(models)
        rows: list[tuple[str, object]] = [(choice.id, choice.path) for choice in models]
        self.model.fill([*rows, ("Choose folder…", None)])
        self.set_chosen(self._chosen)

    def set_chosen(self, path: Path | None) -> None:
        """The folder that is in use."""
        self._chosen = path
        self.model.select(path)
        model = self._model
        if model is None:
            self.point.set_presets({}, {})
        else:
            self.point.set_presets(model.presets, model.measured, model.worst)
        self._refuse()

    def set_runtimes(self, names: Sequence[str]) -> None:
        """Names of the runtimes table."""
        rows: list[tuple[str, object]] = [(words.runtime_name(name), name) for name in ("auto", *names)]
        self.runtime.fill(rows)

    def set_machine(self, machine: Machine) -> None:
        """What cannot run here is greyed with its reason; OpenVINO's other devices are offered."""
        self._machine = machine
        others = [f"openvino:{device}" for device in machine.devices if device != "CPU"]
        self.set_runtimes([*machine.reasons, *others])
        self._show_network()

    def select_network(self, runtime: str, precision: str) -> None:
        """What was asked for on the command line."""
        self._wish = replace(self._wish, runtime=runtime, precision=precision)
        self.runtime.select(runtime)
        self.precision.select(precision)

    def choose_model(self, folder: Path) -> None:
        """As a person does who chooses it; what runs is shown until it is ready."""
        self._wish = replace(self._wish, model_dir=folder)
        self._ask()

    # What is in force

    @property
    def chosen(self) -> Path | None:
        """The model folder that is in use."""
        return self._chosen

    @property
    def executing(self) -> str:
        """What computes the masks, and what is being made ready beside it."""
        return self._executing.text()

    @property
    def first_focus(self) -> QWidget:
        return self.model

    def show_faults(self, faults: tuple[Fault, ...]) -> None:
        """Those of the pipeline and of the window itself: all that the banner counts."""
        self._fault_list.show_faults(faults)
        self.faults_fold.set_title(f"Faults ({len(faults)})")

    def open_faults(self) -> None:
        self.faults_fold.set_open(True)
        self.faults_fold.setFocus()
        self._content.adjustSize()  # the fold's room is there with the next event only
        self._scroll.ensureWidgetVisible(self._fault_list, 0, 0)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        runs = (words.runtime_line(snapshot.runtime), words.preparing(snapshot))
        self._executing.setText("\n".join(filter(None, runs)) or snapshot.ai_reason)
        self._wish = snapshot.preparing or snapshot.running or self._wish
        if (snapshot.running, snapshot.runtime) != (self._running, self._runtime):
            self._running, self._runtime = snapshot.running, snapshot.runtime
            self._show_network()
        self.point.show_point(snapshot.operating_point)
        if self.latency_fold.is_open:
            self._stages.show_snapshot(snapshot)
        self._fault_list.show_incidents(snapshot.incidents)

    # Inside

    @property
    def _model(self) -> ModelChoice | None:
        """The one in use, if it is on offer."""
        return next((choice for choice in self._models if choice.path == self._chosen), None)

    def _choose_model(self, path: Path | None) -> None:
        if path is None:
            self.model.select(self._chosen)
            self.folder_asked.emit()
        else:
            self.choose_model(path)

    def _choose_runtime(self, name: str) -> None:
        # A precision of the one before may not be had on it.
        self._wish = replace(self._wish, runtime=name, precision="auto")
        self._ask()

    def _choose_precision(self, name: str) -> None:
        self._wish = replace(self._wish, precision=name)
        self._ask()

    def _ask(self) -> None:
        if self._wish.model_dir == Path():
            return
        wish = self._wish
        if self._running is None:  # nothing runs: what was asked for is all there is to show
            self.set_chosen(wish.model_dir)
            self.select_network(wish.runtime, wish.precision)
        else:
            self._show_network()
        self.model_chosen.emit(wish.model_dir, wish.runtime, wish.precision)

    def _show_network(self) -> None:
        """The boxes show what runs, not what was asked for."""
        running, info = self._running, self._runtime
        if running is not None and info is not None:
            if running.model_dir != self._chosen:
                self.set_chosen(running.model_dir)
            self.model.select(self._chosen)
            same = running.runtime.partition(":")[0] in ("auto", info.name)
            self.runtime.select(running.runtime if same else info.name)
            precision = info.precision.partition(",")[0]
            self.precision.select("auto" if running.precision == "auto" else precision)
        self._refuse()

    def _refuse(self) -> None:
        """Grey what cannot run on this machine, or not of this model."""
        self.runtime.refuse({name: why for name, why in self._machine.reasons.items() if why})
        if not self._machine.devices:
            return
        from engine.runtime.order import precision_missing  # pydantic: not before the window is up

        name = self.runtime.currentData() or "auto"
        has_int8 = self._model is not None and self._model.has_int8
        capabilities = self._machine.devices.get(name.partition(":")[2] or "CPU", ())
        reasons: dict[object, str] = {
            precision: precision_missing(name, precision, capabilities, has_int8=has_int8)
            for precision in PRECISION_NAMES
        }
        self.precision.refuse(reasons)

    def _latency_content(self, action: QAction) -> QWidget:
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.S)
        column.addWidget(self._stages)
        button = QPushButton("Open latency window")
        follow_tip(button, action)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(self.latency_asked)
        column.addWidget(button)
        return content

    def _lay_out(self) -> None:
        column = QVBoxLayout()
        column.setContentsMargins(theme.L, theme.L, theme.L, theme.L)
        column.setSpacing(theme.S)
        for title, controls in (
            ("Model", (self.model, self._executing)),
            ("Runtime and precision", (_beside(self.runtime, self.precision),)),
        ):
            column.addWidget(label(title, role=theme.CAPTION, tone="secondary"))
            for control in controls:
                column.addWidget(control)
            column.addSpacing(theme.S)
        column.addWidget(line())
        column.addSpacing(theme.S)
        column.addWidget(self.point)
        column.addSpacing(theme.S)
        column.addWidget(label("Overlay", role=theme.CAPTION, tone="secondary"))
        column.addWidget(self.overlay)
        column.addWidget(self._raw)
        column.addSpacing(theme.S)
        column.addWidget(line())
        column.addWidget(self.latency_fold)
        column.addWidget(self.faults_fold)
        column.addStretch(1)
        self._content = QWidget()
        self._content.setLayout(column)
        self._scroll = scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(self._content)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scroll)


def _beside(*widgets: QWidget) -> QWidget:
    box = QWidget()
    row = QHBoxLayout(box)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(theme.S)
    for widget in widgets:
        row.addWidget(widget)
    return box
