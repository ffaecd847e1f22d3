"""`model.json` as values: what the network is, what it takes and gives, and which numbers are possible."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from engine.preset import Part, Preset, Share, between
from engine.types import OperatingPoint, Region

SCHEMA = 2  # 1: before presets were measured over time (`Preset.by_set`, `recordings`)
READABLE = (1, SCHEMA)  # each holds all that the one before did
CARD = "model.json"
STANDARD = "standard"  # what a model starts with
SENSITIVE = "sensitive"  # the preset that shows tentative findings
WEIGHTS = "weights.safetensors"
ONNX = "student.onnx"
INT8_XML = "student_int8.xml"  # OpenVINO IR, present only when it passed its parity check
INT8_BIN = "student_int8.bin"

STEP_PX, LARGEST_PX = 32, 2048  # the deepest map of every student is a 32nd of its input


def _side(value: int) -> int:
    if not STEP_PX <= value <= LARGEST_PX or value % STEP_PX:
        raise ValueError(f"must be a multiple of {STEP_PX} from {STEP_PX} to {LARGEST_PX}, not {value}")
    return value


Deviation = Annotated[float, AfterValidator(between(0.01, 1))]
Side = Annotated[int, AfterValidator(_side)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Shares = tuple[Share, Share, Share]
Deviations = tuple[Deviation, Deviation, Deviation]


class StudentCard(Part):
    """A name of `engine.models.STUDENTS` and that entry's arguments."""

    name: str
    args: dict[str, str | bool | int | float] = Field(default_factory=dict)


class InputCard(Part):
    """What the network takes: [1, 3, height_px, width_px], (RGB / 255 - mean) / std."""

    width_px: Side
    height_px: Side
    colour: Literal["RGB"]
    mean: Shares
    std: Deviations
    resize: Literal["squash-area"]  # the whole region, aspect not kept, area filter


class OutputCard(Part):
    """probability = sigmoid(logits / temperature)."""

    kind: Literal["logits"]
    temperature: Annotated[float, AfterValidator(between(0.05, 50))] = 1.0


class FileCard(Part):
    sha256: Sha256
    bytes: Annotated[int, Field(ge=0)]


class EncoderCard(Part):
    """The pretrained encoder that the training started from, and the input that it was made with.

    `name` is timm's; `source` a hub name or a file name; `padding` "same" is TensorFlow's, more on the right
    and below at stride 2. What the student takes is `input`, which a training may have chosen otherwise.
    """

    name: str
    source: str
    sha256: Sha256
    mean: Shares
    std: Deviations
    padding: Literal["same", "symmetric"]


class SplitCard(Part):
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


class ImportCard(Part):
    """Weights that others trained: their file, and the tensors of it that the student has no place for.

    What they were trained on is not known here. `judged_on`: by which images temperature and presets were
    chosen and the figures made, as seen as they may be; None: by none.
    """

    file: str
    sha256: Sha256
    left_over: tuple[str, ...] = ()
    judged_on: SplitCard | None = None


class TrainingCard(Part):
    """Where the weights come from, in words a person can check; no `encoder`: from random weights.

    `changes` to the recipe of that name, as `--set` says them. `held_out` None: a card from before it
    existed, the recipe's name is all that tells. `imported`: nobody here trained them, nothing is held out.
    """

    recipe: str
    changes: tuple[str, ...] = ()
    seed: int
    data: str
    split: str
    held_out: SplitCard | None = None
    teachers: tuple[str, ...] = ()
    encoder: EncoderCard | None = None
    imported: ImportCard | None = None
    run_id: str


class Metric(Part):
    """One figure on the validation split; `low` and `high` bound 95 %; `set` "pooled": all sets together."""

    set: str
    protocol: str
    name: str
    value: float
    low: float
    high: float
    n: int


class Parity(Part):
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


class CheckCard(Part):
    """What the model says of one frame of the demonstration: its mask at `standard`'s threshold.

    `size` [height, width] and `counts` are COCO's compressed run lengths, at the network's size.
    """

    frame: Annotated[int, Field(ge=0)]
    size: tuple[Side, Side]
    counts: Annotated[str, Field(max_length=100_000, pattern="^[0-o]+$")]


class RecordingCard(Part):
    """A recording left out of the training that presets were measured on; stills in order count as 5 Hz."""

    name: str
    frames: Annotated[int, Field(ge=1)]
    seconds: Annotated[float, Field(ge=0)]
    polyp_free: bool = False


class ModelCard(Part):
    """`model.json`.

    `region` is what of a frame the network was made for and judged on: all of it or the endoscope's picture.
    `recordings`: what the presets' figures over time are of; none where nothing was measured over time.
    `numbers_sha256` is `numbers_hash` of the rest: a number that was changed by hand or by a fault of the
    disk is met as a changed file is. `check` and it are missing in folders from before they existed.
    """

    schema_: Annotated[int, Field(alias="schema")]
    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
    default: bool = False
    student: StudentCard
    input: InputCard
    region: Region = "frame"
    output: OutputCard
    files: dict[str, FileCard]
    presets: dict[str, Preset]
    recordings: tuple[RecordingCard, ...] = ()
    training: TrainingCard
    metrics: tuple[Metric, ...] = ()
    parity: tuple[Parity, ...] = ()
    licence: str
    use: Literal["research use only"]
    check: CheckCard | None = None
    numbers_sha256: Sha256 | None = None

    @property
    def points(self) -> dict[str, OperatingPoint]:
        """The presets' operating points by their names, which they carry."""
        return {
            name: replace(preset.point, preset=name, shows_tentative=name == SENSITIVE)
            for name, preset in self.presets.items()
        }

    @model_validator(mode="after")
    def _is_complete(self) -> ModelCard:
        absent = {WEIGHTS, ONNX} - set(self.files)
        if absent:
            raise ValueError(f"files lacks {', '.join(sorted(absent))}")
        if (INT8_XML in self.files) != (INT8_BIN in self.files):
            raise ValueError(f"files has only one of {INT8_XML} and {INT8_BIN}")
        if any("/" in name or "\\" in name or name in ("", ".", "..") for name in self.files):
            raise ValueError("files names something outside the folder")
        if STANDARD not in self.presets:
            raise ValueError("presets lacks standard")
        if self.check and self.check.size != (self.input.height_px, self.input.width_px):
            raise ValueError("check.size is not the input's")
        return self


def numbers_hash(card: ModelCard) -> str:
    """sha256 of whatever in the card decides about a mask, as canonical JSON."""
    decides = {"student", "input", "output", "files", "presets", "check"}
    if card.region != "frame":  # cards from before it was known say nothing of it
        decides.add("region")
    numbers = card.model_dump(mode="json", include=decides)
    for preset in numbers["presets"].values():
        for key, unknown in (("hit_peak", None), ("by_set", {}), ("worst_set", None)):
            if preset[key] == unknown:  # nor of these
                del preset[key]
    return hashlib.sha256(json.dumps(numbers, sort_keys=True).encode()).hexdigest()


def with_hash(card: ModelCard) -> ModelCard:
    """The same card with its `numbers_sha256`."""
    return card.model_copy(update={"numbers_sha256": numbers_hash(card)})
