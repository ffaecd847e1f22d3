"""What the command line asked for, as a value."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from engine.sources.base import SourceOptions, SourceSpec


@dataclass(frozen=True, slots=True)
class Launch:
    """`source` None: the start page. `model` is a name or a folder, None the default."""

    source: SourceSpec | None = None
    options: SourceOptions = field(default_factory=SourceOptions)
    model: str | None = None
    runtime: str = "auto"
    precision: str = "auto"
    threshold: float | None = None
    overlay: str = "contour"
    full_screen: bool = False
    quit_after_s: float | None = None
    screenshot: Path | None = None
    stats: Path | None = None
