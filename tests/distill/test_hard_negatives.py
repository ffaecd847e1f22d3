"""Which polyp-free images are hard, told by a network that marks whatever is bright."""

from types import SimpleNamespace

import numpy as np
import torch
from torch import nn

from distill.data.dataset import Pictures
from distill.data.index import Record
from distill.recipe import load_recipe
from distill.train.hard_negatives import hard_negatives


class Brightness(nn.Module):
    """Sure of a polyp everywhere in a picture that is bright on the whole."""

    def __init__(self):
        super().__init__()
        self.threshold = nn.Parameter(torch.tensor(0.4))

    def forward(self, image):
        bright = image.mean((1, 2, 3), keepdim=True) - self.threshold
        return (50 * bright).expand(-1, 1, *image.shape[-2:])


def noise(low, high, height=80, width=100):
    return np.random.default_rng(0).integers(low, high, (height, width, 3)).astype(np.uint8)


def test_they_are_the_polyp_free_images_that_are_marked_whole_or_without_panels():
    beside_a_panel = np.full((80, 100, 3), 10, np.uint8)
    beside_a_panel[8:72, 40:90] = noise(90, 200, 64, 50)
    train = Pictures(None, ())
    for name, image, polyp in (
        ("dark", noise(40, 60), 0),
        ("bright, with a polyp", noise(90, 200), 1),
        ("bright", noise(90, 200), 0),
        ("bright beside a panel", beside_a_panel, 0),
    ):
        record = Record(image=name, mask=None, set="s", group=name)
        train.add(record, image, np.full((80, 100), polyp, np.uint8))

    def logits(image, network):
        return network(image)

    setup = SimpleNamespace(
        datasets=SimpleNamespace(train=train),
        recipe=load_recipe("light"),
        trainer=SimpleNamespace(average=Brightness(), module=SimpleNamespace(logits=logits)),
    )
    beats = []

    assert hard_negatives(setup, lambda: beats.append(None)) == (2, 3)
    assert beats
