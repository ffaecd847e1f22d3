"""What every teacher of the table promises; `pytest -k NAME` for one. Random weights, real channel counts."""

import importlib.util
import os
from pathlib import Path

import pytest

from engine.faults import FaultCode, FaultError

torch = pytest.importorskip("torch", reason="pip install 'polyplive[torch]'")

from distill.recipe import TeacherPart  # noqa: E402
from distill.teachers import TEACHERS, card_of, make_teacher  # noqa: E402
from engine.models.torchvision_guard import ensure_torchvision  # noqa: E402

NEEDS_FILES = ("task", "ensemble")  # our own models: tests/distill/test_task_teacher.py
NOTEBOOK = ("sam_notebook", "dinov2_notebook")  # misplaced on purpose
NAMES = [name for name in TEACHERS if name not in (*NEEDS_FILES, *NOTEBOOK, "timm")] + [
    "timm:test_efficientnet"
]
HAS_EXTRA = importlib.util.find_spec("transformers") is not None
# What the publishers' networks give next to what our cards say.
CHANNELS = {
    "dinov2_small": 384,
    "dinov2_base": 768,
    "dinov2_large": 1024,
    "dinov2_giant": 1536,
    "dinov3_small": 384,
    "ijepa_huge": 1280,
    "rad_dino": 768,
    "sam_base": 256,
    "sam2_large": 256,
    "mobile_sam": 256,
    "clip_large": 1024,
    "owlvit_base": 768,
    "medclip": 768,
    "oneformer": 256,
    "mask2former": 256,
    "c_radio_v3_base": 768,
    "c_radio_v4_so400m": 1152,
    "c_radio_v4_huge": 1280,
}
# One of each way to build and to read a network.
READINGS = [
    "dinov2_small",
    "dinov2_base_registers",
    "dinov3_small",
    "ijepa_huge",
    "sam_base",
    "segment_anything_base",
    "medsam",
    "mobile_sam",
    "efficient_sam_tiny",
    "sam2_tiny",
    "clip_base",
    "owlv2_base",
    "biomedclip",
    "medclip",
    "oneformer",
    "mask2former",
    "c_radio_v3_base",
    "c_radio_v4_so400m",
    "timm:test_efficientnet",
]
OTHERS = [name for name in NAMES if name not in READINGS]  # the same again, larger


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    """No network, and nothing that an earlier download left; torchvision as transformers needs it."""
    ensure_torchvision()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    if importlib.util.find_spec("huggingface_hub"):
        from huggingface_hub import constants

        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))


def tiny(name, cells=8):
    """A random teacher with one layer, for pictures of a few cells."""
    entry = TEACHERS[name.partition(":")[0]]
    if entry.extra == "teachers" and not HAS_EXTRA:
        pytest.skip("pip install 'polyplive[teachers]'")
    torch.manual_seed(0)
    # A fixed size is one of pretrained weights; MedCLIP's windows need their own.
    size_px = 0 if name == "medclip" else cells * card_of(TeacherPart(name=name)).stride
    return make_teacher(TeacherPart(name=name, size_px=size_px), tiny=True)


def lively(teacher):
    """Batch norms with the statistics of some pictures: fresh ones let a random network's signal die out."""
    norms = [module for module in teacher.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    for norm in norms:
        torch.nn.init.ones_(norm.weight)
        norm.momentum = None
        norm.training = True  # a teacher itself never goes into training mode
    if norms:
        teacher.embed(torch.rand(4, 3, 128, 128, generator=torch.Generator().manual_seed(2)))
    return teacher.eval()


def picture(height=90, width=120):
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    "name", [*READINGS, *(pytest.param(name, marks=pytest.mark.slow) for name in OTHERS)]
)
def test_the_map_has_the_channels_and_the_stride_of_the_card(name):
    teacher = tiny(name)
    found = teacher.embed(picture())

    assert found.shape == (1, teacher.card.channels, *teacher.card.grid)
    assert found.dtype == torch.float32


