"""Model folders: `model.json` says what the network is, safetensors and ONNX hold it; never pickle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.resources import files as package_files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from engine.faults import FaultCode, FaultError
from engine.files import sha256_of, user_data
from engine.json_reader import read_json
from engine.types import OperatingPoint

SCHEMA = 1
MOST_BYTES = 4 * 1024**2  # of `model.json`
CARD = "model.json"
WEIGHTS = "weights.safetensors"
ONNX = "student.onnx"
INT8_XML = "student_int8.xml"  # OpenVINO IR, present only when it passed its parity check
INT8_BIN = "student_int8.bin"

Share = Annotated[float, Field(ge=0, le=1)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Triple = tuple[float, float, float]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StudentCard(_Part):
    """A name of `engine.models.STUDENTS` and that entry's arguments."""

    name: str
    args: dict[str, str | bool | int | float] = {}


class InputCard(_Part):
    """What the network takes: [1, 3, height_px, width_px], (RGB / 255 - mean) / std."""

    width_px: Annotated[int, Field(gt=0)]
    height_px: Annotated[int, Field(gt=0)]
    colour: Literal["RGB"]
    mean: Triple
    std: Triple
    resize: Literal["squash-area"]  # the whole region, aspect not kept, area filter


class OutputCard(_Part):
    """probability = sigmoid(logits / temperature)."""

    kind: Literal["logits"]
    temperature: Annotated[float, Field(gt=0)] = 1.0


class FileCard(_Part):
    sha256: Sha256
    bytes: Annotated[int, Field(ge=0)]


class Preset(_Part):
    """An operating point.

    A finding is what lies over `threshold`, is no smaller than `min_area_frac` of the frame and reaches
    `min_peak` somewhere; `keep` (lower than the threshold) continues one over time. It is confirmed after
    `hit_ms` of hits inside `window_ms`. `measured`: what it costs and brings on the validation split.
    """

    threshold: Share
    keep: Share
    min_area_frac: Share
    min_peak: Share = 0.0
    hit_ms: Annotated[float, Field(ge=0)]
    window_ms: Annotated[float, Field(gt=0)]
    measured: dict[str, float] = {}

    @property
    def point(self) -> OperatingPoint:
        """What the window starts with."""
        return OperatingPoint(self.threshold, self.min_area_frac, self.min_peak)


class EncoderCard(_Part):
    """The pretrained encoder that the training started from, and the input that it was made with.

    `name` is timm's; `source` a hub name or a file name; `padding` "same" is TensorFlow's, more on the right
    and below at stride 2. What the student takes is `input`, which a training may have chosen otherwise.
    """

    name: str
    source: str
    sha256: Sha256
    mean: Triple
    std: Triple
    padding: Literal["same", "symmetric"]


class SplitCard(_Part):
    """Which images were kept from the training, by the values that decide it; `split` as a recipe has it.

    The two counts are what came out: a split that is made again must come out the same.
    """

    split: str
    folds: int
    fold: int
    split_seed: int
    validation_groups: tuple[str, ...]
    left_out_folds: tuple[int, ...] = ()
    train_sets: tuple[str, ...] = ()
    training_images: int
    validation_images: int


class TrainingCard(_Part):
    """Where the weights come from, in words a person can check; no `encoder`: from random weights.

    `changes` to the recipe of that name, as `--set` says them. `held_out` None: a card from before it
    existed, the recipe's name is all that tells.
    """

    recipe: str
    changes: tuple[str, ...] = ()
    seed: int
    data: str
    split: str
    held_out: SplitCard | None = None
    teachers: tuple[str, ...] = ()
    encoder: EncoderCard | None = None
    run_id: str


class Metric(_Part):
    """One figure on the validation split; `low` and `high` bound 95 %; `set` "pooled": all sets together."""

    set: str
    protocol: str
    name: str
    value: float
    low: float
    high: float
    n: int


class Parity(_Part):
    """How far an exported file is from the trained weights, on validation images.

    `max_dp`: largest difference of a probability; `mask_dice`: mean Dice between the two masks at 0.5;
    `dice_drop`: how much lower the pooled Dice against the labels is.
    """

    file: str
    runtime: str
    images: int
    max_dp: float
    mask_dice: float
    dice_drop: float


