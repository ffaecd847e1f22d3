"""Does a form of distillation reach the student? Two probes, measured in docs/experiments/probe.md.

`collapse`: on random tensors there is nothing to learn, so a loss that vanishes has moved its targets.
`transfer`: after a toy training, how well do the student's deepest features tell the teachers'?
Dice and the loss curve show neither.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from statistics import fmean

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from distill.losses.masks import bce_dice
from distill.probe.toy import Pictures, draw, make_teachers
from distill.recipe import DistilPart
from distill.teaching.distiller import Distiller, TargetBatch
from distill.teaching.standardise import Standardiser
from engine.models import make_student
from engine.models.base import Student
from engine.models.plain import PlainEncoder

WEIGHTS = (0.6, 0.1, 0.1)  # segmentation, low, high band, as published
NOTEBOOK = DistilPart(
    projector="teacher_trainable",
    standardise="none",
    split="fft_square_nb",
    loss="mse",
    gradient_share=0.0,
    weights=WEIGHTS,
)
FROZEN = NOTEBOOK.model_copy(update={"projector": "teacher_frozen", "split": "fft_radial"})
BEST = DistilPart(projector="student", standardise="phi_s", gradient_share=0.0, weights=WEIGHTS)
RIDGE = 1e-2  # of the mean variance


@dataclass(frozen=True, slots=True)
class CollapseSize:
    """Channels of the three teachers, their grid, the notebook's encoder made narrow where it costs most."""

    teachers: tuple[int, int, int] = (9, 768, 256)
    grid_px: int = 16
    widths: tuple[int, ...] = (8, 16, 32, 64, 512)
    picture_px: int = 96
    batch: int = 4
    rate: float = 1e-4


@dataclass(frozen=True, slots=True)
class Collapse:
    """One look: the loss and the target's spread as shares of those at the first step, and 1 - R2."""

    step: int
    loss_share: float
    std_ratio: float
    unexplained: float


def collapse(
    part: DistilPart, steps: int, looks: tuple[int, ...], size: CollapseSize | None = None, seed: int = 0
) -> list[Collapse]:
    """Distillation alone, new random pictures and tensors at each step: there is nothing to be learnt."""
    size = size or CollapseSize()
    torch.manual_seed(seed)
    encoder = PlainEncoder(size.widths)
    stride = 2 ** (len(size.widths) - 1)
    level = f"s{stride}"
    channels = dict(zip(("sam", "dino", "decoder"), size.teachers, strict=True))
    place = {"low_map": level} if part.projector == "student" else {"grid_px": size.grid_px}
    part = part.model_copy(update=place)
    made = {name: Standardiser(torch.zeros(count), torch.eye(count)) for name, count in channels.items()}
    distiller = Distiller(part, channels, {level: stride}, {level: size.widths[-1]}, made)
    optimiser = torch.optim.Adam([*encoder.parameters(), *distiller.parameters()], lr=size.rate)
    found, first = [], 0.0
    for step in range(steps + 1):
        image = torch.randn(size.batch, 3, size.picture_px, size.picture_px)
        targets = {
            name: TargetBatch(torch.randn(size.batch, count, size.grid_px, size.grid_px))
            for name, count in channels.items()
        }
        terms = distiller({level: encoder(image)[-1]}, targets)
        loss = float(terms.total.detach())
        first = first or loss
        if step in looks:
            ratio, unexplained = (_least(terms.watch, what) for what in ("target_std_ratio", "unexplained"))
            found.append(Collapse(step, loss / first, ratio, unexplained))
        optimiser.zero_grad()
        terms.total.backward()
        optimiser.step()
    return found


@dataclass(frozen=True, slots=True)
class ToySize:
    """Of the toy training: a U-Net of this width on 64-pixel pictures."""

    train: int = 192
    test: int = 64
    width: int = 6
    batch: int = 8
    alone_steps: int = 120
    distil_steps: int = 180
    rate: float = 1e-3


@dataclass(frozen=True, slots=True)
class Transfer:
    """Of one toy training: `r2` by teacher and "all", on held-out pictures; `std_*` 0 without a target."""

    variant: str
    seed: int
    dice: float
    r2: dict[str, float]
    std_start: float
    std_end: float


VARIANTS: Mapping[str, DistilPart | None] = {
    "no distillation": None,
    "notebook": NOTEBOOK,
    "fusion frozen": FROZEN,
    "student-side heads, standardised": BEST.model_copy(update={"loss": "mse"}),
}


