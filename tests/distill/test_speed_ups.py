"""What makes a training fast on a CPU changes none of its figures."""

import json
import resource
import subprocess
import sys

import pytest
import torch
from torch import nn

from distill.train.depthwise import FastDepthwise

CONVOLUTIONS = {
    "3x3": {"kernel_size": 3, "padding": 1},
    "5x5 at stride 2": {"kernel_size": 5, "stride": 2, "padding": 2},
    "dilated": {"kernel_size": 3, "padding": 2, "dilation": 2},
}


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


@pytest.fixture(params=CONVOLUTIONS.values(), ids=CONVOLUTIONS)
def network(request):
    torch.manual_seed(0)
    depthwise = nn.Conv2d(16, 16, groups=16, bias=False, **request.param)
    return nn.Sequential(nn.Conv2d(3, 16, 1), depthwise).to(memory_format=torch.channels_last)


def test_fast_depthwise_convolutions_say_and_learn_what_plain_ones_do(network):
    image = torch.rand(2, 3, 24, 24)

    plain, fast = gradients(network, image), gradients(network, image, FastDepthwise())

    assert torch.equal(plain[0], fast[0])
    for a, b in zip(plain[1:], fast[1:], strict=True):
        assert torch.nn.functional.cosine_similarity(a.flatten(), b.flatten(), 0) > 0.9999


def test_their_gradients_are_nearer_to_those_of_float32(network):
    image = torch.rand(8, 3, 24, 24)
    network.zero_grad()
    network(image).pow(2).sum().backward()
    exact = network[1].weight.grad.clone()

    plain = gradients(network, image)[-1]
    fast = gradients(network, image, FastDepthwise())[-1]

    assert (fast - exact).norm() <= 1.05 * (plain - exact).norm()


def test_nothing_else_is_touched():
    network = nn.Conv2d(4, 8, 3, groups=2)
    image = torch.rand(1, 4, 8, 8)

    with FastDepthwise():
        assert torch.equal(network(image), network.forward(image))
        assert network(image).dtype is torch.float32


@pytest.mark.skipif(sys.platform != "linux", reason="glibc only")
def test_freed_memory_is_not_fetched_again():
    """Three times 64 MB: without the setting every one of them is new pages."""
    lines = [
        "import resource, sys, torch",
        "from distill.train.allocator import keep_freed_memory",
        "if sys.argv[1] == 'keep': assert keep_freed_memory()",
        "faults = []",
        "for _ in range(10):",
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
    kinds = {"batch_at_hand", "plain_depthwise", "loaded", "distilled", "measuring_share"}
    assert set(figures["step_ms"]) == set(figures["step_cpu_ms"]) == kinds
    assert all(value > 0 for value in figures["step_ms"].values())
    for name, of, over in (
        ("loaded_ratio", "loaded", "batch_at_hand"),
        ("fast_depthwise_ratio", "batch_at_hand", "plain_depthwise"),
    ):
        assert figures[name] == pytest.approx(figures["step_ms"][of] / figures["step_ms"][over], rel=0.02)
    assert len(figures["resident_mib"]) == 2
