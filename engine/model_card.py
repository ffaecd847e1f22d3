"""`model.json` as values: what the network is, what it takes and gives, and which numbers are possible."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from engine.types import OperatingPoint, Region

SCHEMA = 1
CARD = "model.json"
STANDARD = "standard"  # what a model starts with
SENSITIVE = "sensitive"  # the preset that shows tentative findings
WEIGHTS = "weights.safetensors"
ONNX = "student.onnx"
INT8_XML = "student_int8.xml"  # OpenVINO IR, present only when it passed its parity check
INT8_BIN = "student_int8.bin"

STEP_PX, LARGEST_PX = 32, 2048  # the deepest map of every student is a 32nd of its input
LONGEST_MS = 60_000.0


def _between(low: float, high: float) -> Callable[[float], float]:
    """A number outside silently finds nothing, or everything."""

    def check(value: float) -> float:
        if not low <= value <= high:  # NaN, too
            raise ValueError(f"must be from {low:g} to {high:g}, not {value:g}")
        return value

    return check


def _side(value: int) -> int:
    if not STEP_PX <= value <= LARGEST_PX or value % STEP_PX:
        raise ValueError(f"must be a multiple of {STEP_PX} from {STEP_PX} to {LARGEST_PX}, not {value}")
    return value


Share = Annotated[float, AfterValidator(_between(0, 1))]
Deviation = Annotated[float, AfterValidator(_between(0.01, 1))]
Side = Annotated[int, AfterValidator(_side)]
Milliseconds = Annotated[float, AfterValidator(_between(0, LONGEST_MS))]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Shares = tuple[Share, Share, Share]
Deviations = tuple[Deviation, Deviation, Deviation]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class StudentCard(_Part):
    """A name of `engine.models.STUDENTS` and that entry's arguments."""

    name: str
    args: dict[str, str | bool | int | float] = {}


class InputCard(_Part):
    """What the network takes: [1, 3, height_px, width_px], (RGB / 255 - mean) / std."""

    width_px: Side
    height_px: Side
    colour: Literal["RGB"]
    mean: Shares
    std: Deviations
    resize: Literal["squash-area"]  # the whole region, aspect not kept, area filter


class OutputCard(_Part):
    """probability = sigmoid(logits / temperature)."""

    kind: Literal["logits"]
    temperature: Annotated[float, AfterValidator(_between(0.05, 50))] = 1.0


class FileCard(_Part):
    sha256: Sha256
    bytes: Annotated[int, Field(ge=0)]


class Preset(_Part):
    """An operating point.

    In a still a finding is what lies over `threshold`, is no smaller than `min_area_frac` of the frame and
    reaches `min_peak` somewhere. `hit_peak`: findings of a video are followed over time; what reaches it is a
    hit, `keep` (lower than the threshold) continues a finding, and one is confirmed after `hit_ms` of hits
    inside `window_ms`. None: each frame is judged as a still, as by cards from before it was measured.
    `measured`: what it costs and brings on the validation split.
    """

    threshold: Annotated[float, AfterValidator(_between(0.01, 0.99))]
    keep: Share
    min_area_frac: Annotated[float, AfterValidator(_between(0, 0.25))]
    min_peak: Annotated[float, AfterValidator(_between(0, 0.99))] = 0.0
    hit_peak: Annotated[float, AfterValidator(_between(0, 0.99))] | None = None
    hit_ms: Milliseconds
    window_ms: Annotated[float, AfterValidator(_between(1, LONGEST_MS))]
    measured: dict[str, float] = {}

    @model_validator(mode="after")
    def _agrees(self) -> Preset:
        if self.keep > self.threshold:
            raise ValueError(f"keep {self.keep:g} must be no higher than threshold {self.threshold:g}")
        if self.hit_ms > self.window_ms:
            raise ValueError(f"hit_ms {self.hit_ms:g} must be no longer than window_ms {self.window_ms:g}")
        return self

    @property
    def point(self) -> OperatingPoint:
        """What the window starts with."""
        return self.over_time if self.hit_peak is not None else self.still

    @property
    def still(self) -> OperatingPoint:
        """Of a picture by itself."""
        return OperatingPoint(self.threshold, self.min_area_frac, self.min_peak)

    @property
    def over_time(self) -> OperatingPoint:
        """Of a video whose findings are followed."""
        return replace(
            self.still,
            keep=self.keep,
            hit_peak=self.min_peak if self.hit_peak is None else self.hit_peak,
            hit_s=self.hit_ms / 1000.0,
            window_s=self.window_ms / 1000.0,
        )


class EncoderCard(_Part):
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


class ImportCard(_Part):
    """Weights that others trained: their file, and the tensors of it that the student has no place for.

    What they were trained on is not known here. `judged_on`: by which images temperature and presets were
    chosen and the figures made, as seen as they may be; None: by none.
    """

    file: str
    sha256: Sha256
    left_over: tuple[str, ...] = ()
    judged_on: SplitCard | None = None


class TrainingCard(_Part):
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


class CheckCard(_Part):
    """What the model says of one frame of the demonstration: its mask at `standard`'s threshold.

    `size` [height, width] and `counts` are COCO's compressed run lengths, at the network's size.
    """

    frame: Annotated[int, Field(ge=0)]
    size: tuple[Side, Side]
    counts: Annotated[str, Field(max_length=100_000, pattern="^[0-o]+$")]


class ModelCard(_Part):
    """`model.json`.

    `region` is what of a frame the network was made for and judged on: all of it or the endoscope's picture.
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
        if preset["hit_peak"] is None:  # nor of this
            del preset["hit_peak"]
    return hashlib.sha256(json.dumps(numbers, sort_keys=True).encode()).hexdigest()


def with_hash(card: ModelCard) -> ModelCard:
    """The same card with its `numbers_sha256`."""
    return card.model_copy(update={"numbers_sha256": numbers_hash(card)})
