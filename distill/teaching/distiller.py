"""Teachers' maps become targets, the student's maps are held against them.

Every target lives in the student's frame: standardise, resample to the common grid, split into bands,
resample to the student's map. Nothing here is exported; a student is whole without it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from distill.losses import FEATURE_LOSSES
from distill.losses.balance import make_balance
from distill.losses.features import mse
from distill.recipe import DistilPart
from distill.teaching.bands import split
from distill.teaching.projector import LATENT_CHANNELS, DeadEnds, FrozenFusion, TrainableFusion, make_head
from engine.faults import FaultCode, FaultError
from engine.table import load_named

log = logging.getLogger("distill")

LOW_STRIDE, HIGH_STRIDE = 16, 8
FUSED = "fused"  # the one target of all teachers together
SETTLING_STEPS = 100  # batches over which the bands' spread is measured; then the targets stand still
TINY = 1e-12
WHOLLY = 0.99  # a resampled place counts when nothing from outside the warped map is in it


class TargetBatch(NamedTuple):
    """features [B, C, h, w] of one teacher in the geometry of the student's picture.

    `valid` [B, 1, h, w] is 1 where the warped map has content; None: everywhere.
    """

    features: Tensor
    valid: Tensor | None = None


class Terms(NamedTuple):
    """total: what is added to the segmentation loss. `parts`: its losses, detached, "TEACHER.low" or ".high".

    `watch`, for the gates: "TEACHER.target_std" (now), "TEACHER.target_std_ratio" (now / first step),
    "TEACHER.unexplained" (mean squared error / variance of the target = 1 - R2, over its bands) and
    "TEACHER.weight".
    """

    total: Tensor
    parts: dict[str, Tensor]
    watch: dict[str, float]


class Target(NamedTuple):
    """What one map of the student (`level`) is held against; value and valid are on that map's grid."""

    source: str
    band: str
    level: str
    value: Tensor
    valid: Tensor | None


