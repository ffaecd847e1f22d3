"""A run's weights looked at before they are exported."""

import cv2
import numpy as np
import torch

from distill.data.belonging import Belonging
from distill.data.dataset import squash
from distill.data.index import Record
from distill.judging.run import trained_samples
from distill.judging.trained import Trained
from distill.recipe import DataPart, StudentPart
from engine.models import make_student

STUDENT = {"name": "light", "args": {"encoder": "test_efficientnet", "channels": 16}}


def test_the_maps_are_those_of_the_averaged_weights_at_the_size_of_the_export(tmp_path):
    torch.set_num_threads(1)
    torch.manual_seed(0)
    mean, std = (0.4, 0.5, 0.6), (0.2, 0.25, 0.3)
    student = make_student(STUDENT["name"], STUDENT["args"]).eval()
    part = StudentPart(**STUDENT, mean=mean, std=std)
    picture = np.random.default_rng(0).integers(0, 255, (40, 50, 3)).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    weights = {key: v.half() if v.is_floating_point() else v for key, v in student.state_dict().items()}
    trained = Trained(
        part,
        DataPart(),
        seed=0,
        size_px=64,
        trained_px=64,
        region="frame",
        weights=weights,
        belonging=Belonging("a run", ""),
        licence=str,
        card=None,
    )

    (sample,) = trained_samples(trained, tmp_path, [Record("a.png", None, "s", "g")])

    scaled = (squash(picture, 64) / np.float32(255) - mean) / std
    with torch.inference_mode():
        logits = student(torch.from_numpy(scaled.astype(np.float32)).permute(2, 0, 1)[None])
    assert sample.probability.shape == (64, 64)
    assert np.abs(sample.probability - logits.sigmoid().numpy()[0, 0]).max() < 0.01
    assert (sample.case.name, sample.case.set, sample.case.group) == ("a.png", "s", "g")
    assert sample.mask.shape == (40, 50)
