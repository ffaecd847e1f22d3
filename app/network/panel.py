"""The side panel: which network, how it executes, where the threshold lies, how findings are drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from app.network.catalogue import Machine, ModelChoice
from app.network.fault_list import FaultList
from app.network.stage_table import StageTable
from app.widgets import theme, words
from app.widgets.controls import Choice, Fold, JumpSlider, Segments, label, line
from engine.faults import Fault
from engine.types import Chosen, OperatingPoint, RuntimeInfo, Snapshot

STEPS = 100  # of the threshold slider
STYLE_NAMES = {"contour": "Contour", "fill": "Fill", "box": "Box", "corners": "Corners"}
PRECISION_NAMES = {
    "auto": "Automatic",
    "f32": "f32, exact",
    "bf16": "bf16",
    "f16": "f16",
    "int8": "int8, fastest",
}


class ControlPanel(QWidget):
    """Signals tell what a person chose; `show_snapshot` shows what is in force."""

    model_chosen = Signal(object, str, str)  # folder, runtime, precision
    folder_asked = Signal()
    point_chosen = Signal(object)  # OperatingPoint
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
        self._point = OperatingPoint(0.5, 0.0)

        self.model = Choice("Model")
        self.runtime = Choice("Runtime")
        self.precision = Choice("Precision")
        self.precision.fill([(text, value) for value, text in PRECISION_NAMES.items()])
        self.preset = Choice("Preset")
        self.threshold = JumpSlider("Threshold")
        self.threshold.setRange(1, STEPS - 1)
        self.threshold.setPageStep(STEPS // 20)
        self._threshold_text = label(role=theme.STRONG)
        self._meaning = label(role=theme.CAPTION, tone="secondary")
        self._meaning.setWordWrap(True)
        self.advanced_fold = Fold("Advanced", self._threshold_content())
        self._executing = label(role=theme.CAPTION, tone="secondary")
        self._executing.setWordWrap(True)
        self.overlay = Segments("Overlay")
        for style, text in STYLE_NAMES.items():
            self.overlay.add(style, text, actions[style])
        self._raw = QPushButton(actions["raw"].icon(), " Without marks (hold)")
        self._raw.setToolTip(actions["raw"].toolTip())
        self._raw.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._raw.pressed.connect(lambda: self.raw_held.emit(True))
        self._raw.released.connect(lambda: self.raw_held.emit(False))
        self._stages = StageTable()
        self.latency_fold = Fold("Latency", self._latency_content())
        self._fault_list = FaultList()
        self.faults_fold = Fold("Faults (0)", self._fault_list)
        self._lay_out()

        self.model.chosen.connect(self._choose_model)
        self.runtime.chosen.connect(self._choose_runtime)
        self.precision.chosen.connect(self._choose_precision)
        self.preset.chosen.connect(self._choose_preset)
        self._fault_list.dismissed.connect(self.dismissed)
        self.threshold.scrubbed.connect(self._move_threshold)

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
        self.preset.fill([(name.capitalize(), name) for name in self._presets()])
        self.preset.annotate({name: words.preset_note(found) for name, found in self._measured().items()})
        self._show_point(self._point)
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
    def executing(self) -> str:
        """What computes the masks, and what is being made ready beside it."""
        return self._executing.text()

    @property
    def meaning(self) -> str:
        """What was measured of the preset."""
        return self._meaning.text()

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
        if snapshot.operating_point != self._point:
            self._show_point(snapshot.operating_point)
        if self.latency_fold.is_open:
            self._stages.show_snapshot(snapshot)
        self._fault_list.show_incidents(snapshot.incidents)

    def preset_point(self, name: str) -> OperatingPoint | None:
        """The operating point of that name, of the model that is chosen."""
        return self._presets().get(name)

    def nudge_threshold(self, steps: int) -> None:
        """Move the threshold by hundredths."""
        value = min(max(self.threshold.value() + steps, self.threshold.minimum()), self.threshold.maximum())
        self.threshold.setValue(value)
        self._move_threshold(value)

    # Inside

    def _presets(self) -> Mapping[str, OperatingPoint]:
        return next((choice.presets for choice in self._models if choice.path == self._chosen), {})

    def _measured(self) -> Mapping[str, Mapping[str, float]]:
        return next((choice.measured for choice in self._models if choice.path == self._chosen), {})

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
        has_int8 = any(choice.has_int8 for choice in self._models if choice.path == self._chosen)
        capabilities = self._machine.devices.get(name.partition(":")[2] or "CPU", ())
        reasons: dict[object, str] = {
            precision: precision_missing(name, precision, capabilities, has_int8=has_int8)
            for precision in PRECISION_NAMES
        }
        self.precision.refuse(reasons)

    def _choose_preset(self, name: str) -> None:
        point = self._presets().get(name)
        if point is not None:
            self._show_point(point)
            self.point_chosen.emit(point)

    def _move_threshold(self, value: int) -> None:
        point = self._point.moved(value / STEPS)
        self._show_point(point)
        self.point_chosen.emit(point)

    def _show_point(self, point: OperatingPoint) -> None:
        self._point = point
        self._threshold_text.setText(f"{point.threshold:.2f}")
        if not self.threshold.isSliderDown():
            self.threshold.setValue(round(point.threshold * STEPS))
        presets = self._presets()
        own = presets.get(point.preset)
        moved = own is not None and own.threshold != point.threshold
        self.preset.select(point.preset)
        self._meaning.setText(
            words.preset_detail(
                self._measured().get(point.preset, {}), own.threshold if own is not None and moved else None
            )
            if presets
            else ""
        )
        self.advanced_fold.set_title("Advanced: threshold moved" if moved else "Advanced")

    def _threshold_content(self) -> QWidget:
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.XS)
        heading = QHBoxLayout()
        heading.addWidget(label("Threshold", role=theme.CAPTION, tone="secondary"))
        heading.addStretch(1)
        heading.addWidget(self._threshold_text)
        column.addLayout(heading)
        column.addWidget(self.threshold)
        hint = label("How far outlines reach. What is shown at all is the preset's.", role=theme.CAPTION)
        hint.setProperty("tone", "secondary")
        hint.setWordWrap(True)
        column.addWidget(hint)
        return content

    def _latency_content(self) -> QWidget:
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.S)
        column.addWidget(self._stages)
        button = QPushButton("Open latency window")
        button.setToolTip("Latency (Ctrl+L)")
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
        column.addWidget(label("Preset", role=theme.CAPTION, tone="secondary"))
        column.addWidget(self.preset)
        column.addWidget(self._meaning)
        column.addWidget(self.advanced_fold)
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
