"""The students' networks as their authors' checkpoints name them: which of their tensors is which of ours.

Read in the public code of PraNet (arXiv 2006.11392), EMCAD (2405.06880), U-Net (milesial/Pytorch-UNet) and of
Polyp-DiFoM's U-Net++ (2512.09307).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.models.latents import CONCAT_RELU
from engine.models.original_files import ORIGINALS

Args = dict[str, str | int | float | bool]
Tensors = Mapping[str, Tensor]
Renaming = tuple[tuple[str, str], ...]

PVT = "pvt_v2_b2", "pvt_v2_b0", "pvt_v2_b1", "pvt_v2_b3", "pvt_v2_b4", "pvt_v2_b5"
RESNETS = "resnet18", "resnet34", "resnet50", "resnet101", "resnet152"
# Of Polyp-DiFoM: L1, L2 and the fusion of teachers; no mask depends on them where the decoder takes none.
TEACHING = r"^(linear|linear1|linear2)\."
COUNTERS = r"(^|\.)(total_ops|total_params)$"  # thop's, which counts a network before it is saved


@dataclass(frozen=True, slots=True)
class Published:
    """A student as published.

    `sign`: a key that no other has. `arguments`: what the student may have been made with, the likeliest
    first. `keys`: (pattern, replacement), the first that fits. `unused`: pattern of what no mask depends on.
    `encoder`: how the encoder's keys begin there, "" where it is among `keys`. `shuffled`: pattern of 1x1
    convolutions behind a channel shuffle, which ours leave out: their inputs are put in order instead.
    """

    student: str
    sign: str
    arguments: Callable[[Tensors], list[Args]]
    keys: Renaming
    unused: str
    encoder: str = ""
    shuffled: str = ""

    def own_key(self, key: str, args: Args) -> str | None:
        """Ours of theirs, the encoder's as timm has them; None: there is none."""
        if self.encoder and key.startswith(self.encoder):
            original = ORIGINALS.get(str(args["encoder"]))
            inner = key.removeprefix(self.encoder)
            return f"encoder.{original.timm_key(inner) if original else inner}"
        for pattern, replacement in self.keys:
            if re.match(pattern, key):
                return re.sub(pattern, replacement, key)
        return None

    def reordered(self, keys: Iterable[str], tensors: Tensors) -> Iterator[tuple[str, Tensor]]:
        """Their keys whose input channels stand in another order in ours, and which of theirs each is."""
        for key in keys:
            if self.shuffled and re.match(self.shuffled, key):
                outputs, inputs = tensors[key].shape[:2]
                groups = math.gcd(inputs, outputs)
                yield key, torch.arange(inputs).reshape(inputs // groups, groups).T.flatten()


def _unet(tensors: Tensors) -> list[Args]:
    up = "transposed" if "up1.up.weight" in tensors else "bilinear"
    return [{"width": tensors["inc.double_conv.0.weight"].shape[0], "up": up}]


def _unetpp(tensors: Tensors) -> list[Args]:
    return [{"width": tensors["conv0_1.conv1.weight"].shape[0]}]


def _pranet(tensors: Tensors) -> list[Args]:
    """With latents, where the deepest receptive field sees more than the encoder's 2048 channels."""
    plain: Args = {"encoder": "res2net50d"}
    if tensors["rfb4_1.branch0.0.conv.weight"].shape[1] == 2048:
        return [plain]
    return [{**plain, "latent_feed": CONCAT_RELU if "linear1.0.weight" in tensors else "concat"}]


def _emcad(tensors: Tensors) -> list[Args]:
    names = PVT if "backbone.patch_embed1.proj.weight" in tensors else RESNETS
    return [{"encoder": name} for name in names]


def _vgg_block(theirs: str, ours: str) -> Renaming:
    """Two convolutions with BatchNorm as attributes: ours are numbered, a ReLU among them."""
    parts = {"conv1": 0, "bn1": 1, "conv2": 3, "bn2": 4}
    return tuple((rf"^{theirs}\.{part}\.", rf"{ours}.{place}.") for part, place in parts.items())


def _conv_bn(theirs: str, ours: str) -> Renaming:
    """PraNet's BasicConv2d."""
    return ((rf"^{theirs}\.conv\.", rf"{ours}.0."), (rf"^{theirs}\.bn\.", rf"{ours}.1."))


def _reverse(level: int, ours: int, last: int) -> Renaming:
    """ra4_conv1 to ra4_conv5 of one level: reduce, the convolutions, the last."""
    stage, name = f"reverse.{ours}", f"ra{level}_conv"
    between = (_conv_bn(f"{name}{n}", f"{stage}.convs.{n - 2}") for n in range(2, last))
    return (
        *_conv_bn(f"{name}1", f"{stage}.reduce"),
        *(row for rows in between for row in rows),
        *_conv_bn(f"{name}{last}", f"{stage}.last"),
    )


def _receptive(level: int, ours: int) -> Renaming:
    field, name = f"receptive.{ours}", f"rfb{level}_1"
    return (
        *_conv_bn(rf"{name}\.branch0\.0", rf"{field}.branches.0"),
        *_conv_bn(rf"{name}\.branch([123])\.(\d)", rf"{field}.branches.\1.\2"),
        *_conv_bn(rf"{name}\.conv_cat", f"{field}.join"),
        *_conv_bn(rf"{name}\.conv_res", f"{field}.straight"),
    )


PARTIAL = {
    "conv_upsample1": "gate_16",
    "conv_upsample2": "gate_8_by_32",
    "conv_upsample3": "gate_8_by_16",
    "conv_upsample4": "raise_32",
    "conv_upsample5": "raise_16",
    "conv_concat2": "join_16",
    "conv_concat3": "join_8",
    "conv4": "last",
}
LATENTS = ((r"^linear1\.(?:0\.)?", "latents.first."), (r"^linear2\.", "latents.second."))

# Levels of EMCAD and PraNet are numbered from the shallowest, ours from 0; the heads of EMCAD the other way.
_EMCAD_LEVELS = tuple(
    row
    for n in (1, 2, 3, 4)
    for row in (
        (rf"^decoder\.cab{n}\.fc1\.", f"refine.{n - 1}.channels.bottleneck.0."),
        (rf"^decoder\.cab{n}\.fc2\.", f"refine.{n - 1}.channels.bottleneck.2."),
        (rf"^decoder\.mscb{n}\.0\.pconv1\.", f"refine.{n - 1}.scales.widen."),
        (rf"^decoder\.mscb{n}\.0\.msdc\.dwconvs\.", f"refine.{n - 1}.scales.scales."),
        (rf"^decoder\.mscb{n}\.0\.pconv2\.", f"refine.{n - 1}.scales.narrow."),
        (rf"^decoder\.eucb{n}\.up_dwc\.", f"raises.{n - 1}."),
        (rf"^decoder\.eucb{n}\.pwc\.0\.", f"raises.{n - 1}.4."),
        (rf"^decoder\.lgag{n}\.W_g\.", f"gates.{n - 1}.of_below."),
        (rf"^decoder\.lgag{n}\.W_x\.", f"gates.{n - 1}.of_skip."),
        (rf"^decoder\.lgag{n}\.psi\.", f"gates.{n - 1}.weight."),
        (rf"^out_head{n}\.", f"heads.{4 - n}."),
    )
)

PUBLISHED: tuple[Published, ...] = (
    Published(
        "pranet",
        "rfb4_1.branch0.0.conv.weight",
        _pranet,
        (
            *(row for level in (2, 3, 4) for row in _receptive(level, level - 2)),
            *(row for name, ours in PARTIAL.items() for row in _conv_bn(rf"agg1\.{name}", f"partial.{ours}")),
            (r"^agg1\.conv5\.", "partial.head."),
            *(*_reverse(4, 2, 5), *_reverse(3, 1, 4), *_reverse(2, 0, 4)),
            *LATENTS,
        ),
        rf"{TEACHING}|^resnet\.fc\.",
        "resnet.",
    ),
    Published(
        "emcadnet",
        "decoder.mscb4.0.pconv1.0.weight",
        _emcad,
        (*_EMCAD_LEVELS, (r"^decoder\.sab\.", "spatial.")),
        rf"{TEACHING}|^backbone\.(fc|head)\.|^conv\.",  # `conv` is for grey pictures
        "backbone.",
        r"^decoder\.mscb\d\.0\.pconv2\.0\.weight$",
    ),
    Published(
        "unetpp",
        "conv0_1.conv1.weight",
        _unetpp,
        (
            *_vgg_block(r"conv(\d)_0", r"encoder.levels.\1"),
            *_vgg_block(r"conv(\d)_([1-4])", r"nodes.\1_\2"),
            (r"^final\.", "head."),
        ),
        TEACHING,
    ),
    Published(
        "unet",
        "inc.double_conv.0.weight",
        _unet,
        (
            (r"^inc\.double_conv\.", "encoder.levels.0."),
            (r"^down(\d)\.maxpool_conv\.1\.double_conv\.", r"encoder.levels.\1."),
            *((rf"^up{n}\.conv\.double_conv\.", f"joins.{n - 1}.") for n in (1, 2, 3, 4)),
            *((rf"^up{n}\.up\.", f"ups.{n - 1}.") for n in (1, 2, 3, 4)),
            (r"^outc\.conv\.", "head."),
        ),
        TEACHING,
    ),
)
