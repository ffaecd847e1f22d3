"""Two processes with half of each batch do what one does with all of it."""

import copy
import json
import os
import socket
import subprocess
import sys

import pytest
import torch

from distill.__main__ import main
from distill.train.cpu.sync_norm import SyncNorm, synchronise
from tests.fixtures.recipes import TINY


def losses(run):
    return json.loads((run / "metrics.json").read_text())[0]["losses"]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_two_processes_have_the_losses_of_one_with_the_same_global_batch(real24, tmp_path):
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(TINY)
    words = ["train", "--recipe", str(recipe), "--data", str(real24), "--run"]
    # What `accelerate launch` sets for each of its processes; without its start-up time.
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    two = [
        subprocess.Popen(
            [sys.executable, "-m", "distill", *words, str(tmp_path / "two")],
            env=os.environ | shared | {"RANK": rank, "LOCAL_RANK": rank, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for rank in "01"
    ]
    assert main([*words, str(tmp_path / "one")]) == 0
    assert [process.wait(timeout=120) for process in two] == [0, 0]

    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), rel=1e-4)
    assert (tmp_path / "two" / "process-1" / "events.jsonl").is_file()


@pytest.fixture
def group(tmp_path):
    """A process group of this process alone."""
    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/meet", rank=0, world_size=1)
    yield
    torch.distributed.destroy_process_group()


@pytest.mark.usefixtures("group")
def test_a_synchronised_norm_does_what_batch_norm_does_and_keeps_its_names():
    torch.manual_seed(0)
    plain = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    synced = copy.deepcopy(plain)
    synchronise(synced)
    image = torch.rand(4, 3, 8, 8)
    said = [network(image) for network in (plain, synced)]
    for output in said:
        output.square().mean().backward()

    assert isinstance(synced[1], SyncNorm)
    torch.testing.assert_close(said[1], said[0], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(synced[0].weight.grad, plain[0].weight.grad, rtol=1e-3, atol=1e-5)
    assert synced.state_dict().keys() == plain.state_dict().keys()
    for name, value in plain.state_dict().items():
        torch.testing.assert_close(synced.state_dict()[name], value, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(synced.eval()(image), plain.eval()(image), rtol=1e-4, atol=1e-5)