class Distiller(nn.Module):
    """All that learns or is measured beside the student, in float32.

    Heads, latents and the balance have parameters: give `parameters()` to the optimiser, keep `state_dict()`
    in the checkpoint. `sources` are the targets' names: the teachers, or "fused" for all of them together.
    """

    band_power: Tensor
    steps: Tensor
    first_std: Tensor

    def __init__(
        self,
        part: DistilPart,
        teacher_channels: Mapping[str, int],
        strides: Mapping[str, int],
        channels: Mapping[str, int],
        standardisers: Mapping[str, nn.Module] | None = None,
    ) -> None:
        """`strides` and `channels` of the student's maps by name; a Standardiser by teacher (for phi_s).

        Raises FaultError ARGUMENT when the student has no map as the recipe asks for.
        """
        super().__init__()
        self.part = part
        self.teachers = tuple(teacher_channels)
        self.bands = ("low",) if part.split == "none" else ("low", "high")
        self._loss = load_named(FEATURE_LOSSES, part.loss, "feature loss")
        self.standardisers = self._choose_standardisers(standardisers or {})
        widths = [
            getattr(made, "channels", teacher_channels[name])
            for name, made in zip(self.teachers, self.standardisers, strict=True)
        ]
        self.heads = nn.ModuleList()
        self.fusion: nn.Module | None = None
        self.dead_ends: DeadEnds | None = None
        if part.projector == "student":
            self.sources = self.teachers
            self.levels = {
                "low": part.low_map or _map_at(LOW_STRIDE, strides),
                "high": part.high_map or (_map_at(HIGH_STRIDE, strides) if "high" in self.bands else ""),
            }
            self._require(channels)
            for width in widths:
                self.heads.append(
                    nn.ModuleList(make_head(channels[self.levels[band]], width) for band in self.bands)
                )
        else:
            self.sources = (FUSED,)
            latent_channels = self._choose_latents(channels, strides)
            self.fusion = self._make_fusion(sum(widths), latent_channels)
        self.balance = make_balance(part.balance, len(self.sources), part.guarded)
        self.register_buffer("band_power", torch.zeros(len(self.sources), len(self.bands)))
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))
        self.register_buffer("first_std", torch.zeros(len(self.sources)))

    def forward(self, features: Mapping[str, Tensor], targets: Mapping[str, TargetBatch]) -> Terms:
        """The student's maps by name and one TargetBatch a teacher, to what they cost."""
        device = next(iter(features.values())).device
        with torch.autocast(device.type, enabled=False):
            maps = self._with_latents(features)
            whole = self._whole(maps, targets)
            wanted = self._split(whole, maps)
            std = torch.stack([_variance(*batch).sqrt().mean() for batch in whole.values()]).detach()
            if self.training:
                self._measure(std, wanted)
            return self._terms(maps, self._scaled(wanted), std)

    def targets(self, features: Mapping[str, Tensor], targets: Mapping[str, TargetBatch]) -> list[Target]:
        """What `forward` holds the student's maps against: for the gates."""
        maps = self._with_latents(features)
        return self._scaled(self._split(self._whole(maps, targets), maps))

    def _terms(self, maps: Mapping[str, Tensor], wanted: Sequence[Target], std: Tensor) -> Terms:
        weight = dict(zip(("low", "high"), self.part.weights[1:], strict=True))
        parts: dict[str, Tensor] = {}
        losses = {source: std.new_zeros(()) for source in self.sources}
        error = {source: std.new_zeros(2) for source in self.sources}
        for target in wanted:
            said = self._said(target, maps)
            loss = self._loss(said, target.value, target.valid)
            parts[f"{target.source}.{target.band}"] = loss.detach()
            losses[target.source] = losses[target.source] + weight[target.band] * loss
            error[target.source] = error[target.source] + _error_and_variance(said, target)
        together = torch.stack(list(losses.values()))
        weights, regulariser = self.balance(together)
        total = (weights * together).sum() + regulariser
        return Terms(total, parts, self._watch(std, torch.stack(list(error.values())), weights.detach()))

    def _watch(self, std: Tensor, error: Tensor, weights: Tensor) -> dict[str, float]:
        first = torch.where(self.first_std > 0, self.first_std, std).clamp_min(TINY)
        unexplained = error[:, 0] / error[:, 1].clamp_min(TINY)
        table = torch.stack(
            [std, std / first, unexplained, weights], dim=1
        ).tolist()  # one wait for the device
        names = ("target_std", "target_std_ratio", "unexplained", "weight")
        return {
            f"{source}.{name}": value
            for source, row in zip(self.sources, table, strict=True)
            for name, value in zip(names, row, strict=True)
        }

    def _with_latents(self, features: Mapping[str, Tensor]) -> dict[str, Tensor]:
        maps = {name: value.float() for name, value in features.items()}
        if self.dead_ends is not None:
            maps["L1"], maps["L2"] = self.dead_ends(maps[self.deepest])
        return maps

    def _whole(
        self, maps: Mapping[str, Tensor], targets: Mapping[str, TargetBatch]
    ) -> dict[str, TargetBatch]:
        """The targets before the split, by source, on the common grid: that of the finest map they go to."""
        side = self.part.grid_px
        grids = [maps[self.levels[band]].shape[-2:] for band in self.bands]
        grid = (side, side) if side else max(grids, key=lambda each: each[0])
        made = []
        for name, standardiser in zip(self.teachers, self.standardisers, strict=True):
            features, valid = targets[name]
            value = standardiser(features.float())
            if valid is not None:
                value = value * _resample(valid.float(), value.shape[-2:]).ge(WHOLLY)  # zero is the mean
            made.append(self._on_grid(TargetBatch(value, valid), grid))
        if self.fusion is None:
            return dict(zip(self.teachers, made, strict=True))
        valids = [valid for _, valid in made if valid is not None]
        together = torch.stack(valids).prod(0) if valids else None
        return {FUSED: TargetBatch(self.fusion(torch.cat([value for value, _ in made], dim=1)), together)}

    def _split(self, whole: Mapping[str, TargetBatch], maps: Mapping[str, Tensor]) -> list[Target]:
        wanted = []
        for source, (value, valid) in whole.items():
            bands = (value,) if len(self.bands) == 1 else split(value, self.part.split)
            for band, content in zip(self.bands, bands, strict=True):
                level = self.levels[band]
                placed = self._on_grid(TargetBatch(content, valid), maps[level].shape[-2:])
                wanted.append(Target(source, band, level, placed.features, placed.valid))
        return wanted

    def _on_grid(self, batch: TargetBatch, grid: Sequence[int]) -> TargetBatch:
        # The notebook resamples without antialiasing, which belongs to what its preset reproduces.
        value = _resample(batch.features, grid, antialias=self.part.split != "fft_square_nb")
        if batch.valid is None:
            return TargetBatch(value)
        return TargetBatch(value, _resample(batch.valid.float(), grid).ge(WHOLLY).float())

    @torch.no_grad()
    def _measure(self, std: Tensor, wanted: Sequence[Target]) -> None:
        step = int(self.steps)
        if step == 0:
            self.first_std.copy_(std)
        if step < SETTLING_STEPS:
            for target in wanted:
                power = self.band_power[self.sources.index(target.source), self.bands.index(target.band)]
                power += (mse(target.value, torch.zeros_like(target.value), target.valid) - power) / (
                    step + 1
                )
        self.steps += 1

    def _scaled(self, wanted: Sequence[Target]) -> list[Target]:
        """Each band by its own spread over the training set, or the high band would hardly count."""
        if self.part.standardise == "none" or int(self.steps) == 0:
            return list(wanted)
        scale = self.band_power.sqrt().clamp_min(TINY).reciprocal()
        return [
            target._replace(
                value=target.value
                * scale[self.sources.index(target.source), self.bands.index(target.band)].clone()
            )
            for target in wanted
        ]

    def _said(self, target: Target, maps: Mapping[str, Tensor]) -> Tensor:
        level = maps[target.level]
        if not self.heads:
            return level
        heads = self.heads[self.sources.index(target.source)]
        said: Tensor = heads[self.bands.index(target.band)](level)  # type: ignore[index]
        return said

    def _choose_standardisers(self, given: Mapping[str, nn.Module]) -> nn.ModuleList:
        """In the order of the teachers: their names hold points, which the names of modules may not."""
        if self.part.standardise == "none":
            return nn.ModuleList(nn.Identity() for _ in self.teachers)
        missing = [name for name in self.teachers if name not in given]
        if missing:
            raise FaultError(
                FaultCode.ARGUMENT,
                expected="the statistics of every teacher for distil.standardise = phi_s",
                got=f"none of {', '.join(missing)}",
                remedy="fill the feature cache, or set distil.standardise to none",
            )
        return nn.ModuleList(given[name] for name in self.teachers)

    def _choose_latents(self, channels: Mapping[str, int], strides: Mapping[str, int]) -> int:
        """Where a fused target goes: the student's L1 and L2, or latents of our own. Gives their channels."""
        self.levels = {"low": self.part.low_map or "L1", "high": self.part.high_map or "L2"}
        if self.levels["low"] == "L1" and "L1" not in channels:
            self.deepest = max(strides, key=lambda name: strides[name])
            self.dead_ends = DeadEnds(channels[self.deepest])
            return LATENT_CHANNELS
        self._require(channels)
        low, high = (channels[self.levels[band]] for band in (self.bands[0], self.bands[-1]))
        if low != high:
            raise FaultError(
                FaultCode.ARGUMENT,
                expected="one number of channels for both bands of a fused target",
                got=f"{low} in {self.levels['low']}, {high} in {self.levels['high']}",
                remedy="choose other maps, or distil.projector = student",
            )
        return low

    def _make_fusion(self, teacher_channels: int, channels: int) -> nn.Module:
        if self.part.projector == "teacher_frozen":
            return FrozenFusion(teacher_channels, channels)
        log.warning(
            "projector teacher_trainable: the targets learn too and collapse to a constant; "
            "for comparison with the published notebook only"
        )
        return TrainableFusion(teacher_channels, channels)

    def _require(self, channels: Mapping[str, int]) -> None:
        for band in self.bands:
            if self.levels[band] not in channels:
                raise FaultError(
                    FaultCode.ARGUMENT,
                    expected=f"a map of the student for the {band} band: {', '.join(channels)}",
                    got=repr(self.levels[band]),
                    remedy=f"correct distil.{band}_map of the recipe",
                )


def _map_at(stride: int, strides: Mapping[str, int]) -> str:
    """The student's map of that stride, its encoder's or decoder's before a latent."""
    names = [name for name, own in strides.items() if own == stride]
    plain = f"s{stride}"
    return plain if plain in names or not names else names[0]


def _resample(maps: Tensor, grid: Sequence[int], antialias: bool = True) -> Tensor:
    if maps.shape[-2:] == tuple(grid):
        return maps
    return F.interpolate(maps, size=tuple(grid), mode="bilinear", antialias=antialias)


def _variance(value: Tensor, valid: Tensor | None = None) -> Tensor:
    """[C], over batch and valid places."""
    if valid is None:
        return value.var((0, 2, 3), correction=0)
    count = valid.sum().clamp_min(1.0)
    mean = (value * valid).sum((0, 2, 3), keepdim=True) / count
    return ((value - mean).square() * valid).sum((0, 2, 3)) / count


@torch.no_grad()
def _error_and_variance(said: Tensor, target: Target) -> Tensor:
    """[2]: mean squared error, and variance of the target about each channel's mean."""
    return torch.stack([mse(said, target.value, target.valid), _variance(target.value, target.valid).mean()])
