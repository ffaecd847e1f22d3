"""Checkpoints with the keys that their authors publish become students and model folders."""

import importlib
import json
import re

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="pip install 'polyplive[torch]'")

from distill.__main__ import main
from distill.judging.imported import COUNT, fit, imported
from engine.faults import FaultCode, FaultError
from engine.model_folder import load_model_folder
from engine.models import make_student
from engine.models.encoder import timm_key
from engine.runtime.student import load_student

BLOCK = {"0": "conv1", "1": "bn1", "3": "conv2", "4": "bn2"}  # of the notebook's, by our places


def filled(name, **args):
    """A student with random values in every tensor, made without the slow initial weights."""
    with torch.device("meta"):
        student = make_student(name, args)
    student = student.to_empty(device="cpu").eval()
    generator = torch.Generator().manual_seed(0)
    for key, value in student.state_dict().items():
        if key.endswith(COUNT):
            value.fill_(7)
        elif key.endswith("running_var"):
            value.uniform_(0.5, 1.5, generator=generator)
        else:
            value.normal_(0, 0.5 / max(value[0].numel(), 1) ** 0.5, generator=generator)
    return student


def theirs(student, names):
    """The student's tensors under published names: (pattern, replacement) of ours, the first that fits."""
    renamed = {}
    for key, value in student.state_dict().items():
        head, _, rest = key.partition(".")
        key = f"encoder.{timm_key(rest)}" if head == "encoder" else key
        pattern, name = next((row for row in names if re.match(row[0], key)), (None, None))
        assert pattern is not None, key
        renamed[re.sub(pattern, name, key)] = value
    assert len(renamed) == len(student.state_dict())
    return renamed


def notebook(student):
    """U-Net++ as Polyp-DiFoM's notebook names it, with L1, L2 and the fusion of the teachers beside it."""
    names = [
        *((rf"^encoder\.levels\.(\d)\.{n}\.", rf"conv\1_0.{part}.") for n, part in BLOCK.items()),
        *((rf"^nodes\.(\d)_(\d)\.{n}\.", rf"conv\1_\2.{part}.") for n, part in BLOCK.items()),
        (r"^head\.", "final."),
    ]
    dead = {
        "linear1.0": torch.ones(256, 64, 1, 1),
        "linear2": torch.ones(256, 256, 1, 1),
        "linear.0": torch.ones(256, 1033, 1, 1),
    }
    return theirs(student, names) | {f"{name}.weight": value for name, value in dead.items()}


def unet(student):
    names = [
        (r"^encoder\.levels\.0\.", "inc.double_conv."),
        (r"^encoder\.levels\.([1-4])\.", r"down\1.maxpool_conv.1.double_conv."),
        *((rf"^joins\.{n}\.", f"up{n + 1}.conv.double_conv.") for n in range(4)),
        *((rf"^ups\.{n}\.", f"up{n + 1}.up.") for n in range(4)),
        (r"^head\.", "outc.conv."),
    ]
    return theirs(student, names)


def part(place):
    return {"0": "conv", "1": "bn"}[place]


def pranet(student):
    """PraNet's: a BasicConv2d holds `conv` and `bn`; levels are numbered 2 to 4."""
    decoder = {
        "gate_16": "conv_upsample1",
        "gate_8_by_32": "conv_upsample2",
        "gate_8_by_16": "conv_upsample3",
        "raise_32": "conv_upsample4",
        "raise_16": "conv_upsample5",
        "join_16": "conv_concat2",
        "join_8": "conv_concat3",
        "last": "conv4",
    }
    names = [(r"^encoder\.", "resnet."), (r"^partial\.head\.", "agg1.conv5.")]
    for place, own in (("0", "conv"), ("1", "bn")):
        names += [
            *((rf"^partial\.{ours}\.{place}\.", f"agg1.{name}.{own}.") for ours, name in decoder.items()),
            *(
                row
                for level in (0, 1, 2)
                for row in (
                    (rf"^receptive\.{level}\.branches\.0\.{place}\.", f"rfb{level + 2}_1.branch0.0.{own}."),
                    (
                        rf"^receptive\.{level}\.branches\.(\d)\.(\d)\.{place}\.",
                        rf"rfb{level + 2}_1.branch\1.\2.{own}.",
                    ),
                    (rf"^receptive\.{level}\.join\.{place}\.", f"rfb{level + 2}_1.conv_cat.{own}."),
                    (rf"^receptive\.{level}\.straight\.{place}\.", f"rfb{level + 2}_1.conv_res.{own}."),
                    (rf"^reverse\.{level}\.reduce\.{place}\.", f"ra{level + 2}_conv1.{own}."),
                    (rf"^reverse\.{level}\.convs\.0\.{place}\.", f"ra{level + 2}_conv2.{own}."),
                    (rf"^reverse\.{level}\.convs\.1\.{place}\.", f"ra{level + 2}_conv3.{own}."),
                )
            ),
            (rf"^reverse\.2\.convs\.2\.{place}\.", f"ra4_conv4.{own}."),
            (rf"^reverse\.2\.last\.{place}\.", f"ra4_conv5.{own}."),
            *((rf"^reverse\.{n}\.last\.{place}\.", f"ra{n + 2}_conv4.{own}.") for n in (0, 1)),
        ]
    names += [(r"^latents\.first\.", "linear1.0."), (r"^latents\.second\.", "linear2.")]
    return theirs(student, names)


