"""Encoders from timm: made by name, filled from a file or the hub, and what a model card says of them."""

import re

import pytest

from engine.faults import FaultCode, FaultError

torch = pytest.importorskip("torch", reason="pip install 'polyplive[torch]'")

from engine.models.encoder import load_pretrained, make_encoder  # noqa: E402

TINY = "test_efficientnet"


def timm_model(name):
    from engine.models.torchvision_guard import ensure_torchvision

    ensure_torchvision()
    import timm

    torch.manual_seed(1)
    return timm.create_model(name, pretrained=False)


def stored(path, name):
    """Weights as timm's own full model of that name has them, classifier included."""
    from safetensors.torch import save_file

    model = timm_model(name)
    save_file(model.state_dict(), path)
    return model


def refused(encoder, source):
    with pytest.raises(FaultError) as caught:
        load_pretrained(encoder, str(source))
    return caught.value


# timm wraps what gives maps: a list of stages gets other names, a transformer becomes a part named "model".
@pytest.mark.parametrize(
    ("name", "strides"), [(TINY, (8, 32)), ("test_convnext", (4, 32)), ("test_vit", (16,))]
)
def test_a_full_model_fills_the_encoder(name, strides, tmp_path):
    full = stored(tmp_path / "full.safetensors", name).eval()
    encoder = make_encoder(name, strides).eval()
    image = torch.rand(1, 3, 160, 160)  # the size of test_vit

    load_pretrained(encoder, str(tmp_path / "full.safetensors"))

    with torch.inference_mode():
        of_full, of_encoder = full.forward_intermediates(image, intermediates_only=True), encoder(image)
    assert torch.allclose(of_full[-1], of_encoder[-1], atol=1e-5)


def test_the_card_tells_the_scaling_and_the_padding(tmp_path):
    from engine.files.whole import sha256_of

    path = tmp_path / "tf_efficientnet_lite0_in1k.safetensors"
    stored(path, "tf_efficientnet_lite0")
    card = load_pretrained(make_encoder("tf_efficientnet_lite0"), str(path))

    assert (card.name, card.source, card.sha256) == ("tf_efficientnet_lite0", path.name, sha256_of(path))
    assert (card.mean, card.std, card.padding) == ((0.5,) * 3, (0.5,) * 3, "same")


def test_symmetric_padding_is_told_too(tmp_path):
    stored(tmp_path / "tiny.safetensors", TINY)
    card = load_pretrained(make_encoder(TINY), str(tmp_path / "tiny.safetensors"))

    assert (card.mean, card.padding) == ((0.485, 0.456, 0.406), "symmetric")


def test_weights_with_the_other_padding_are_refused_by_their_name(tmp_path):
    path = tmp_path / "tf_efficientnet_lite0_in1k.safetensors"
    stored(path, "tf_efficientnet_lite0")
    fault = refused(make_encoder("efficientnet_lite0"), path)  # the same keys and shapes

    assert fault.code is FaultCode.MODEL_LOAD
    assert "tf_efficientnet_lite0" in fault.remedy


def test_weights_of_another_network_are_refused(tmp_path):
    from safetensors.torch import save_file

    save_file({"conv.weight": torch.zeros(1)}, tmp_path / "other.safetensors")

    assert refused(make_encoder(TINY), tmp_path / "other.safetensors").code is FaultCode.MODEL_LOAD


def test_a_file_that_is_no_safetensors_is_refused(tmp_path):
    (tmp_path / "cut.safetensors").write_bytes(b"\x00" * 20)

    assert refused(make_encoder(TINY), tmp_path / "cut.safetensors").code is FaultCode.MODEL_LOAD


def test_a_missing_weights_file_is_told(tmp_path):
    assert refused(make_encoder(TINY), tmp_path / "none.safetensors").code is FaultCode.MODEL_MISSING


def authors_keys(key):
    """timm's key of PVTv2 as its authors write it: stages from 1, embeddings and norms beside them."""
    key = re.sub(r"^patch_embed\.", "patch_embed1.", key)
    key = re.sub(r"^stages\.(\d)\.downsample\.", lambda found: f"patch_embed{int(found[1]) + 1}.", key)
    key = re.sub(r"^stages\.(\d)\.blocks\.", lambda found: f"block{int(found[1]) + 1}.", key)
    key = re.sub(r"^stages\.(\d)\.norm\.", lambda found: f"norm{int(found[1]) + 1}.", key)
    return key.replace("mlp.dwconv.", "mlp.dwconv.dwconv.")


@pytest.mark.parametrize(
    ("name", "file", "authors"),
    [
        ("res2net50d", "res2net50_v1b_26w_4s-3cf99910.pth", lambda key: key),
        ("pvt_v2_b0", "pvt_v2_b0.pth", authors_keys),
    ],
)
def test_the_authors_own_file_fills_the_encoder(name, file, authors, tmp_path):
    full = timm_model(name)
    torch.save({authors(key): value for key, value in full.state_dict().items()}, tmp_path / file)
    encoder = make_encoder(name)

    card = load_pretrained(encoder, str(tmp_path / file))

    own = full.state_dict()
    for key, value in encoder.state_dict().items():
        assert torch.equal(value, own[re.sub(r"^stages_(\d)", r"stages.\1", key)]), key
    assert (card.name, card.source) == (name, file)


def test_the_authors_file_is_found_by_its_own_name(tmp_path, monkeypatch):
    from distill.weights_at_hand import encoder_file

    monkeypatch.setenv("POLYPLIVE_HOME", str(tmp_path / "home"))
    folder = tmp_path / "weights"
    folder.mkdir()
    for name in ("res2net50_v1b_26w_4s-3cf99910.pth", "pvt_v2_b2_li.pth"):
        (folder / name).touch()

    assert encoder_file("res2net50d", tmp_path) == folder / "res2net50_v1b_26w_4s-3cf99910.pth"
    assert encoder_file("pvt_v2_b2", tmp_path) is None


def test_a_torch_file_that_would_run_code_is_refused(tmp_path):
    class Runs:
        def __reduce__(self):
            return (print, ("run",))

    torch.save({"conv1.0.weight": Runs()}, tmp_path / "res2net50_v1b_26w_4s.pth")
    fault = refused(make_encoder(TINY), tmp_path / "res2net50_v1b_26w_4s.pth")

    assert fault.code is FaultCode.MODEL_LOAD
    assert "tensors only" in fault.expected


def test_without_a_network_the_hub_is_one_sentence(monkeypatch):
    import huggingface_hub
    from huggingface_hub.errors import LocalEntryNotFoundError

    def offline(*_args, **_kwargs):
        raise LocalEntryNotFoundError("no connection")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", offline)
    fault = refused(make_encoder(TINY), f"hf-hub:timm/{TINY}.r160_in1k")

    assert fault.code is FaultCode.MODEL_MISSING
    assert "local safetensors file" in fault.remedy


def test_a_network_without_a_timm_encoder_takes_no_pretrained_weights(tmp_path):
    from engine.models import make_student

    plain = make_student("unet", {"width": 4}).get_submodule("encoder")

    assert refused(plain, tmp_path / "any.safetensors").code is FaultCode.ARGUMENT


def test_an_encoder_without_the_strides_is_refused():
    with pytest.raises(FaultError) as caught:
        make_encoder("pvt_v2_b0", strides=(2, 4))

    assert caught.value.code is FaultCode.ARGUMENT
