"""A short sound at an alarm, played by what the machine has in a process of its own: nothing waits."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Mapping
from importlib import resources
from typing import Any

from PySide6.QtCore import QObject, QProcess, Signal

from app.player.alarm_button import AlarmButton, Heard
from engine.faults import Fault, FaultCode
from engine.types import Snapshot

WAVE = resources.files("assets").joinpath("sounds", "alarm.wav")
_ON_WINDOWS = "import sys, winsound; winsound.PlaySound(sys.argv[1], winsound.SND_FILENAME)"
# TABLE of what plays a wave: by platform, the first that is installed.
PLAYERS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "win32": (
        (
            sys.executable,
            "-c",
            "import sys, winsound; winsound.PlaySound(sys.argv[1], winsound.SND_FILENAME)",
        ),
    ),
    "darwin": (("afplay",),),
    "linux": (("pw-play",), ("paplay",), ("aplay", "-q")),
}
END_MS = 500
KEY = "alarm.sound"


def player_for(platform: str, which: Callable[[str], Any] = shutil.which) -> tuple[str, ...] | None:
    """The command that plays a wave when the file's path is put behind it; None: there is none."""
    return next((command for command in PLAYERS.get(platform, ()) if which(command[0])), None)


class AlarmSound(QObject):
    """Handler of an action. Off by default; `chosen` carries what is kept, `failed` one fault a session."""

    chosen = Signal(object)
    failed = Signal(object)  # Fault

    def __init__(self, on: bool, button: AlarmButton, parent: QObject) -> None:
        super().__init__(parent)
        self.player = player_for(sys.platform)
        self._on = on
        self._button = button
        self._alarms: int | None = None
        self._told = False
        self._process = QProcess(self)
        self._process.errorOccurred.connect(lambda error: self._cannot(self._process.errorString()))
        self._process.finished.connect(self._ended)
        self._show()

    @property
    def sounding(self) -> bool:
        return self._process.state() is not QProcess.ProcessState.NotRunning

    def toggle(self) -> str:
        self.set_on(not self._on)
        self.chosen.emit({KEY: self._on})
        return "Alarm sound on" if self._on else "Alarm sound off"

    def set_on(self, on: bool) -> None:
        """Whether an alarm is heard from now on."""
        self._on = on
        self._show()
        if on:
            self._play()  # so that it is known by ear, and that it can be heard at all

    def take(self, snapshot: Snapshot) -> None:
        """Sound when there was an alarm since the snapshot before."""
        before, self._alarms = self._alarms, snapshot.alarms
        if self._on and before is not None and snapshot.alarms > before:
            self._play()

    def close(self) -> None:
        """Nothing sounds behind the window. Idempotent."""
        self._on = False
        self._process.blockSignals(True)
        if self.sounding:
            self._process.kill()
            self._process.waitForFinished(END_MS)

    def _play(self) -> None:
        if self.player is None:
            self._cannot("no player of sounds")
        elif not self.sounding:
            program, *arguments = self.player
            self._process.setStandardOutputFile(QProcess.nullDevice())
            self._process.start(program, [*arguments, str(WAVE)])

    def _ended(self, code: int) -> None:
        if code:
            error = bytes(self._process.readAllStandardError().data()).decode(errors="replace")
            self._cannot(error.strip() or f"exit code {code}")

    def _cannot(self, why: str) -> None:
        self._button.show_heard(Heard.MUTE)
        if self._told:
            return
        self._told = True
        names = " or ".join(command[0] for command in PLAYERS.get(sys.platform, ())) or "a player"
        self.failed.emit(
            Fault(
                FaultCode.OUTPUT,
                "alarm",
                expected=f"a sound by {names}",
                got=why,
                remedy="install one of them, or watch the marks",
                at_s=time.monotonic(),
                fatal=False,
                said="The alarm cannot be heard: nothing here can play a sound. Alarms are still drawn. "
                f"Check the sound output and that there is {names}.",
            )
        )

    def _show(self) -> None:
        heard = Heard.OFF
        if self._on:
            heard = Heard.ON if self.player is not None and not self._told else Heard.MUTE
        self._button.show_heard(heard)
