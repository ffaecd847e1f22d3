"""What makes a training fast on a CPU changes none of its figures."""

import json
import resource
import subprocess
import sys

import pytest
import torch
from torch import nn

from distill import __main__ as program
from distill.recipe import load_recipe
from distill.train.cpu import depthwise, kernels, norm
from distill.train.cpu.depthwise import FastDepthwise
from distill.train.cpu.norm import FastNorm
from distill.train.cpu.precision import fitting

CONVOLUTIONS = {
    "3x3": {"kernel_size": 3, "padding": 1},
    "3x3, padded before": {"kernel_size": 3, "stride": 2},
    "5x5": {"kernel_size": 5, "padding": 2},
    "5x5 at stride 2": {"kernel_size": 5, "stride": 2, "padding": 2},
    "more padding than taps": {"kernel_size": 3, "padding": 4},
    "dilated": {"kernel_size": 3, "padding": 2, "dilation": 2},
    "stride 3": {"kernel_size": 3, "stride": 3, "padding": 1},
    "as large as the picture": {"kernel_size": 5},
}
SIDES_PX = {"as large as the picture": 5}
KERNEL = pytest.mark.skipif(kernels.library() is None, reason="no C++ compiler")


def gradients(network, image, mode=None):
    network.zero_grad()
    image = image.clone().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        if mode is None:
            said = network(image)
        else:
            with mode:
                said = network(image)
    said.float().pow(2).sum().backward()
    return [said.detach().float(), image.grad, *(p.grad.clone() for p in network.parameters())]


@pytest.fixture(params=["compiled", "in torch"])
def way(request, monkeypatch):
    if request.param == "in torch":
        monkeypatch.setattr(depthwise, "library", lambda: None)
    elif kernels.library() is None:
        pytest.skip("no C++ compiler")


@pytest.fixture(params=CONVOLUTIONS)
def kind(request):
    return request.param


@pytest.fixture
def network(kind):
    torch.manual_seed(0)
    layer = nn.Conv2d(32, 32, groups=32, bias=False, **CONVOLUTIONS[kind])
    return nn.Sequential(nn.Conv2d(3, 32, 1), layer).to(memory_format=torch.channels_last)


def test_fast_depthwise_convolutions_say_and_learn_what_plain_ones_do(network, kind, way):
    side_px = SIDES_PX.get(kind, 23)
    image = torch.rand(3, 3, side_px, side_px)

    plain, fast = gradients(network, image), gradients(network, image, FastDepthwise())

    assert torch.equal(plain[0], fast[0])
    for a, b in zip(plain[1:], fast[1:], strict=True):
        assert torch.nn.functional.cosine_similarity(a.flatten(), b.flatten(), 0) > 0.9999


@pytest.mark.parametrize("kind", ["3x3", "5x5 at stride 2"])
def test_their_gradients_are_nearer_to_those_of_float32(network, kind, way):
    image = torch.rand(8, 3, 24, 24)
    network.zero_grad()
    network(image).pow(2).sum().backward()
    exact = network[1].weight.grad.clone()

    plain = gradients(network, image)[-1]
    fast = gradients(network, image, FastDepthwise())[-1]

    assert (fast - exact).norm() <= 1.05 * (plain - exact).norm()


@KERNEL
def test_the_kernel_gives_the_gradients_that_torch_gives_in_float32():
    torch.manual_seed(0)
    image = torch.randn(2, 48, 21, 17).bfloat16().contiguous(memory_format=torch.channels_last)
    weight = torch.randn(48, 1, 5, 5).bfloat16()
    gradient = torch.randn(2, 48, 11, 9).bfloat16().contiguous(memory_format=torch.channels_last)
    geometry = [2, 2], [2, 2], [1, 1]

    by_image, by_weight = depthwise._by_kernel(gradient, image, weight, geometry, (True, True))

    exact = torch.ops.aten.convolution_backward(
        *(t.float() for t in (gradient, image, weight)),
        None,
        *geometry,
        False,
        [0, 0],
        48,
        [True, True, False],
    )
    torch.testing.assert_close(by_image.float(), exact[0], rtol=2**-8, atol=1e-3)  # bf16 has 8 bits
    torch.testing.assert_close(by_weight.float(), exact[1], rtol=2**-8, atol=1e-3)


