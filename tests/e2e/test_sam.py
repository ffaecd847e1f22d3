"""Clicks by a SAM in a process of its own: a real network of both packages, small and untrained."""

from __future__ import annotations

import os
import signal
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from engine.faults import FaultError
from engine.review.editing.clicks import Click
from engine.review.sam.ways import WAYS

PICTURE = np.random.default_rng(0).integers(0, 255, (90, 120, 4)).astype(np.uint8)
INSIDE, OUTSIDE = Click(60, 45, inside=True), Click(10, 10, inside=False)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """As `transformers` saves one: config.json and model.safetensors."""
    from engine.models.torchvision_guard import ensure_torchvision

    ensure_torchvision()
    import transformers

    transformers.utils.logging.disable_progress_bar()
    seen = {"image_size": 64, "patch_size": 16}
    vision = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "output_channels": 32}
    vision |= {"mlp_dim": 32, "num_pos_feats": 16, "window_size": 2}
    config = transformers.SamConfig(
        vision_config={**seen, **vision, "global_attn_indexes": [0]},
        prompt_encoder_config={**seen, "hidden_size": 32, "mask_input_channels": 4},
        mask_decoder_config={
            "hidden_size": 32, "mlp_dim": 32, "num_attention_heads": 2, "iou_head_hidden_dim": 16,
        },
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("sam")
    transformers.SamModel(config).save_pretrained(folder)
    return folder


def answer(weights):
    with closing(WAYS["sam"](weights)) as way:
        way(PICTURE, None, [INSIDE])


@pytest.mark.slow  # torch and transformers are loaded for it, twice
def test_a_click_is_answered_by_the_network_until_its_process_is_killed_and_that_is_said(weights):
    with closing(WAYS["sam"](str(weights))) as way:
        first = way(PICTURE, None, [INSIDE])
        more = way(PICTURE, first, [INSIDE, OUTSIDE])
        assert first.shape == more.shape == (90, 120)
        assert (first[45, 60], more[45, 60], more[10, 10]) == (1, 1, 0)  # as the person said
        assert np.array_equal(way(PICTURE, None, [INSIDE]), first)
        os.kill(way.pid, signal.SIGKILL)
        with pytest.raises(FaultError, match=r"has ended \(signal SIGKILL\)\. Clicks go on by the outline"):
            way(PICTURE, None, [INSIDE])


@pytest.mark.slow
def test_what_it_looks_at_is_the_picture_and_the_click_is_where_it_was_made(weights):
    """The prompt that the network gets, of a picture that is wider than high: no pixel off."""
    from engine.review.sam.network import Looking, Sam, read_sam

    real, asked = read_sam(Path(weights)), []

    def decode(embedding, where, labels, rough):
        asked.append((where.tolist(), labels.tolist(), rough))
        return real.decode(embedding, where, labels, rough)

    looking = Looking(Sam(real.size_px, real.mask_px, real.embed, decode), PICTURE[..., :3])
    before = np.zeros((90, 120), np.uint8)
    before[:45] = 1
    looking.mask([(60.0, 45.0, True), (30.0, 90.0, False)], before)

    ((where, labels, rough),) = asked
    assert where == [[32.0, 24.0], [16.0, 48.0]]
    assert labels == [1, 0]
    assert rough.shape == (16, 16)
    assert (rough[:6] > 0).all()
    assert (rough[6:] < 0).all()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("", b"", "no weights are given"),
        ("gone.pth", None, "there is nothing at"),
        pytest.param("model.safetensors", b"\x00" * 8, "model.safetensors", marks=pytest.mark.slow),
    ],
)
def test_weights_that_are_not_there_are_told_with_the_file_its_source_and_its_licence(
    name, content, words, tmp_path
):
    path = tmp_path / name
    if name and content is not None:
        path.write_bytes(content)

    with pytest.raises(FaultError, match=words) as caught:
        answer(str(path) if name else "")
    if "safetensors" not in words:
        for part in ("sam_vit_b_01ec64.pth", "https://huggingface.co/facebook/sam-vit-base", "Apache-2.0"):
            assert part in str(caught.value)
    assert "Clicks go by the outline" in str(caught.value)
