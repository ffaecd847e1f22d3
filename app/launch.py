"""What the command line and the settings asked for, as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engine.faults import Fault
from engine.settings import Settings
from engine.sources.base import SourceOptions, SourceSpec


@dataclass(frozen=True, slots=True)
class Launch:
    """`source` None: the start page; `review`: the files of a recording to be reviewed. `model` is a name or
    a folder, None the default.

    `settings` are those in force, as far as no field says otherwise for this run; `over`: what goes over
    their file at every start, by key.
    `keeps` is the file that gets what is changed in the window, None for none; `faults` are of the settings.
    """

    source: SourceSpec | None = None
    review: tuple[Path, ...] = ()
    options: SourceOptions = field(default_factory=SourceOptions)
    model: str | None = None
    runtime: str = "auto"
    precision: str = "auto"
    preset: str = "standard"
    threshold: float | None = None  # None: the preset's
    overlay: str = "contour"
    side_panel: bool = True
    names: bool = True
    alarm_sound: bool = False
    settings: Settings = field(default_factory=Settings)
    over: Mapping[str, str] = field(default_factory=dict)
    full_screen: bool = False
    quit_after_s: float | None = None
    screenshot: Path | None = None
    stats: Path | None = None
    keeps: Path | None = None
    faults: tuple[Fault, ...] = ()