@KERNEL
def test_the_kernels_gradients_do_not_depend_on_the_number_of_threads():
    image = torch.randn(5, 16, 16, 16).bfloat16().contiguous(memory_format=torch.channels_last)
    weight = torch.randn(16, 1, 3, 3).bfloat16()
    threads, found = torch.get_num_threads(), []
    try:
        for count in (1, 2, 4):
            torch.set_num_threads(count)
            found.append(depthwise._by_kernel(image, image, weight, ([1, 1], [1, 1], [1, 1]), (True, True)))
    finally:
        torch.set_num_threads(threads)

    for by_image, by_weight in found[1:]:
        assert torch.equal(by_image, found[0][0])
        assert torch.equal(by_weight, found[0][1])


@KERNEL
def test_the_kernel_leaves_tiny_numbers_be():
    assert torch.tensor(1e-40) * 1 > 0


@KERNEL
def test_the_kernel_hides_no_value_that_is_no_number():
    image = torch.ones(1, 16, 8, 8).bfloat16().contiguous(memory_format=torch.channels_last)
    gradient = image.clone()
    gradient[0, 3, 4, 4] = float("nan")

    geometry = [1, 1], [1, 1], [1, 1]
    by_image, by_weight = depthwise._by_kernel(
        gradient, image, torch.ones(16, 1, 3, 3).bfloat16(), geometry, (True, True)
    )

    assert by_image[0, 3, 3:6, 3:6].isnan().all()
    assert by_weight[3].isnan().all()
    assert by_image[0, 2].isfinite().all()


RELUS = {"none": nn.Identity, "ReLU": nn.ReLU, "ReLU in place": lambda: nn.ReLU(True), "ReLU6": nn.ReLU6}


def normed(channels, relu):
    torch.manual_seed(0)
    layer = nn.BatchNorm2d(channels)
    nn.init.uniform_(layer.weight, 1, 4)  # so that a ReLU6 clips on both sides
    nn.init.normal_(layer.bias)
    first, last = nn.Conv2d(3, channels, 3, bias=False), nn.Conv2d(channels, 3, 1)
    return nn.Sequential(first, layer, relu(), last).to(memory_format=torch.channels_last)