class ModelCard(_Part):
    """`model.json`."""

    schema_: Annotated[int, Field(alias="schema")]
    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
    default: bool = False
    student: StudentCard
    input: InputCard
    output: OutputCard
    files: dict[str, FileCard]
    presets: dict[str, Preset]
    training: TrainingCard
    metrics: tuple[Metric, ...] = ()
    parity: tuple[Parity, ...] = ()
    licence: str
    use: Literal["research use only"]

    @property
    def points(self) -> dict[str, OperatingPoint]:
        """The presets' operating points by their names, which they carry."""
        return {name: replace(preset.point, preset=name) for name, preset in self.presets.items()}

    @model_validator(mode="after")
    def _is_complete(self) -> ModelCard:
        absent = {WEIGHTS, ONNX} - set(self.files)
        if absent:
            raise ValueError(f"files lacks {', '.join(sorted(absent))}")
        if (INT8_XML in self.files) != (INT8_BIN in self.files):
            raise ValueError(f"files has only one of {INT8_XML} and {INT8_BIN}")
        if any("/" in name or "\\" in name or name in ("", ".", "..") for name in self.files):
            raise ValueError("files names something outside the folder")
        if "standard" not in self.presets:
            raise ValueError("presets lacks standard")
        return self


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A checked model folder."""

    path: Path
    card: ModelCard

    @property
    def id(self) -> str:
        return self.card.id

    @property
    def weights(self) -> Path:
        return self.path / WEIGHTS

    @property
    def onnx(self) -> Path:
        return self.path / ONNX

    @property
    def int8(self) -> Path | None:
        """OpenVINO IR of the int8 network; None when the model has none that passed."""
        return self.path / INT8_XML if INT8_XML in self.card.files else None


def load_model_folder(path: Path) -> ModelFolder:
    """Read `model.json` and check every file it names.

    Raises FaultError MODEL_MISSING (no folder, no file), MODEL_SCHEMA (newer or unreadable `model.json`,
    unknown key) or MODEL_HASH (a file is not the one that was exported).
    """
    card = read_card(path)
    for name, listed in card.files.items():
        _check_file(path / name, listed, card.id)
    return ModelFolder(path, card)


def read_card(path: Path) -> ModelCard:
    """`model.json` of a folder, the other files unseen. Raises FaultError as `load_model_folder`."""
    card_path = path / CARD
    if not card_path.is_file():
        raise FaultError(
            FaultCode.MODEL_MISSING,
            expected=f"a model folder with {CARD}",
            got=f"none at {path}",
            remedy="choose a model folder, or a bundled model by its id",
            said=f"{path} is no model folder: it has no {CARD}. Choose one, or a bundled model by its name.",
        )
    try:
        values = read_json(card_path, MOST_BYTES)
    except (OSError, ValueError) as error:
        raise _unreadable(path, f"{CARD} is not JSON ({error})") from error
    try:
        return ModelCard.model_validate(_upgraded(values, path))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or CARD
        raise _unreadable(path, f"{where}: {first['msg']}") from error


def bundled_models() -> tuple[Path, ...]:
    """The folders that come with the program, by name."""
    return _folders_in(Path(str(package_files("assets").joinpath("models"))))


def user_models() -> tuple[Path, ...]:
    """The folders that the user added, by name."""
    return _folders_in(user_data() / "models")


def default_model() -> Path:
    """The bundled folder with `"default": true`. Raises FaultError MODEL_MISSING unless it is exactly one."""
    chosen = [path for path in bundled_models() if read_card(path).default]
    if len(chosen) == 1:
        return chosen[0]
    raise FaultError(
        FaultCode.MODEL_MISSING,
        expected='exactly one bundled model with "default": true',
        got=", ".join(path.name for path in chosen) or "none",
        remedy="install the program again, or name a model folder",
    )


def find_model(name_or_path: str | Path) -> Path:
    """A model folder by path, or a bundled or user's one by its name. Raises FaultError MODEL_MISSING."""
    path = Path(name_or_path)
    if (path / CARD).is_file():
        return path
    known = {found.name: found for found in (*user_models(), *bundled_models())}
    if str(name_or_path) in known:
        return known[str(name_or_path)]
    raise FaultError(
        FaultCode.MODEL_MISSING,
        expected=f"a model folder, or one of: {', '.join(sorted(known)) or 'none installed'}",
        got=str(name_or_path),
        remedy="correct the name",
        said=f"There is no model {name_or_path}. Give a model folder, or one of: "
        f"{', '.join(sorted(known)) or 'none is installed'}.",
    )


def _folders_in(parent: Path) -> tuple[Path, ...]:
    # A hidden folder is an export that is not finished.
    return tuple(sorted(card.parent for card in parent.glob(f"[!.]*/{CARD}")))


def _upgraded(values: Any, path: Path) -> Mapping[str, Any]:
    """Values of this program's schema; there is one so far, an older one gets its upgrade function here."""
    if not isinstance(values, dict) or not isinstance(values.get("schema"), int):
        raise _unreadable(path, f"{CARD} without a whole number as schema")
    if values["schema"] != SCHEMA:
        raise FaultError(
            FaultCode.MODEL_SCHEMA,
            expected=f"{path.name}/{CARD} of schema {SCHEMA}",
            got=f"schema {values['schema']}",
            remedy="update the program" if values["schema"] > SCHEMA else "export the model again",
            said=f"{CARD} of the model {path.name} has schema {values['schema']}; this program reads "
            f"{SCHEMA}. "
            + ("Update the program." if values["schema"] > SCHEMA else "Export the model again."),
        )
    return values


def _check_file(path: Path, listed: FileCard, model_id: str) -> None:
    if not path.is_file():
        raise FaultError(
            FaultCode.MODEL_MISSING,
            expected=f"{path.name} of {model_id}",
            got=f"no such file in {path.parent}",
            remedy="copy the model folder again, or choose another model",
            said=f"{path.name} of the model {model_id} is missing. Copy the model folder again, or "
            "choose another model.",
        )
    size_bytes = path.stat().st_size
    have = sha256_of(path)
    if have != listed.sha256 or size_bytes != listed.bytes:
        raise FaultError(
            FaultCode.MODEL_HASH,
            expected=f"{path.name} of {model_id} with sha256 {listed.sha256[:12]}",
            got=f"{have[:12]} ({size_bytes} bytes)",
            remedy="copy the model folder again, or choose another model",
            said=f"{path.name} of the model {model_id} is not the file that was exported: sha256 "
            f"{have[:12]} instead of "
            f"{listed.sha256[:12]}. Copy the model folder again, or choose another model.",
        )


def _unreadable(path: Path, got: str) -> FaultError:
    return FaultError(
        FaultCode.MODEL_SCHEMA,
        expected=f"{path.name}/{CARD} of schema {SCHEMA}",
        got=got,
        remedy="export the model again, or choose another one",
        said=f"{CARD} of the model {path.name} cannot be used: {got}. "
        "Export the model again, or choose another one.",
    )
