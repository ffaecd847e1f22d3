"""What a person chose and finds again: one `settings.toml`, one frozen tree, one place for every value."""

from engine.settings.looks import CHOICES, parse
from engine.settings.stored import Found, keep, read_settings, settings_path
from engine.settings.types import (
    DEFAULTS,
    KEYS,
    NOTHING,
    ROWS,
    Kind,
    Review,
    SettingRow,
    Settings,
    changed,
    names_of,
    value_of,
)

__all__ = [
    "CHOICES",
    "DEFAULTS",
    "KEYS",
    "NOTHING",
    "ROWS",
    "Found",
    "Kind",
    "Review",
    "SettingRow",
    "Settings",
    "changed",
    "keep",
    "names_of",
    "parse",
    "read_settings",
    "settings_path",
    "value_of",
]