@pytest.mark.parametrize("name", READINGS)
@pytest.mark.parametrize(("height", "width"), [(128, 128), (80, 200)])
def test_a_feature_is_where_its_pixels_are(name, height, width):
    """A patch painted at three eighths of the width and six of the height moves the features there most."""
    # MobileSAM's windows of 7 and 14 cells reach over all of a smaller map.
    teacher = lively(tiny(name, cells=16 if name == "mobile_sam" else 8))
    plain = torch.full((1, 3, height, width), 0.5)
    # Black and white in a corner of both: MedSAM scales each picture by its extremes.
    plain[..., : height // 8, : width // 8], plain[..., : height // 8, -width // 8 :] = 0.0, 1.0
    painted = plain.clone()
    top, left = height * 5 // 8, width * 2 // 8
    painted[..., top : top + height // 4, left : left + width // 4] = torch.tensor([0.9, 0.2, 0.1])[
        :, None, None
    ]

    away = (teacher.embed(painted) - teacher.embed(plain)).norm(dim=1)[0]
    rows, columns = (torch.arange(cells) + 0.5 for cells in away.shape)
    strong = (away > 0.6 * away.amax()).float()
    y = float((strong.sum(1) * rows).sum() / strong.sum()) / len(rows)
    x = float((strong.sum(0) * columns).sum() / strong.sum()) / len(columns)

    assert (x, y) == pytest.approx((3 / 8, 6 / 8), abs=0.08)


@pytest.mark.parametrize("name", READINGS)
def test_a_teacher_is_frozen(name):
    teacher = tiny(name)
    image = picture().requires_grad_()
    teacher.train()
    found = teacher.embed(image)

    assert not found.requires_grad
    assert not any(parameter.requires_grad for parameter in teacher.parameters())
    assert not any(module.training for module in teacher.modules())


@pytest.mark.parametrize("name", ["dinov2_small", "medsam", "timm:test_efficientnet"])
def test_a_picture_is_judged_by_itself(name):
    teacher = tiny(name)
    pictures = torch.cat([picture(), picture() * 0.3])

    assert torch.allclose(teacher.embed(pictures)[1:], teacher.embed(pictures[1:]), atol=1e-4)


def test_a_students_autocast_does_not_round_a_teacher():
    teacher = tiny("dinov2_small")
    with torch.autocast("cpu", torch.bfloat16):
        inside = teacher.embed(picture())

    assert torch.equal(inside, teacher.embed(picture()))


def test_registers_are_no_places():
    teacher = tiny("dinov2_base_registers")

    assert teacher.network.config.num_register_tokens == 4
    assert teacher.embed(picture()).shape[-2:] == (8, 8)


def test_the_notebooks_sam_says_three_masks_three_times():
    if not HAS_EXTRA:
        pytest.skip("pip install 'polyplive[teachers]'")
    torch.manual_seed(0)
    found = make_teacher(TeacherPart(name="sam_notebook", size_px=256), tiny=True).embed(picture())

    assert found.shape == (1, 9, 64, 64)
    assert torch.equal(found[:, :3], found[:, 3:6])
    assert float(found.min()) >= 0
    assert float(found.max()) <= 1


def test_the_notebooks_dinov2_sees_the_centre_and_its_sam_a_padded_square():
    if not HAS_EXTRA:
        pytest.skip("pip install 'polyplive[teachers]'")
    image = torch.zeros(1, 3, 288, 384)
    image[..., 144, 192] = 1.0
    image[..., 8:280, :40] = 0.5  # left of the crop
    cropped = make_teacher(TeacherPart(name="dinov2_notebook"), tiny=True).prepare(image)
    padded = make_teacher(TeacherPart(name="sam_notebook", size_px=256), tiny=True).prepare(image)

    assert cropped.shape == (1, 3, 224, 224)
    assert float(cropped[..., :100].amax()) == 0
    assert float(cropped[..., 108:116, 108:116].amax()) > 0
    assert torch.allclose(padded[0, :, 192:, 0], torch.tensor([0.485, 0.456, 0.406])[:, None].expand(3, 64))


def test_position_embeddings_are_stretched_to_the_input():
    """Pretrained on 16 x 16 cells, asked for 8 x 8 and for 22 x 22."""
    for cells in (8, 22):
        assert tiny("ijepa_huge", cells).embed(picture()).shape[-2:] == (cells, cells)


@pytest.mark.parametrize("name", ["dinov2_small", "owlvit_base", "sam2_tiny"])
def test_weights_as_they_are_published_are_loaded_by_name(name, tmp_path):
    """Saved by the class that the hub's file was saved by, text towers, heads and decoders included."""
    transformers = pytest.importorskip("transformers", reason="pip install 'polyplive[teachers]'")
    if name == "dinov2_small":
        config = transformers.Dinov2Config(
            hidden_size=384, num_attention_heads=6, num_hidden_layers=1, image_size=518, patch_size=14
        )
        published = transformers.Dinov2ForImageClassification(config)
        inner = published.dinov2
    elif name == "owlvit_base":
        vision = {"num_hidden_layers": 1}
        config = transformers.OwlViTConfig(vision_config=vision, text_config=vision)
        published = transformers.OwlViTForObjectDetection(config)
        inner = published.owlvit.vision_model
    else:
        published = transformers.Sam2Model(transformers.Sam2Config())
        inner = published.vision_encoder
    published.save_pretrained(tmp_path)
    teacher = make_teacher(TeacherPart(name=name, weights=str(tmp_path)))
    own = {key.removeprefix("vision_model."): value for key, value in teacher.network.state_dict().items()}

    assert own.keys() <= inner.state_dict().keys()
    assert all(torch.equal(value, own[key]) for key, value in inner.state_dict().items() if key in own)


def test_a_file_alone_is_enough(tmp_path):
    """SAM's authors publish a .pth with all of SAM; the image encoder is in it."""
    pytest.importorskip("segment_anything", reason="pip install 'polyplive[teachers]'")
    from distill.teachers.sam_light import EfficientSamEncoder

    network = EfficientSamEncoder(width=192, heads=3, depth=12)
    whole = {f"image_encoder.{key}": value for key, value in network.state_dict().items()}
    torch.save({"model": {**whole, "mask_decoder.x": torch.zeros(1)}}, tmp_path / "efficient_sam_vitt.pt")
    part = TeacherPart(name="efficient_sam_tiny", weights=str(tmp_path / "efficient_sam_vitt.pt"))

    stored = make_teacher(part).network.state_dict()
    assert all(torch.equal(stored[key], value) for key, value in network.state_dict().items())


def test_a_stage_of_mobile_sam_ends_where_timms_next_begins():
    from distill.teachers.sam_light import MobileSamEncoder, mobile_sam_key

    own = MobileSamEncoder().state_dict()

    assert mobile_sam_key("layers.2.downsample.conv2.c.weight") in own
    assert mobile_sam_key("layers.1.blocks.0.attn.qkv.weight") in own
    assert mobile_sam_key("patch_embed.seq.2.bn.running_mean") in own
    assert mobile_sam_key("neck.2.weight") in own


@pytest.mark.parametrize("name", ["dinov2_small", "sam_base", "mobile_sam", "biomedclip", "c_radio_v3_base"])
def test_offline_without_weights_is_one_sentence(name):
    if not HAS_EXTRA:
        pytest.skip("pip install 'polyplive[teachers]'")
    with pytest.raises(FaultError) as caught:
        make_teacher(TeacherPart(name=name))

    assert caught.value.code is FaultCode.MODEL_MISSING
    assert card_of(TeacherPart(name=name)).hub_id in str(caught.value)
    assert "\n" not in str(caught.value)


def test_weights_of_another_network_are_refused(tmp_path):
    pytest.importorskip("transformers", reason="pip install 'polyplive[teachers]'")
    from safetensors.torch import save_file

    save_file({"conv.weight": torch.zeros(1)}, tmp_path / "other.safetensors")
    for name in ("dinov2_small", "efficient_sam_tiny"):
        with pytest.raises(FaultError) as caught:
            make_teacher(TeacherPart(name=name, weights=str(tmp_path / "other.safetensors")))

        assert caught.value.code is FaultCode.MODEL_LOAD


def test_a_pickle_that_does_things_is_refused(tmp_path):
    torch.save({"model": os.system}, tmp_path / "bad.pth")
    with pytest.raises(FaultError) as caught:
        make_teacher(TeacherPart(name="efficient_sam_tiny", weights=str(tmp_path / "bad.pth")))

    assert caught.value.code in (FaultCode.MODEL_LOAD, FaultCode.EXTRA_MISSING)


def test_a_non_commercial_licence_has_to_be_accepted():
    if not HAS_EXTRA:
        pytest.skip("pip install 'polyplive[teachers]'")
    part = TeacherPart(name="ijepa_huge")
    with pytest.raises(FaultError) as caught:
        make_teacher(part)
    assert "CC-BY-NC-4.0" in str(caught.value)
    assert "--accept-licence" in str(caught.value)

    with pytest.raises(FaultError) as caught:
        make_teacher(part, accept_licence=True)
    assert caught.value.code is FaultCode.MODEL_MISSING  # the licence was no matter any more


@pytest.mark.parametrize("name", NAMES)
def test_every_card_says_what_may_be_done_with_the_weights(name):
    if TEACHERS[name.partition(":")[0]].extra == "teachers" and not HAS_EXTRA:
        pytest.skip("pip install 'polyplive[teachers]'")
    card = card_of(TeacherPart(name=name))

    assert card.hub_id
    assert card.licence
    assert card.commercial or "NC" in card.licence or "other" in card.licence


@pytest.mark.parametrize("name", CHANNELS)
def test_a_card_has_the_published_channels(name):
    if not HAS_EXTRA:
        pytest.skip("pip install 'polyplive[teachers]'")
    assert card_of(TeacherPart(name=name)).channels == CHANNELS[name]


def test_the_documentation_has_every_teacher():
    told = (Path(__file__).parents[2] / "docs" / "teachers.md").read_text(encoding="utf-8")

    assert [name for name in NAMES if f"`{name}`" not in told and ":" not in name] == []


def test_a_size_that_does_not_fit_is_told():
    if not HAS_EXTRA:
        pytest.skip("pip install 'polyplive[teachers]'")
    for part, told in (
        (TeacherPart(name="dinov2_small", size_px=352), "take 350"),
        (TeacherPart(name="sam_base", size_px=512), "leave size_px out"),
    ):
        with pytest.raises(FaultError) as caught:
            card_of(part)
        assert told in str(caught.value)


def test_an_unknown_teacher_names_the_nearest():
    with pytest.raises(FaultError) as caught:
        card_of(TeacherPart(name="dinov2_smal"))

    assert "Choose dinov2_small" in str(caught.value)


def test_the_area_mean_keeps_place_and_sum():
    from distill.teachers.geometry import area_resize

    maps = torch.zeros(1, 1, 64, 64)
    maps[..., 20, 40] = 1.0
    found = area_resize(maps, 22, 22)

    rows, columns = (torch.arange(22) + 0.5 for _ in range(2))
    assert float(found.mean()) == pytest.approx(float(maps.mean()))
    assert float((found[0, 0].sum(1) * rows).sum() / found.sum()) * 64 / 22 == pytest.approx(20.5, abs=1.5)
    assert float((found[0, 0].sum(0) * columns).sum() / found.sum()) * 64 / 22 == pytest.approx(40.5, abs=1.5)
    assert torch.allclose(area_resize(maps, 32, 32), torch.nn.functional.avg_pool2d(maps, 2))
