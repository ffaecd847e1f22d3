"""TABLE of all settings, by section: type, limits, default, and what a page says of each.

To add one: a line here. Whatever shows, keeps or checks settings asks this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

KEYS = "keys"  # the section of keys that a person pressed, by the id of their action
NOTHING = (None, "")  # values that mean "not set" and need no look
SHOWN = "shown"
NEXT_RECORDING = "From the next recording that is opened on."
NEXT_CLICK = "From the next correction on."


def _setting(
    default: object,
    title: str,
    why: str,
    *,
    gt: float | None = None,
    lt: float | None = None,
    **shown: JsonValue,
) -> Any:
    """A field and what a page says of it. `shown`: fields of SettingRow."""
    return Field(default, title=title, description=why, gt=gt, lt=lt, json_schema_extra={SHOWN: shown})


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())
    heading: ClassVar[str] = ""


class Ai(_Section):
    heading = "Network"
    model: str = _setting("", "Model", "The network that looks for polyps.", usual="The one in use")
    runtime: str = _setting(
        "auto", "Runtime", "What executes the network. Automatic: what was measured to be fastest here."
    )
    precision: Literal["auto", "f32", "bf16", "f16", "int8"] = _setting(
        "auto",
        "Precision",
        "How exactly it computes. Automatic: the fastest that gives the same masks.",
        names={
            "auto": "Automatic",
            "f32": "f32, exact",
            "bf16": "bf16",
            "f16": "f16",
            "int8": "int8, fastest",
        },
    )
    preset: Literal["sensitive", "standard", "quiet"] = _setting(
        "standard", "Preset", "How readily a finding is shown."
    )
    threshold: float | None = _setting(
        None,
        "Threshold",
        "From which probability on an outline is drawn; finer than the preset.",
        usual="the preset's",
        gt=0,
        lt=1,
    )


class Overlay(_Section):
    heading = "Picture"
    style: Literal["contour", "fill", "box", "corners"] = _setting(
        "contour", "Overlay", "How findings are drawn."
    )


class Screen(_Section):
    heading = "Picture"
    side_panel: bool = _setting(True, "Side panel", "Shown beside the live picture.")
    names: bool = _setting(
        True, "Names of recent items", "Titles and thumbnails of what was opened; off where others look on."
    )


class Alarm(_Section):
    heading = "Picture"
    sound: bool = _setting(False, "Alarm sound", "A short sound when a finding is confirmed.")


class Video(_Section):
    heading = "Recordings"
    decode: str = _setting(
        "software",
        "Decoding",
        "Software shows the same colours everywhere; a graphics card takes the work off the processor.",
        acts=NEXT_RECORDING,
        names={"software": "Software", "auto": "Automatic"},
    )


class Review(_Section):
    heading = "Recordings"
    side_cars: Literal["beside", "library"] = _setting(
        "beside",
        "What is known of a recording",
        "Findings, corrections and notes. Where its folder cannot be written to, they go to the library.",
        acts=NEXT_RECORDING,
        names={"beside": "Beside the recording", "library": "In the library"},
    )
    library: str = _setting(
        "",
        "Library folder",
        "For all that does not lie beside its recording. What is there already is not moved.",
        acts=NEXT_RECORDING,
        usual="the usual folder",
        picks="folder",
    )
    sam_weights: str = _setting(
        "",
        "Weights for clicks",
        "A file or folder of a SAM-family model. Without it, clicks grow a region by colour.",
        acts=NEXT_CLICK,
        usual="none",
        picks="file",
    )
    exports: str = _setting(
        "",
        "Folder for exports",
        "Each export makes a folder of its own in it.",
        usual="the documents",
        picks="folder",
    )
    data_set: str = _setting(
        "",
        "Data set",
        "Verified frames are added to it, as a new version each time.",
        usual="asked for at the first time",
        picks="folder",
    )


class Settings(_Section):
    """Every setting there is, by section; `keys` are those that a person pressed, by action."""

    ai: Ai = Ai()
    overlay: Overlay = Overlay()
    screen: Screen = Screen()
    alarm: Alarm = Alarm()
    video: Video = Video()
    review: Review = Review()
    keys: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)


class Kind(Enum):
    """What a setting is entered with."""

    SWITCH = "on or off"
    CHOICE = "one of some"
    NUMBER = "a number"
    PATH = "a file or folder"


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting as a page shows it.

    `acts`: from when on a change acts, "" at once. `usual`: what stands there while nothing is set.
    `choices` is empty where they can only be known by looking (`engine.settings.looks`).
    """

    key: str
    heading: str
    title: str
    why: str
    default: object
    kind: Kind
    limits: str = ""
    unit: str = ""
    acts: str = ""
    usual: str = ""
    picks: str = ""  # "file" or "folder": there is a dialog for it
    choices: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)

    def said(self, value: object) -> str:
        """A value in words."""
        if value in NOTHING:
            return self.usual
        if isinstance(value, bool):
            return "On" if value else "Off"
        text = f"{value:g}" if isinstance(value, float) else str(value)
        known = text.capitalize() if text in self.choices else text
        return self.names.get(text, known)


def _rows() -> tuple[SettingRow, ...]:
    return tuple(
        _row(name, section.heading, key, schema)
        for name, section in Settings()
        if isinstance(section, _Section)
        for key, schema in section.model_json_schema()["properties"].items()
    )


def _row(section: str, heading: str, key: str, schema: Mapping[str, Any]) -> SettingRow:
    shown, choices = schema[SHOWN], tuple(schema.get("enum", ()))
    types = {one["type"]: one for one in schema.get("anyOf", [schema])}
    if "boolean" in types:
        kind = Kind.SWITCH
    elif "number" in types:
        kind = Kind.NUMBER
    else:
        kind = Kind.PATH if "picks" in shown else Kind.CHOICE
    ends = types.get("number", {})
    limits = [
        f"{word} {ends[name]:g}"
        for word, name in (("over", "exclusiveMinimum"), ("under", "exclusiveMaximum"))
        if name in ends
    ]
    return SettingRow(
        f"{section}.{key}",
        heading,
        schema["title"],
        schema["description"],
        schema["default"],
        kind,
        choices=choices,
        limits=" and ".join(limits),
        **shown,
    )


ROWS: Mapping[str, SettingRow] = {row.key: row for row in _rows()}
# Dotted key -> default.
DEFAULTS: Mapping[str, object] = {key: row.default for key, row in ROWS.items()}


def names_of(key: str) -> Mapping[str, str]:
    """What can be chosen of a setting, with the words for it."""
    row = ROWS[key]
    return {value: row.said(value) for value in row.choices}


def value_of(settings: Settings, key: str) -> object:
    """Of a dotted key; of a key's action None, where it has its own keys."""
    section, _, name = key.partition(".")
    return settings.keys.get(name) if section == KEYS else getattr(getattr(settings, section), name)


def changed(settings: Settings, changes: Mapping[str, object]) -> Settings:
    """The same settings with these dotted keys; None stands for the default. Raises ValidationError."""
    tree = settings.model_dump()
    for dotted, value in changes.items():
        section, _, name = dotted.partition(".")
        if value is not None:
            tree[section][name] = value
        elif section == KEYS:
            tree[KEYS].pop(name, None)
        else:
            tree[section][name] = DEFAULTS[dotted]
    return Settings.model_validate(tree)
