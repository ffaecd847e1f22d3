"""A map is cut into a low and a high band, and nothing is lost."""

import math

import pytest
import torch

from distill.teaching.bands import LOW_PASSES, split
from engine.faults import FaultCode, FaultError


def wave(side, cycles, along=3):
    """[1, 1, side, side], a cosine of so many cycles along a dimension."""
    place = torch.arange(side) / side
    line = torch.cos(2 * math.pi * cycles * place + 0.3)
    shape = [1, 1, 1, 1]
    shape[along] = side
    return line.reshape(shape).expand(1, 1, side, side).contiguous()


def energy(maps):
    return float(maps.square().sum())


@pytest.mark.parametrize("kind", sorted(LOW_PASSES))
@pytest.mark.parametrize("size", [(22, 22), (44, 44), (64, 64), (21, 33)])
def test_low_and_high_are_the_map(kind, size):
    maps = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(0))

    low, high = split(maps, kind)

    assert torch.allclose(low + high, maps, atol=1e-6)
    assert low.dtype == high.dtype == torch.float32


@pytest.mark.parametrize("kind", sorted(LOW_PASSES))
@pytest.mark.parametrize("along", [2, 3])
def test_slow_waves_are_low_and_fast_ones_high(kind, along):
    slow, fast = wave(48, 2, along), wave(48, 20, along)

    assert energy(split(slow, kind)[0]) > 0.95 * energy(slow)
    assert energy(split(fast, kind)[1]) > 0.95 * energy(fast)


@pytest.mark.parametrize("kind", sorted(LOW_PASSES))
def test_a_constant_is_low(kind):
    maps = torch.full((1, 2, 22, 22), 3.0)

    low, high = split(maps, kind)

    assert torch.allclose(low, maps, atol=1e-5)
    assert high.abs().max() < 1e-5


def test_a_diagonal_wave_beyond_the_disc_may_be_inside_the_square():
    # Radius 64 / 6 = 10.7 cycles: 9 cycles both ways are 12.7 out. Inside the square, outside the disc.
    place = torch.arange(64) / 64
    maps = torch.cos(2 * math.pi * 9 * (place[:, None] + place[None]))[None, None]

    assert energy(split(maps, "fft_radial")[0]) < 0.01 * energy(maps)
    assert energy(split(maps, "fft_square_nb")[0]) > 0.99 * energy(maps)


def test_the_edge_of_the_disc_is_soft_and_half_way_at_the_radius():
    # 24 / 6 = 4 cycles: the wave on the radius is halved, one bin further in or out it is whole or gone.
    shares = [
        math.sqrt(energy(split(wave(24, cycles), "fft_radial")[0]) / energy(wave(24, cycles)))
        for cycles in (3, 4, 5)
    ]

    assert shares == pytest.approx([1, 0.5, 0], abs=1e-3)


def test_the_square_is_the_notebooks():
    """Fourier shifted over all dimensions, square of side 20 in 64, shifted back, real part."""
    maps = torch.randn(3, 5, 64, 64, generator=torch.Generator().manual_seed(0))
    spectrum = torch.fft.fftshift(torch.fft.fft2(maps))
    keep = torch.zeros(64, 64)
    radius = 64 // 6
    keep[32 - radius : 32 + radius, 32 - radius : 32 + radius] = 1
    theirs = torch.fft.ifft2(torch.fft.ifftshift(spectrum * keep)).real

    assert torch.allclose(split(maps, "fft_square_nb")[0], theirs, atol=1e-5)


def test_of_the_squares_lowest_frequency_only_half_the_wave_is_left():
    ten = wave(64, 10)

    assert torch.allclose(split(ten, "fft_square_nb")[0], ten / 2, atol=1e-5)
    assert torch.allclose(split(wave(64, 9), "fft_square_nb")[0], wave(64, 9), atol=1e-5)


def test_the_dct_keeps_a_triangle():
    # Half a cycle is coefficient 1; N = 24 keeps u + v < 8.
    place = (torch.arange(24) + 0.5) / 24

    def basis(u, v):
        return (torch.cos(math.pi * u * place)[:, None] * torch.cos(math.pi * v * place)[None])[None, None]

    for u, v, kept in ((0, 7, True), (4, 3, True), (0, 8, False), (4, 4, False)):
        low, _ = split(basis(u, v), "dct")
        assert torch.allclose(low, basis(u, v) * kept, atol=1e-5)


def test_half_precision_is_split_in_single():
    maps = torch.randn(1, 2, 22, 22, generator=torch.Generator().manual_seed(0))

    with torch.autocast("cpu", torch.bfloat16):
        low, high = split(maps, "dct")

    assert torch.allclose(low + high, maps, atol=1e-6)
    assert torch.equal(low, split(maps, "dct")[0])


def test_an_unknown_split_is_told():
    with pytest.raises(FaultError) as caught:
        split(torch.zeros(1, 1, 8, 8), "wavelet")

    assert caught.value.code is FaultCode.ARGUMENT
