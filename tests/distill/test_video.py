"""What a model does over time, as somebody at the screen would count it."""

import json

import cv2
import numpy as np
import pytest

from distill.data.index import load_index
from distill.judging.over_time import behaviour, clips_of, sequences_of, watch
from engine.model_folder import load_model_folder
from tests.fixtures.models import red_model
from tests.fixtures.red_clips import centre, has_disc, red_clip, red_picture


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    red_model(folder)
    return load_model_folder(folder / "red")


def test_flicker_is_every_change_from_on_to_off_and_back():
    said = behaviour("a", [True, True, False, True, False, False], None, rate_hz=3, polyp_free=False)

    assert (said.frames, said.duration_s, said.on_share) == (6, 2.0, 0.5)
    assert said.changes_per_s == 1.5
    assert said.false_activations_per_min is None


def test_false_activations_are_counted_by_how_long_they_last():
    on = [True, False, *[True] * 6, False, *[True] * 20]

    said = behaviour("a", on, None, rate_hz=10, polyp_free=True)

    per_min = 60 / 2.9
    assert said.false_activations_per_min == pytest.approx(
        {0.0: 3 * per_min, 0.5: 2 * per_min, 1.0: per_min, 2.0: per_min}
    )


def test_the_first_hit_is_counted_from_the_first_frame_with_a_polyp():
    hits = [None, False, None, False, True, True]

    said = behaviour("a", [True] * 6, hits, rate_hz=5, polyp_free=False)

    assert said.first_hit_frames == 3
    assert said.hit_share == 0.5


def test_a_polyp_that_is_never_hit_has_no_first_hit():
    said = behaviour("a", [False] * 3, [False, None, False], rate_hz=5, polyp_free=False)

    assert said.first_hit_frames is None
    assert said.hit_share == 0.0


def test_a_clip_of_the_data_folder_is_watched_through_analyse(tmp_path, model):
    clips = tmp_path / "clips"
    masks = clips / "polyp_a_masks"
    masks.mkdir(parents=True)
    red_clip(clips / "polyp_a.mp4", frames=10)
    red_clip(clips / "polyp_free_b.mp4", frames=10)
    for number in range(10):
        mask = np.zeros(red_picture(0).shape[:2], np.uint8)
        if has_disc(number):
            cv2.circle(mask, centre(number), 40, 255, cv2.FILLED)
        cv2.imwrite(str(masks / f"{number:04d}.png"), mask)

    labelled, free = (watch(model, recording) for recording in clips_of(tmp_path))

    assert (labelled.name, labelled.frames, labelled.on_share) == ("polyp_a", 10, 0.8)
    assert (labelled.hit_share, labelled.first_hit_frames) == (1.0, 0)
    assert labelled.changes_per_s * labelled.duration_s == pytest.approx(3)
    assert free.hit_share is None
    assert free.false_activations_per_min[0.0] * free.duration_s / 60 == pytest.approx(2)


def test_frames_of_a_recording_come_in_their_order_whatever_they_are_called(tmp_path, model):
    lines = []
    for frame, red in ((3, True), (1, False), (2, True)):
        cv2.imwrite(str(tmp_path / f"{9 - frame}.png"), red_picture(0 if red else 4)[..., ::-1])
        line = {"image": f"{9 - frame}.png", "mask": None, "set": "s", "group": "g", "frame": frame}
        lines.append(json.dumps(line) + "\n")
    (tmp_path / "index.jsonl").write_text("".join(lines))

    (recording,) = sequences_of(load_index(tmp_path), range(3))
    said = watch(model, recording)

    assert [path.stem for path in recording.frames] == ["8", "7", "6"]
    assert recording.polyp_free
    assert said.on_share == pytest.approx(2 / 3)
    assert said.changes_per_s * said.duration_s == pytest.approx(1)  # off, on, on