def transfer(seed: int, size: ToySize, done: Callable[[str], None] = lambda variant: None) -> list[Transfer]:
    """All variants, from one state after the steps without distillation."""
    generator = torch.Generator().manual_seed(seed)
    train, test = draw(size.train, generator), draw(size.test, generator)
    teachers = make_teachers(seed)
    features = {name: teacher(train.image) for name, teacher in teachers.items()}
    held_out = {name: teacher(test.image) for name, teacher in teachers.items()}
    torch.manual_seed(seed)
    begun = make_student("unet", {"width": size.width})
    _train(begun, None, train, features, size, size.alone_steps, seed)
    found = []
    for variant, part in VARIANTS.items():
        student = copy.deepcopy(begun)
        distiller = None
        if part is not None:
            torch.manual_seed(seed)
            distiller = _distiller(part, student, features)
        watch = _train(student, distiller, train, features, size, size.distil_steps, seed + 1)
        spreads = [_mean(each, "target_std") for each in watch] or [0.0]
        found.append(
            Transfer(
                variant,
                seed,
                dice=_dice(student, test),
                r2=_probe(student, train, test, features, held_out),
                std_start=spreads[0],
                std_end=spreads[-1],
            )
        )
        done(variant)
    return found


def _distiller(part: DistilPart, student: Student, features: Mapping[str, Tensor]) -> Distiller:
    channels = {name: maps.shape[1] for name, maps in features.items()}
    made: dict[str, nn.Module] = {}
    for name, maps in features.items():
        rows = maps.movedim(1, -1).flatten(0, -2).double()
        made[name] = Standardiser(rows.mean(0), torch.cov(rows.T, correction=0))
    return Distiller(part, channels, student.strides, student.channels, made)


def _train(
    student: Student,
    distiller: Distiller | None,
    pictures: Pictures,
    features: Mapping[str, Tensor],
    size: ToySize,
    steps: int,
    seed: int,
) -> list[dict[str, float]]:
    """In place. Gives the distiller's watch, step by step."""
    parameters = [*student.parameters(), *(distiller.parameters() if distiller is not None else ())]
    optimiser = torch.optim.Adam(parameters, lr=size.rate)
    seen = []
    student.train()
    for chosen in _batches(len(pictures.image), size.batch, steps, seed):
        prediction = student.predict(pictures.image[chosen])
        loss = WEIGHTS[0] * bce_dice(prediction.logits, pictures.mask[chosen])
        if distiller is not None:
            targets = {name: TargetBatch(maps[chosen]) for name, maps in features.items()}
            terms = distiller(prediction.features, targets)
            loss = loss + terms.total
            seen.append(terms.watch)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return seen


def _batches(count: int, batch: int, steps: int, seed: int) -> Iterator[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        yield torch.randperm(count, generator=generator)[:batch]


@torch.inference_mode()
def _dice(student: Student, test: Pictures) -> float:
    """Mean over pictures, threshold 0.5."""
    found = (student.eval()(test.image) > 0).float()
    both = (found * test.mask).sum((1, 2, 3))
    return float((2 * both / (found + test.mask).sum((1, 2, 3)).clamp_min(1)).mean())


@torch.inference_mode()
def _probe(
    student: Student,
    train: Pictures,
    test: Pictures,
    features: Mapping[str, Tensor],
    held_out: Mapping[str, Tensor],
) -> dict[str, float]:
    student.eval()
    deepest = max(student.strides, key=lambda name: student.strides[name])
    mine, unseen = (student.predict(pictures.image).features[deepest] for pictures in (train, test))
    found = {name: ridge_r2(mine, features[name], unseen, held_out[name]) for name in features}
    channels = {name: maps.shape[1] for name, maps in features.items()}
    every = sum(found[name] * count for name, count in channels.items()) / sum(channels.values())
    return {"all": every, **found}


def ridge_r2(student: Tensor, teacher: Tensor, unseen: Tensor, held_out: Tensor) -> float:
    """R2 of a linear read-out of the teacher from the student, over all of the teacher's channels.

    Fitted on student [N, C, h, w] and teacher [N, D, H, W], measured on `unseen` and `held_out`. The teacher
    is resampled to the student's grid; all channels are standardised with the statistics of the fit.
    """
    grid = student.shape[-2:]
    x, x_new = (_rows(maps) for maps in (student, unseen))
    y, y_new = (
        _rows(F.interpolate(maps, grid, mode="bilinear", antialias=True)) for maps in (teacher, held_out)
    )
    x_mean, x_std, y_mean, y_std = x.mean(0), x.std(0), y.mean(0), y.std(0)
    x, x_new = ((each - x_mean) / x_std.clamp_min(1e-6) for each in (x, x_new))
    y, y_new = ((each - y_mean) / y_std.clamp_min(1e-6) for each in (y, y_new))
    gram = x.T @ x / len(x) + RIDGE * torch.eye(x.shape[1], dtype=x.dtype)
    weights = torch.linalg.solve(gram, x.T @ y / len(x))
    rest = (y_new - x_new @ weights).square().mean(0)
    # One ratio of sums, not a mean of ratios: a channel that is silent in the held-out half has no variance.
    return float(1 - rest.sum() / y_new.var(0).sum())


def _rows(maps: Tensor) -> Tensor:
    return maps.movedim(1, -1).flatten(0, -2).double()


def _least(watch: Mapping[str, float], what: str) -> float:
    return min(value for name, value in watch.items() if name.endswith(f".{what}"))


def _mean(watch: Mapping[str, float], what: str) -> float:
    return fmean(value for name, value in watch.items() if name.endswith(f".{what}"))
