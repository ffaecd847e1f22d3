"""Checkpoints with the keys that their authors publish become students and model folders."""

import json
import logging
import re
import shutil
from pathlib import Path

import pytest
import torch

from distill.__main__ import main
from distill.card.text import origin
from distill.judging.imported import COUNT, fit
from engine.faults import FaultCode, FaultError
from engine.files.whole import sha256_of
from engine.model_folder import find_model, load_model_folder
from engine.models import make_student
from engine.models.encoder import timm_key
from engine.models.latents import LatentFeed
from engine.models.published_keys import PUBLISHED as PUBLISHED_NETWORKS
from engine.runtime.student import load_student
from tests.distill.trees import pair, write_lines

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
    return theirs(student, names)


def shuffled(weight):
    """A 1x1 as it stands behind EMCAD's channel shuffle: groups as many as come out."""
    outputs, inputs = weight.shape[:2]
    channels = torch.arange(inputs).view(outputs, inputs // outputs).transpose(0, 1).reshape(-1)
    return weight[:, channels]


def emcad(student):
    """EMCAD's: levels 4 to 1 and heads 1 to 4 from the deepest, PVTv2 as its authors name it."""
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


CASES = [
    (notebook, "unetpp", {"width": 4}),
    (unet, "unet", {"width": 4, "up": "bilinear"}),
    (unet, "unet", {"width": 4, "up": "transposed"}),
    (pranet, "pranet", {"encoder": "res2net50d"}),
    (emcad, "emcadnet", {"encoder": "pvt_v2_b0"}),
]


@pytest.mark.parametrize(("publish", "name", "args"), CASES)
def test_published_keys_give_the_same_network_to_the_bit(publish, name, args):
    student = filled(name, **args)
    own = student.state_dict()

    fitted = fit(publish(student), "published.pth")

    assert (fitted.student, fitted.args, fitted.unknown) == (name, args, ())
    assert list(fitted.weights) == list(own)
    assert all(torch.equal(fitted.weights[key], value) for key, value in own.items())


@pytest.mark.parametrize(("linear", "feed"), [("linear1.0", "concat_relu"), ("linear1", "concat")])
def test_latents_that_pranets_decoder_takes_are_taken_as_the_file_has_them(linear, feed):
    (pranet,) = (row for row in PUBLISHED_NETWORKS if row.student == "pranet")
    tensors = {
        "rfb4_1.branch0.0.conv.weight": torch.empty(32, 2048 + 512, 1, 1),
        f"{linear}.weight": torch.empty(256, 2048, 1, 1),
    }

    (args,) = pranet.arguments(tensors)

    assert args == {"encoder": "res2net50d", "latent_feed": feed}
    assert pranet.own_key(f"{linear}.weight", args) == "latents.first.weight"


def test_a_latent_behind_a_relu_is_never_below_zero():
    feed = LatentFeed("concat_relu", 8, straight=True)
    _, maps = feed(torch.randn(1, 8, 4, 4, generator=torch.Generator().manual_seed(0)))

    assert maps["L1"].min() == 0 < maps["L1"].max()


def test_what_is_left_over_is_told_apart():
    tensors = unet(filled("unet", width=4)) | {
        "outc.conv.total_ops": torch.zeros(1),
        "linear.0.weight": torch.zeros(1),
        "edge.weight": torch.zeros(1),
    }
    parallel = {f"module.{key}": value for key, value in tensors.items() if COUNT not in key}

    fitted = fit(parallel, "published.pth")

    assert (fitted.idle, fitted.unknown) == (("linear.0.weight",), ("edge.weight",))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda tensors: tensors.pop("up2.conv.double_conv.3.weight"), "joins.1.3.weight"),
        (
            lambda tensors: tensors.update({"inc.double_conv.0.bias": torch.zeros(4)}),
            "inc.double_conv.0.bias",
        ),
        (lambda tensors: tensors.update({"outc.conv.weight": torch.zeros(2, 4, 1, 1)}), "head.weight"),
        (lambda tensors: tensors.pop("inc.double_conv.0.weight"), "none of the networks"),
    ],
)
def test_a_network_that_is_built_otherwise_is_refused_by_name(change, told):
    tensors = unet(filled("unet", width=4))
    change(tensors)

    with pytest.raises(FaultError, match=re.escape(told)) as raised:
        fit(tensors, "published.pth")

    assert raised.value.code is FaultCode.MODEL_LOAD


