"""The values that travel between threads: frozen, and read-only where they hold pixels.

Ages are monotonic seconds (`_s` of `time.monotonic()`), media time is `pts_s`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from engine.faults import Fault

U8 = npt.NDArray[np.uint8]
I32 = npt.NDArray[np.int32]
F32 = npt.NDArray[np.float32]
Region = Literal["frame", "field"]  # of a frame: all of it, or the endoscope's picture (engine.view.region)


class Pacing(StrEnum):
    """Who is the clock."""

    LIVE = "live"  # the source is: every frame counts from its arrival
    REALTIME = "realtime"  # time stamps against the wall clock; late frames are skipped
    EVERY = "every"  # nobody: every frame, as fast as it goes


class SourceState(StrEnum):
    IDLE = "idle"
    OPENING = "opening"
    RUNNING = "running"
    PAUSED = "paused"
    ENDED = "ended"
    NO_SIGNAL = "no-signal"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Loop:
    """A part of a recording that is played again and again: two frames' `pts_s`, both of them shown."""

    start_s: float
    end_s: float


class AiState(StrEnum):
    OFF = "off"
    LOADING = "loading"
    ON = "on"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Size:
    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True)
class Rect:
    """Frame pixels, whole numbers; `x, y` is the upper left corner."""

    x: int
    y: int
    w: int
    h: int


class Form(StrEnum):
    """The outline of the endoscope's picture in its box (engine.view.outline)."""

    RECTANGLE = "rectangle"
    ROUNDED = "rounded"
    OCTAGON = "octagon"
    CIRCLE = "circle"  # clipped by its box, as most recorders show it


@dataclass(frozen=True, slots=True)
class Field:
    """Where the endoscope's picture is. `box`: frame pixels; `cut`: how much of the corners is missing."""

    box: Rect
    form: Form = Form.RECTANGLE
    cut: float = 0.0


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What is known of a source once it is open; None means the source does not say."""

    id: str
    title: str
    width_px: int
    height_px: int
    rate_hz: float | None
    duration_s: float | None
    frames: int | None
    seekable: bool
    live: bool
    colour: str  # matrix and range in use, such as "bt709 limited (assumed)"
    pixel_aspect: float = 1.0  # width of a pixel over its height
    interlaced: bool = False  # pictures are two fields of different times, woven
    decoder: str = ""  # which one runs, such as "h264 in software", "h264 on cuda"; empty for stills


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture and nothing that changes.

    `number` only grows, also across seeks: gaps are the drops. `index` is the rank of the frame in its
    file. `image` is uint8 [H, W, 4] BGRA, C order, read-only; None where nobody shows it (`analyse`).
    `network_image` is uint8 [h, w, 3] RGB at the network's size, read-only, made from the decoder's own
    planes (an INTER_AREA resize of the BGRA picture costs seven times as much: runtime table in
    `engine.bench`). `due_s` is when the frame should be seen: its arrival when live, its time stamp
    against the wall clock otherwise.
    """

    number: int
    index: int
    pts_s: float
    captured_s: float
    due_s: float
    width_px: int
    height_px: int
    image: U8 | None
    network_image: U8 | None
    name: str | None = None  # the file's name, for a folder of stills
    seek_serial: int = 0  # how many seeks came before: a mask of another serial is not of this picture
    damaged: bool = False  # parts are missing, or of what it refers to: it gets no marks
    field: Field | None = None

    @property
    def size(self) -> Size:
        return Size(self.width_px, self.height_px)


@dataclass(frozen=True, slots=True)
class Mask:
    """A probability map of one frame. `probability` is uint8 [h, w], 255 = 1; `roi` is what it covers."""

    number: int
    probability: U8
    roi: Rect


class TrackState(StrEnum):
    """How sure a finding is by the time for which it has been seen (engine.tracking.tracks)."""

    CANDIDATE = "candidate"  # seen once: nothing is shown
    TENTATIVE = "tentative"  # seen twice
    CONFIRMED = "confirmed"
    HELD = "held"  # confirmed, and missing for a moment: still drawn, fainter
    HIDDEN = "hidden"  # missing for longer: not drawn, and confirmed again by a single hit
    RELEASED = "released"  # missing for so long that it has to be confirmed anew