@KERNEL
@pytest.mark.parametrize("relu", RELUS)
@pytest.mark.parametrize("channels", [16, 24, 40, 112])
def test_fast_norms_say_and_learn_what_plain_ones_do(channels, relu):
    plain, fast = normed(channels, RELUS[relu]), normed(channels, RELUS[relu])
    image = torch.randn(4, 3, 21, 20) + 5  # a mean far from zero, as of dark pictures

    expected, found = gradients(plain, image), gradients(fast, image, FastNorm(fast))

    torch.testing.assert_close(found[0], expected[0], rtol=2**-7, atol=2**-7 * expected[0].abs().max().item())
    for a, b in zip(expected[1:], found[1:], strict=True):
        assert torch.nn.functional.cosine_similarity(a.flatten(), b.flatten(), 0) > 0.997
    for a, b in zip(plain[1].buffers(), fast[1].buffers(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4)


@KERNEL
def test_fast_norms_are_nearer_to_float32():
    image = torch.randn(8, 3, 24, 24)
    networks = [normed(32, nn.ReLU6) for _ in range(3)]
    networks[0](image).pow(2).sum().backward()
    exact = networks[0][1].weight.grad

    plain = gradients(networks[1], image) and networks[1][1].weight.grad
    fast = gradients(networks[2], image, FastNorm(networks[2])) and networks[2][1].weight.grad

    assert (fast - exact).norm() <= 1.05 * (plain - exact).norm()


@KERNEL
def test_fast_norms_do_not_depend_on_the_number_of_threads():
    threads, found = torch.get_num_threads(), []
    try:
        for count in (1, 2, 4):
            torch.set_num_threads(count)
            network = normed(24, nn.ReLU6)[1:3]
            with torch.autocast("cpu", torch.bfloat16), FastNorm(network):
                given = torch.linspace(-3, 3, 24 * 900).view(1, 24, 30, 30).bfloat16()
                given = given.contiguous(memory_format=torch.channels_last).requires_grad_()
                network(given).sum().backward()
            found.append((given.grad, network[0].weight.grad, network[0].running_var))
    finally:
        torch.set_num_threads(threads)

    for several in found[1:]:
        assert all(torch.equal(a, b) for a, b in zip(found[0], several, strict=True))


@KERNEL
def test_fast_norms_hide_no_value_that_is_no_number():
    network = nn.Sequential(nn.BatchNorm2d(16), nn.ReLU6())
    image = torch.ones(1, 16, 8, 8).bfloat16().contiguous(memory_format=torch.channels_last)
    image[0, 3, 4, 4] = float("nan")

    with torch.autocast("cpu", torch.bfloat16), FastNorm(network):
        said = network(image)

    assert said[0, 3].isnan().all()
    assert said[0, 2].isfinite().all()


@KERNEL
def test_only_norms_that_train_in_bf16_go_that_way(monkeypatch):
    calls = []
    monkeypatch.setattr(norm._Rows, "call", lambda rows, name, *values: calls.append(name))
    network = nn.Sequential(nn.BatchNorm2d(16), nn.ReLU())
    image = torch.rand(2, 16, 8, 8).contiguous(memory_format=torch.channels_last)

    with FastNorm(network):
        with torch.autocast("cpu", torch.bfloat16):
            network(image)  # float32
            network.eval()(image.bfloat16())
        network.train()(image.bfloat16())  # no autocast
    assert not calls

    with torch.autocast("cpu", torch.bfloat16), FastNorm(network):
        network(image.bfloat16())
    assert calls


def test_without_a_compiler_training_takes_the_way_through_torch(monkeypatch):
    monkeypatch.setattr(kernels.shutil, "which", lambda name: None)

    assert kernels.library.__wrapped__() is None


def test_a_compiler_that_fails_costs_time_only(monkeypatch):
    monkeypatch.setattr(kernels, "FLAGS", ("-no-such-flag",))

    assert kernels.library.__wrapped__() is None


def test_nothing_else_is_touched():
    network = nn.Conv2d(4, 8, 3, groups=2)
    image = torch.rand(1, 4, 8, 8)

    with FastDepthwise():
        assert torch.equal(network(image), network.forward(image))
        assert network(image).dtype is torch.float32


def test_every_verb_keeps_its_memory(monkeypatch):
    kept = []
    monkeypatch.setattr(program, "keep_freed_memory", lambda: kept.append(True))

    with pytest.raises(SystemExit):
        program.main(["export", "--help"])

    assert kept == [True]


@pytest.mark.skipif(sys.platform != "linux", reason="glibc only")
def test_freed_memory_is_not_fetched_again():
    """The last three of twenty times 64 MB: without the setting every one of them is new pages."""
    lines = [
        "import resource, sys, torch",
        "from distill.train.cpu.allocator import keep_freed_memory",
        "if sys.argv[1] == 'keep': assert keep_freed_memory()",
        "faults = []",
        "for _ in range(20):",
        "    torch.ones(16 * 2**20).add_(1)",
        "    faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)",
        "print(faults[-1] - faults[-4])",
    ]
    counts = {
        how: int(subprocess.check_output([sys.executable, "-c", "\n".join(lines), how], text=True))
        for how in ("keep", "hand_back")
    }

    pages = 3 * 64 * 2**20 // resource.getpagesize()
    assert counts["keep"] < 0.05 * pages
    assert counts["keep"] < counts["hand_back"]


@pytest.mark.slow  # fifty images looked at by a real teacher
def test_the_bench_takes_steps_of_every_kind_in_turns(tmp_path):
    from distill.__main__ import main
    from distill.data.index import data_folder
    from engine.faults import FaultError

    try:
        root = data_folder()
    except FaultError as fault:
        pytest.skip(str(fault))
    out = tmp_path / "bench.json"
    words = ("--rounds", 2, "--size", 64, "--batch", 2, "--json", out, "--data", root)

    assert main(["bench", *map(str, words)]) == 0

    figures = json.loads(out.read_text())
    assert figures["precision"] == fitting(load_recipe("best")).precision
    kinds = {"batch_at_hand", "plain_depthwise", "plain_norm", "loaded", "distilled", "measuring_share"}
    assert set(figures["step_ms"]) == set(figures["step_cpu_ms"]) == kinds
    assert all(value > 0 for value in figures["step_ms"].values())
    for name, of, over in (
        ("loaded_ratio", "loaded", "batch_at_hand"),
        ("fast_depthwise_ratio", "batch_at_hand", "plain_depthwise"),
        ("fast_norm_ratio", "batch_at_hand", "plain_norm"),
    ):
        assert figures[name] == pytest.approx(figures["step_ms"][of] / figures["step_ms"][over], rel=0.02)
    assert len(figures["resident_mib"]) == 2
