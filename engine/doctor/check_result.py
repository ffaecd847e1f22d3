"""What a check says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "OK"
    WARN = "WARN"  # something is missing or slower than it could be; live use goes on without it
    FAIL = "FAIL"  # live use does not work, or not as it was tested


@dataclass(frozen=True, slots=True)
class CheckResult:
    """`text` says what was found, `remedy` what to do about it: one sentence, empty only when OK."""

    name: str
    level: Level
    text: str
    remedy: str = ""

    @property
    def line(self) -> str:
        """For a terminal."""
        return f"{self.level:<4}  {self.name}: {self.text}" + (f" -> {self.remedy}" if self.remedy else "")