@dataclass(frozen=True, slots=True)
class Component:
    """One blob of a thresholded mask, in frame pixels.

    `peak` and `mean` are probabilities 0..1 inside the blob; `contours` are int32 [n, 2] outlines (x, y),
    outer ones and holes. `track` and `state`: of the finding over time that it belongs to, in video; a held
    one is that of an earlier frame, moved with the picture.
    """

    box: Rect
    area_px: int
    peak: float
    mean: float
    contours: tuple[I32, ...]
    track: int | None = None
    state: TrackState | None = None


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """What turns probabilities into components: acts on the stored map, never on the inference.

    `threshold` is a probability 0..1; components below `min_area_frac` of the frame's area are left out, and
    those whose highest probability is below `min_peak`: how far a mask reaches is one question, whether it is
    shown another. In video `hit_peak` takes the place of `min_peak`: what is seen again and again may be
    fainter than what is judged by one still; `keep`, below the threshold, continues a finding, and `hit_s` of
    hits within `window_s` confirm it (0: every frame is judged by itself); `shows_tentative`: what has been
    seen but twice is drawn, too, as such. `preset` names the model's preset that the numbers come from, with
    the threshold perhaps moved; two points with the same numbers are equal whatever they are called.
    """

    threshold: float
    min_area_frac: float
    min_peak: float = 0.0
    preset: str = field(default="", compare=False)
    keep: float = 0.0
    hit_peak: float = 0.0
    hit_s: float = 0.0
    window_s: float = 0.0
    shows_tentative: bool = False

    @property
    def follows(self) -> bool:
        """Whether findings of a video are followed over time."""
        return self.hit_s > 0.0

    def moved(self, threshold: float) -> OperatingPoint:
        """The same preset reaching to another threshold: what is shown at all stays its own."""
        return replace(self, threshold=threshold)


@dataclass(frozen=True, slots=True)
class Result:
    """What the network said of one frame. `point` made `components`; the rest up to `mask` is the frame's.

    `components` are what is drawn: in video those of confirmed findings, in a still all that are over the
    point. `candidates`: what else was found, and is not drawn. `view`: why it cannot be judged well, in
    words. `rings`: findings that are confirmed by this frame, and told.
    """

    number: int
    index: int
    pts_s: float
    captured_s: float  # NaN where it was read for no screen
    seek_serial: int
    size: Size
    mask: Mask
    components: tuple[Component, ...]
    point: OperatingPoint
    model_id: str
    runtime: str
    candidates: tuple[Component, ...] = ()
    view: tuple[str, ...] = ()
    rings: tuple[int, ...] = ()
    field: Field | None = None  # what of the frame was looked at; None: all of it


@dataclass(frozen=True, slots=True)
class Presentation:
    """What is to be seen now: a frame and the mask to draw over it.

    `result` is None when there is no mask young enough; `mask_age_s` is how much older the mask's frame is
    than the picture (0 when it is its own), None without a mask. `late_s`: masks have been late for a while,
    by this much at most (infinite: too old to be drawn); None while they are on time (live/lateness).
    """

    frame: Frame
    result: Result | None
    mask_age_s: float | None
    late_s: float | None = None


class StateWord(StrEnum):
    """The one word that is always visible, in order of precedence (engine.live.state)."""

    NO_SIGNAL = "NO SIGNAL"
    FROZEN = "FROZEN"
    FAILED = "FAILED"
    OPENING = "OPENING"
    ENDED = "ENDED"
    PAUSED = "PAUSED"
    AI_FAULT = "AI FAULT"
    AI_LOADING = "AI STARTING"
    AI_OFF = "AI OFF"
    DAMAGED = "DAMAGED"
    STALE = "STALE"
    LIVE = "LIVE"
    PLAYING = "PLAYING"
    IDLE = "READY"


@dataclass(frozen=True, slots=True)
class Chosen:
    """A network as it was asked for; `runtime` and `precision` may be "auto"."""

    model_dir: Path
    runtime: str
    precision: str


@dataclass(frozen=True, slots=True)
class RuntimeInfo:
    """What executes the network: shown in the window and written into summaries."""

    name: str  # "openvino", "eager"
    device: str  # "AMD EPYC …", "NVIDIA …"
    precision: str  # "f32" | "bf16" | "int8"
    threads: int
    version: str


@dataclass(frozen=True, slots=True)
class StageStats:
    """Rolling percentiles of one stage, over the last few seconds."""

    name: str
    p50_ms: float
    p95_ms: float
    samples: int


@dataclass(frozen=True, slots=True)
class Incident:
    """What was wrong with a live source, and when: `time.monotonic()`; `to_s` None while it lasts."""

    what: str
    from_s: float
    to_s: float | None = None


@dataclass(frozen=True, slots=True)
class Stats:
    """The rate over the last few seconds; counts since the source was opened."""

    stages: tuple[StageStats, ...]
    shown_hz: float
    shown: int
    masked: int
    dropped: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that a window needs to know, pulled when the pipeline's bell has rung.

    `serial` grows with every change, `presentation` may be the same object as before. `faults`: newest last,
    those still true. `running`: what runs, as it was asked for; `preparing`: what is being made ready.
    `waits_for_ai`: until then a recording that was just opened stands at its first picture.
    """

    serial: int
    source_state: SourceState
    ai_state: AiState
    ai_reason: str
    word: StateWord
    info: SourceInfo | None
    presentation: Presentation | None
    pacing: Pacing
    speed: float
    loop: Loop | None
    model_id: str | None
    runtime: RuntimeInfo | None
    running: Chosen | None
    preparing: Chosen | None
    waits_for_ai: bool
    operating_point: OperatingPoint
    stats: Stats
    faults: tuple[Fault, ...]
    incidents: tuple[Incident, ...] = ()  # of all live sources of this session, newest last
    alarms: int = 0  # how many there were; one more is a new one
