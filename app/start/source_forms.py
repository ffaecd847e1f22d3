"""The two sources that need a few words more: a capture device and a network stream."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.widgets import theme
from app.widgets.controls import Choice, label, set_tone
from app.widgets.icons import icon
from engine.faults import FaultError
from engine.sources import parse_source
from engine.sources.base import SourceOptions, SourceSpec
from engine.sources.live.devices import PIXEL_FORMATS, DeviceInfo
from engine.types import Size

CAPTURE_FORMATS = ("auto", *PIXEL_FORMATS)
SIZES = (Size(3840, 2160), Size(1920, 1080), Size(1280, 720), Size(720, 576), Size(640, 480))
STREAM_EXAMPLES = "rtsp://host:554/path, udp://@:5000, srt://host:9000 or https://host/stream.m3u8"
RATES_HZ = (60.0, 50.0, 30.0, 25.0)


class DeviceForm(QWidget):
    """Device, pixel format, size and rate. `asked` carries SourceSpec and SourceOptions."""

    asked = Signal(object, object)
    refresh_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.devices = Choice("Capture device")
        self.pixel_format = Choice("Pixel format")
        self.pixel_format.fill([("Automatic" if f == "auto" else f, f) for f in CAPTURE_FORMATS])
        self.picture_size = Choice("Picture size")
        sizes: list[tuple[str, object]] = [(f"{s.width_px}×{s.height_px}", s) for s in SIZES]
        self.picture_size.fill([("Device's own", None), *sizes])
        self.rate = Choice("Rate")
        rates: list[tuple[str, object]] = [(f"{rate:g} Hz", rate) for rate in RATES_HZ]
        self.rate.fill([("Device's own", None), *rates])
        for box in (self.pixel_format, self.picture_size, self.rate):
            box.fit_rows()
        self.open_button = QPushButton("Open device")
        self.open_button.setProperty("primary", True)
        self.open_button.setAutoDefault(True)
        self.open_button.clicked.connect(self._ask)
        self._refresh = QPushButton(icon("refresh-cw"), "Refresh")
        self._refresh.setToolTip("Look for devices again")
        self._refresh.setAutoDefault(True)
        self._refresh.clicked.connect(self.refresh_asked)
        self._state = label(tone="secondary")
        self._state.setWordWrap(True)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(theme.S)
        grid.setVerticalSpacing(theme.XS)
        columns = (
            ("Device", self.devices),
            ("", self._refresh),
            ("Pixel format", self.pixel_format),
            ("Picture size", self.picture_size),
            ("Rate", self.rate),
            ("", self.open_button),
        )
        for column, (title, control) in enumerate(columns):
            grid.addWidget(label(title, role=theme.CAPTION, tone="secondary"), 0, column)
            grid.addWidget(control, 1, column)
        grid.setColumnStretch(0, 3)
        for column in (2, 3, 4):
            grid.setColumnStretch(column, 1)
        grid.addWidget(self._state, 2, 0, 1, len(columns))
        self.show_looking()

    def show_looking(self) -> None:
        """While the devices are being listed, which some drivers take seconds for."""
        self._state.setText("Looking for devices…")
        set_tone(self._state, "secondary")
        self._refresh.setEnabled(False)
        self.open_button.setEnabled(self.devices.count() > 0)

    def show_devices(self, devices: Sequence[DeviceInfo]) -> None:
        self.devices.fill([(device.title, device.address) for device in devices])
        self._refresh.setEnabled(True)
        self.open_button.setEnabled(bool(devices))
        self.devices.setEnabled(bool(devices))
        set_tone(self._state, "secondary" if devices else "attention")
        self._state.setText("" if devices else "No capture device was found. Plug one in and choose Refresh.")

    @property
    def state_text(self) -> str:
        return self._state.text()

    def _ask(self) -> None:
        address = self.devices.currentData()
        if address is None:
            return
        options = SourceOptions(
            pixel_format=self.pixel_format.currentData(),
            size=self.picture_size.currentData(),
            rate_hz=self.rate.currentData(),
        )
        self.asked.emit(SourceSpec("capture", address), options)


class StreamForm(QWidget):
    """An address. `asked` carries SourceSpec and SourceOptions; a wrong address is said under the field."""

    asked = Signal(object, object)
    changed = Signal()  # it needs another height

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._wrong = label(tone="attention")
        self._wrong.setWordWrap(True)
        self.address = QLineEdit()
        self.address.setAccessibleName("Address of the stream")
        self.address.setPlaceholderText("rtsp://host:554/path    udp://@:5000    https://host/stream.m3u8")
        self.address.returnPressed.connect(self._ask)
        self.address.textEdited.connect(lambda _: self._wrong.setText(""))  # its place stays: nothing jumps
        button = QPushButton("Open stream")
        button.setProperty("primary", True)
        button.setAutoDefault(True)
        button.clicked.connect(self._ask)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.XS)
        column.addWidget(label("Address", role=theme.CAPTION, tone="secondary"))
        row = QHBoxLayout()
        row.setSpacing(theme.S)
        row.addWidget(self.address, 1)
        row.addWidget(button)
        column.addLayout(row)
        column.addWidget(self._wrong)
        column.setAlignment(Qt.AlignmentFlag.AlignTop)

    @property
    def complaint(self) -> str:
        return self._wrong.text()

    def begin(self) -> None:
        """Ready for an address: what stands there is replaced by what is typed."""
        self.address.setFocus()
        self.address.selectAll()

    def _ask(self) -> None:
        text = self.address.text().strip()
        spec = _stream_of(text)
        if spec is None:
            what = f"“{text}” is not a stream's address." if text else "There is no address yet."
            self._wrong.setText(f"{what} Write it like {STREAM_EXAMPLES}.")
            self.changed.emit()
            self.begin()
            return
        self.asked.emit(spec, SourceOptions())


def _stream_of(text: str) -> SourceSpec | None:
    """The stream of that address; None for what is none, a file's name among it."""
    try:
        spec = parse_source(text)
    except FaultError:
        return None
    return spec if spec.kind == "stream" else None