class Runs:
    """What a pickle may hold: a file is made where it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_file_whose_code_would_run_is_refused_in_one_sentence(tmp_path, capsys):
    ran, file = tmp_path / "ran", tmp_path / "published.pth"
    torch.save({"state_dict": Runs(ran)}, file)

    code = main(["import", str(file), "--out", str(tmp_path / "model")])

    assert code == 2
    (said,) = capsys.readouterr().err.strip().splitlines()
    assert "published.pth" in said
    assert "code" in said
    assert not ran.exists()
    assert not (tmp_path / "model").exists()


@pytest.fixture(scope="module")
def student():
    """fp16's own values, which are what a model folder keeps."""
    student = filled("unetpp", width=4)
    student.load_state_dict(
        {k: v.half() if v.is_floating_point() else v for k, v in student.state_dict().items()}
    )
    return student


@pytest.fixture(scope="module")
def onnx(student, tmp_path_factory):
    """As the quick exporter writes it: what is exported is tested with the students."""
    path = tmp_path_factory.mktemp("onnx") / "student.onnx"
    free = {"image": {0: "batch"}, "logits": {0: "batch"}}
    names = {"input_names": ["image"], "output_names": ["logits"]}
    torch.onnx.export(student, (torch.zeros(1, 3, 64, 64),), path, **names, dynamic_axes=free, dynamo=False)
    return path


@pytest.fixture(autouse=True)
def onnx_at_hand(request, monkeypatch):
    if "student" in request.fixturenames:
        path = request.getfixturevalue("onnx")
        monkeypatch.setattr(
            "distill.export.folder.write_onnx", lambda _, size_px, out: shutil.copy(path, out)
        )


def made(student, folder, *more):
    file = folder / "unetpp_sam_dino.pth"
    torch.save(notebook(student), file)
    assert main(["import", str(file), "--size", "64", *more]) == 0


def test_without_data_it_is_a_model_that_claims_nothing(student, tmp_path, monkeypatch, caplog, capsys):
    monkeypatch.setenv("POLYPLIVE_HOME", str(tmp_path / "home"))
    with caplog.at_level(logging.INFO):
        made(student, tmp_path)
    folder = load_model_folder(find_model("unetpp_sam_dino"))
    card = folder.card

    image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        assert torch.equal(load_student(folder)(image), student(image))
    assert card.input.mean == (0.485, 0.456, 0.406)
    assert (card.metrics, card.parity, card.training.held_out) == ((), (), None)
    assert set(card.presets) == {"sensitive", "standard", "quiet"}
    assert not any(preset.measured for preset in card.presets.values())
    told = card.training.imported
    assert told.file == "unetpp_sam_dino.pth"
    assert told.sha256 == sha256_of(tmp_path / told.file)
    assert told.left_over == ("linear1.0.weight", "linear2.weight", "linear.0.weight")
    assert "linear.0.weight" in caplog.text
    assert "nothing was measured" in card.training.split
    assert main(["evaluate", "unetpp_sam_dino"]) == 3  # by which images?
    assert "no images belong to it. Name a folder with --data." in capsys.readouterr().err


def test_with_data_its_presets_are_chosen_by_images_that_are_not_called_unseen(student, tmp_path, caplog):
    lines = []
    for seed in range(6):
        pair(tmp_path, f"{seed}.png", f"{seed}-mask.png", seed)
        lines.append({"image": f"{seed}.png", "mask": f"{seed}-mask.png", "set": "a", "group": f"g{seed}"})
    write_lines(tmp_path, lines)
    out = tmp_path / "imported-1"
    made(student, tmp_path, "--out", str(out), "--data", str(tmp_path), "--int8-images", "0")
    training = load_model_folder(out).card.training

    with caplog.at_level(logging.INFO):
        figures = tmp_path / "figures.json"
        asked = (
            "evaluate",
            str(out),
            "--data",
            str(tmp_path),
            "--runtime",
            "openvino",
            "--json",
            str(figures),
        )
        assert main([*asked]) == 0

    assert load_model_folder(out).card.presets["standard"].measured
    assert training.held_out is None
    assert training.imported.judged_on.validation_images == json.loads(figures.read_text())["n"]
    assert "may have been trained on" in training.split
    assert "may have been trained on" in caplog.text
    assert "may have been trained on" in json.loads(figures.read_text())["held_out"]
    assert "**Imported**, trained by others" in origin(training)
