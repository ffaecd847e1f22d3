"""The students as they are compared: the published size of each beside our own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from engine.models import make_student
from engine.models.cost import Cost, cost_of

SIZE_PX = 352


@dataclass(frozen=True, slots=True)
class Variant:
    """A student with its arguments, and what others count of it at 352x352; None where nobody has."""

    label: str
    student: str
    args: Mapping[str, Any] = field(default_factory=dict)
    published_m: float | None = None  # million parameters
    published_gmac: float | None = None
    note: str = ""


def _light(encoder: str, m: float | None, gmac: float | None, note: str = "") -> Variant:
    return Variant(f"light, {encoder}", "light", {"encoder": encoder}, m, gmac, note)


# Published: by the papers, or counted by fvcore on the public code, once; docs/students.md shows both.
VARIANTS: tuple[Variant, ...] = (
    Variant("U-Net, wide", "unet", {}, 17.26, 75.8, "64..1024, bilinear"),
    Variant("U-Net, wide, transposed", "unet", {"up": "transposed"}, 31.04, 91.2, "64..1024"),
    Variant("U-Net", "unet", {"width": 32, "up": "transposed"}, 7.76, 22.9, "32..512"),
    Variant(
        "U-Net++",
        "unetpp",
        {},
        9.16,
        64.3,
        "32..512; DiFoM prints 65.9. These widths and nodes fix the convolutions alone at 65.2, so 64.3 must "
        "be another count",
    ),
    Variant("PraNet", "pranet", {}, 30.50, 13.08, "`res2net50d` is Res2Net50-v1b 26w4s"),
    Variant("EMCAD, PVTv2-b2", "emcadnet", {}, 26.76, 11.44),
    Variant("EMCAD, PVTv2-b0", "emcadnet", {"encoder": "pvt_v2_b0"}, 3.92, 1.82),
    Variant(
        "EMCAD, ResNet18",
        "emcadnet",
        {"encoder": "resnet18"},
        13.40,
        5.31,
        "the published figure has the unused classifier, 0.51 M",
    ),
    _light("mobilenetv4_conv_small_050", None, None, "the ultra-light one"),
    _light("mobilenetv2_050", 0.52, 0.30),
    _light("mobilenetv4_conv_small", 1.36, 0.55),
    _light("mobilenetv2_100", 1.86, 0.80),
    _light("tf_efficientnet_lite0", 3.01, 1.01),
    _light("tf_efficientnet_b0", 3.65, 1.01),
    _light("repvit_m0_9", 4.78, 2.15, "as trained, branches not merged"),
    _light("repvit_m1_0", 6.48, 2.88, "as trained, branches not merged"),
    _light("mobilenetv4_conv_medium", 7.30, 2.17),
    _light("resnet18", 11.3, 4.60),
    _light("pvt_v2_b0", 3.46, 1.40, "the published figure leaves attention out, 0.23"),
)


def measured(variant: Variant, latent_feed: str = "none") -> Cost:
    """Built on the meta device: no weights are drawn, nothing is computed."""
    with torch.device("meta"):
        student = make_student(variant.student, {**variant.args, "latent_feed": latent_feed})
    return cost_of(student, SIZE_PX)


def row(variant: Variant, cost: Cost) -> str:
    """What is counted beside what is published, the first columns of the table."""
    cells = (
        variant.label,
        f"{cost.parameters / 1e6:.2f}",
        _shown(variant.published_m),
        f"{cost.macs / 1e9:.2f}",
        _shown(variant.published_gmac),
    )
    return f"| {' | '.join(cells)} |"


def table() -> str:
    """GitHub Markdown: `row`, then what the latent feed `concat` adds."""
    lines = [
        "| student | parameters, M | published | GMAC | published | `concat` adds M | GMAC | note |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for variant in VARIANTS:
        plain, fed = measured(variant), measured(variant, "concat")
        more_m, more_gmac = (fed.parameters - plain.parameters) / 1e6, (fed.macs - plain.macs) / 1e9
        lines.append(f"{row(variant, plain)} {more_m:.2f} | {more_gmac:.2f} | {variant.note} |")
    return "\n".join(lines)


def _shown(published: float | None) -> str:
    return "" if published is None else f"{published:g}"
