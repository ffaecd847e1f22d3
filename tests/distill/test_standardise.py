"""After PHI-S every channel of a teacher has variance 1, by one scale and rotations."""

import pytest
import torch

from distill.teaching.standardise import Standardiser, hadamard, orthonormal
from engine.faults import FaultCode, FaultError

# Channels of the teachers: ViTs, C-RADIO, SAM, timm encoders at stride 16.
ORDERS = (1, 2, 12, 20, 28, 80, 96, 112, 256, 384, 768, 1024, 1152, 1280, 1408)


def teacher_maps(channels, images=6, side=12):
    """Correlated channels with offsets and variances over two decades, as transformers have them."""
    generator = torch.Generator().manual_seed(channels)
    mix = torch.randn(channels, channels, generator=generator) * torch.logspace(-1, 1, channels)[:, None]
    offset = 5 * torch.randn(channels, generator=generator)
    white = torch.randn(images, channels, side, side, generator=generator)
    return torch.einsum("oc,bchw->bohw", mix, white) + offset[:, None, None]


def statistics(maps):
    rows = maps.movedim(1, -1).flatten(0, -2).double()
    return rows.mean(0), torch.cov(rows.T, correction=0)


def variances(maps):
    return maps.var((0, 2, 3), correction=0)


@pytest.mark.parametrize("order", ORDERS)
def test_hadamard_matrices_are_of_ones_and_orthogonal(order):
    matrix = hadamard(order)

    assert set(matrix.unique().tolist()) <= {-1.0, 1.0}
    assert torch.equal(matrix @ matrix.T, order * torch.eye(order))


@pytest.mark.parametrize("order", [3, 18, 92])
def test_where_no_hadamard_matrix_is_known_a_rotation_stands_in_and_is_always_the_same(order):
    assert hadamard(order) is None
    assert torch.allclose(orthonormal(order) @ orthonormal(order).T, torch.eye(order).double(), atol=1e-10)
    assert torch.equal(orthonormal(order), orthonormal(order))


@pytest.mark.parametrize("channels", [12, 112])
def test_every_channel_has_variance_one_and_mean_zero(channels):
    maps = teacher_maps(channels)

    out = Standardiser(*statistics(maps))(maps)

    assert variances(maps).max() / variances(maps).min() > 10
    assert torch.allclose(variances(out), torch.ones(channels), atol=1e-3)
    assert out.mean((0, 2, 3)).abs().max() < 1e-3


def test_distances_keep_their_proportions():
    maps = teacher_maps(12)
    out = Standardiser(*statistics(maps))(maps)

    before = (maps[..., 0, 0] - maps[..., 3, 3]).norm(dim=1)
    after = (out[..., 0, 0] - out[..., 3, 3]).norm(dim=1)

    assert torch.allclose(before / before[0], after / after[0], rtol=1e-3)


def test_pca_keeps_the_strongest_directions_each_with_variance_one():
    maps = teacher_maps(24)
    mean, covariance = statistics(maps)

    made = Standardiser(mean, covariance, channels=8)
    out = made(maps)

    assert made.channels == 8
    assert out.shape[1] == 8
    assert torch.allclose(variances(out), torch.ones(8), atol=1e-3)
    kept = torch.linalg.eigvalsh(covariance)[-8:].sum()
    scale = torch.linalg.svdvals(made.matrix.double())[0]
    assert float(8 / scale**2) == pytest.approx(float(kept), rel=1e-3)


def test_the_state_is_in_the_checkpoint():
    maps = teacher_maps(12)
    made = Standardiser(*statistics(maps))
    other = Standardiser(torch.zeros(12), torch.eye(12))

    other.load_state_dict(made.state_dict())

    assert torch.equal(other(maps), made(maps))
    assert not list(made.parameters())


def test_half_precision_is_standardised_in_single():
    maps = teacher_maps(12)
    made = Standardiser(*statistics(maps))

    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(made(maps), made(maps.float()))
        assert made(maps.half()).dtype == torch.float32


@pytest.mark.parametrize("covariance", [torch.zeros(4, 4), torch.full((4, 4), torch.nan)])
def test_features_that_say_nothing_are_refused(covariance):
    with pytest.raises(FaultError) as caught:
        Standardiser(torch.zeros(4), covariance)

    assert caught.value.code is FaultCode.DATA_SET