def shuffled(weight):
    """A 1x1 as it stands behind EMCAD's channel shuffle: groups as many as come out."""
    outputs, inputs = weight.shape[:2]
    channels = torch.arange(inputs).view(outputs, inputs // outputs).transpose(0, 1).reshape(-1)
    return weight[:, channels]


def emcad(student):
    """EMCAD's: levels 4 to 1 from the deepest, heads 1 to 4 from the deepest, PVTv2 as its authors name it."""
    names = [
        (r"^encoder\.patch_embed\.", "backbone.patch_embed1."),
        *(
            row
            for n in (1, 2, 3, 4)
            for row in (
                (rf"^encoder\.stages\.{n - 1}\.downsample\.", f"backbone.patch_embed{n}."),
                (
                    rf"^encoder\.stages\.{n - 1}\.blocks\.(\d+)\.mlp\.dwconv\.",
                    rf"backbone.block{n}.\1.mlp.dwconv.dwconv.",
                ),
                (rf"^encoder\.stages\.{n - 1}\.blocks\.", f"backbone.block{n}."),
                (rf"^encoder\.stages\.{n - 1}\.norm\.", f"backbone.norm{n}."),
                (rf"^refine\.{n - 1}\.channels\.bottleneck\.0\.", f"decoder.cab{n}.fc1."),
                (rf"^refine\.{n - 1}\.channels\.bottleneck\.2\.", f"decoder.cab{n}.fc2."),
                (rf"^refine\.{n - 1}\.scales\.widen\.", f"decoder.mscb{n}.0.pconv1."),
                (rf"^refine\.{n - 1}\.scales\.scales\.", f"decoder.mscb{n}.0.msdc.dwconvs."),
                (rf"^refine\.{n - 1}\.scales\.narrow\.", f"decoder.mscb{n}.0.pconv2."),
                (rf"^raises\.{n - 1}\.4\.", f"decoder.eucb{n}.pwc.0."),
                (rf"^raises\.{n - 1}\.", f"decoder.eucb{n}.up_dwc."),
                (rf"^gates\.{n - 1}\.of_below\.", f"decoder.lgag{n}.W_g."),
                (rf"^gates\.{n - 1}\.of_skip\.", f"decoder.lgag{n}.W_x."),
                (rf"^gates\.{n - 1}\.weight\.", f"decoder.lgag{n}.psi."),
                (rf"^heads\.{n - 1}\.", f"out_head{5 - n}."),
            )
        ),
        (r"^spatial\.", "decoder.sab."),
    ]
    tensors = theirs(student, names)
    return {k: shuffled(v) if k.endswith("pconv2.0.weight") else v for k, v in tensors.items()}


def same(student, fitted):
    """Bit-equal logits of the student, and of one of its kind with the imported weights."""
    again = filled(fitted.student, **fitted.args)
    again.load_state_dict(fitted.weights)
    image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        mine, imported = student(image), again(image)
    assert mine.std() > 0
    assert torch.isfinite(mine).all()
    return torch.equal(mine, imported)


@pytest.mark.parametrize(
    ("publish", "name", "args"),
    [
        (notebook, "unetpp", {"width": 4}),
        (unet, "unet", {"width": 4, "up": "bilinear"}),
        (unet, "unet", {"width": 4, "up": "transposed"}),
        (pranet, "pranet", {"encoder": "res2net50d"}),
        (pranet, "pranet", {"encoder": "res2net50d", "latent_feed": "concat_relu"}),
        (emcad, "emcadnet", {"encoder": "pvt_v2_b0"}),
    ],
)
def test_published_keys_give_the_same_logits_to_the_bit(publish, name, args):
    student = filled(name, **args)

    fitted = fit(publish(student), "published.pth")

    assert (fitted.student, fitted.args) == (name, args)
    assert same(student, fitted)
