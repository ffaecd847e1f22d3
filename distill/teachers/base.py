"""What every teacher promises."""

from __future__ import annotations

import dataclasses
import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from distill.data.index import Record
from distill.teachers.geometry import squash

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CLIP_MEAN, CLIP_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
UNCHANGED_MEAN, UNCHANGED_STD = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)  # the network normalises by itself


@dataclass(frozen=True, slots=True)
class TeacherCard:
    """What is known of a teacher before any weights are there.

    Input: RGB 0..1, squashed to size_px x size_px, (x - mean) / std. Output: [channels, size_px / stride,
    size_px / stride], the full frame. `note` says where our network is not the publisher's own code.
    """

    name: str
    hub_id: str
    licence: str
    commercial: bool  # False: only runs when the user accepts the licence by name
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    size_px: int
    stride: int
    channels: int
    revision: str = "main"
    has_mask: bool = False
    note: str = ""
    has_disagreement: bool = False  # of its members, beside the masks

    @property
    def grid(self) -> tuple[int, int]:
        """Height and width of its map, cells."""
        return self.size_px // self.stride, self.size_px // self.stride


class TeacherOutput(NamedTuple):
    """features float32 [B, C, h, w]; masks float32 [B, 1, H, W] in 0..1, None of a teacher without a task.

    `disagreement`, of the masks' shape: how far its members differ (`distill.teachers.agreement`).
    """

    features: Tensor
    masks: Tensor | None
    disagreement: Tensor | None = None


class Teacher(nn.Module, ABC):
    """A frozen network: always in eval mode, no parameter learns, no gradient leaves it."""

    def __init__(self, card: TeacherCard) -> None:
        super().__init__()
        self.card = card

    @abstractmethod
    def answer(self, picture: Tensor) -> TeacherOutput:
        """Of what `prepare` gave; without gradient and outside any autocast."""

    def prepare(self, image: Tensor) -> Tensor:
        """float [B, 3, H, W] RGB 0..1, the full frame -> the same at the teacher's own size."""
        return squash(image, self.card.size_px)

    @torch.no_grad()
    def forward(self, image: Tensor) -> TeacherOutput:
        """float [B, 3, H, W] RGB 0..1, the full frame at any size; what is prepared stays as it is."""
        # A student's autocast would round what the cache stores in full.
        with torch.autocast(image.device.type, enabled=False):
            found = self.answer(self.prepare(image.float()))
        masks, apart = (None if each is None else each.float() for each in found[1:])
        return TeacherOutput(found.features.float(), masks, apart)

    def embed(self, image: Tensor) -> Tensor:
        """The feature map, float32 [B, C, h, w]: covers the full frame."""
        answer: TeacherOutput = self(image)
        return answer.features

    def masks(self, image: Tensor) -> Tensor | None:
        """Soft masks, float32 [B, 1, h, w] in 0..1 over the full frame, or None."""
        answer: TeacherOutput = self(image)
        return answer.masks

    def train(self, mode: bool = True) -> Teacher:
        """A teacher never trains: eval mode whoever asks."""
        return super().train(False)

    def frozen(self) -> Teacher:
        """Itself, with every parameter fixed."""
        self.requires_grad_(False)
        return self.eval()

    def chosen_for(self, root: Path) -> Callable[[Record], Teacher]:
        """Who may look at which image of that data folder; only out-of-fold teachers choose."""
        return lambda record: self


def card_as_json(card: TeacherCard) -> dict[str, Any]:
    """What a cache's key is made of and its `teacher.json` says; without what teachers before it had not."""
    values: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(card)))  # tuples are lists there
    if not card.has_disagreement:
        del values["has_disagreement"]
    return values


class NetworkTeacher(Teacher):
    """One network, and how its feature map is read from it."""

    def __init__(
        self, card: TeacherCard, network: nn.Module, read: Callable[[nn.Module, Tensor], Tensor]
    ) -> None:
        super().__init__(card)
        self.network = network
        self._read = read
        self.register_buffer("mean", torch.tensor(card.mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(card.std).view(1, 3, 1, 1), persistent=False)

    def normalise(self, picture: Tensor) -> Tensor:
        return (picture - self.get_buffer("mean")) / self.get_buffer("std")

    def answer(self, picture: Tensor) -> TeacherOutput:
        return TeacherOutput(self._read(self.network, self.normalise(picture)), None)


@dataclass(frozen=True, slots=True)
class Supply:
    """Where the weights come from: a file, a folder, or "" for the hub.

    `tiny`: random weights and one layer of the real width instead, for tests and dry runs.
    """

    weights: str = ""
    tiny: bool = False


@dataclass(frozen=True, slots=True)
class Blueprint:
    """What a line of TEACHERS leads to: the card, and how to build the teacher of such a card."""

    card: TeacherCard
    build: Callable[[TeacherCard, Supply], Teacher]
    fixed_size: bool = False  # pretrained weights work at the card's size only
    fingerprints: tuple[str, ...] = ()  # of weights that no single file holds
    chooses: bool = False  # what it says of an image depends on the data folder it is in
