"""`engine.bench quality`: which share of pictures each gate closes on."""

from __future__ import annotations

import json

import cv2
import numpy as np

from engine.bench import __main__ as bench
from engine.bench.suites.quality import run
from tests.fixtures.recorder import recorder_clip
from tests.fixtures.tissue import mucosa


def test_a_folder_of_stills_is_a_row_with_the_share_of_each_gate(tmp_path, capsys):
    stills = tmp_path / "ward"
    stills.mkdir()
    for number in range(4):
        picture = mucosa(number) if number else np.full((320, 320, 3), 20, np.uint8)
        cv2.imwrite(str(stills / f"{number}.png"), picture[..., ::-1])
    (stills / "broken.png").write_bytes(b"none")

    assert bench.main(["quality", str(tmp_path), "--json", str(tmp_path / "out.json")]) == 0

    (row,) = json.loads((tmp_path / "out.json").read_text())["quality"]
    assert (row["pictures"], row["any"], row["too dark"], row["blurred"]) == (4, 0.25, 0.25, 0.0)
    assert row["told"] is None
    assert row["p50_ms"] > 0
    assert "too dark" in capsys.readouterr().out


def test_of_a_clip_it_is_said_during_which_share_a_fault_is_told(tmp_path):
    clip = recorder_clip(tmp_path / "a.mp4", 10, range(0), -1)

    (row,) = run([str(clip)])["quality"]

    assert row["pictures"] == 10
    assert 0 <= row["told"] <= row["any"] <= 1
