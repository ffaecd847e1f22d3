"""What a model does over time, as somebody at the screen would count it."""

import json

import cv2
import numpy as np
import pytest

from distill.data.index import load_index
from distill.judging.over_time import Drawn, behaviour, watch
from distill.judging.recordings import clips_of, sequences_of
from engine.model_folder import load_model_folder
from tests.fixtures.models import red_model
from tests.fixtures.red_clips import centre, has_disc, red_clip, red_picture


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    red_model(folder)
    return load_model_folder(folder / "red")


def said_of(on, rate_hz, hits=None, polyp_free=False):
    hits = hits or [None] * len(on)
    drawn = [
        Drawn(rank / rate_hz, is_on, hit) for rank, (is_on, hit) in enumerate(zip(on, hits, strict=True))
    ]
    return behaviour("a", drawn, 1 / rate_hz, polyp_free)


def test_flicker_is_every_change_from_on_to_off_and_back():
    said = said_of([True, True, False, True, False, False], rate_hz=3)

    assert (said.frames, said.seconds, said.on_share) == (6, pytest.approx(2.0), 0.5)
    assert said.changes_per_s == pytest.approx(1.5)
    assert said.false_activations is None


def test_false_activations_are_counted_by_how_long_they_last():
    on = [True, False, *[True] * 6, False, *[True] * 20]

    said = said_of(on, rate_hz=10, polyp_free=True)

    assert said.false_activations == {0.0: 3, 0.5: 2, 1.0: 1, 2.0: 1}


def test_the_first_mark_is_counted_from_the_first_frame_with_a_polyp():
    said = said_of([True] * 6, rate_hz=5, hits=[None, False, None, False, True, True])

    assert said.first_mark_ms == pytest.approx(600)
    assert said.hit_share == 0.5


def test_a_polyp_that_is_never_marked_has_no_first_mark():
    said = said_of([False] * 3, rate_hz=5, hits=[False, None, False])

    assert said.first_mark_ms is None
    assert said.hit_share == 0.0


def test_confirmation_is_counted_from_when_a_finding_was_first_seen():
    one, two = frozenset({1}), frozenset({1, 2})
    drawn = [
        Drawn(0.0, False, seen=one),
        Drawn(0.1, True, marked=one, seen=two),
        Drawn(0.2, True, marked=one, seen=two),
    ]

    said = behaviour("a", drawn, 0.1, polyp_free=False)

    assert said.confirmation_ms == (100.0,)  # the second one was never drawn


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
    assert (labelled.hit_share, labelled.first_mark_ms) == (1.0, 0)
    assert labelled.changes == 3
    assert free.hit_share is None
    assert free.false_activations[0.0] == 2


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
    assert said.changes == 1  # off, on, on


def test_stills_in_order_are_followed_as_a_video_of_five_pictures_a_second(tmp_path):
    path = red_model(tmp_path / "models")
    card = json.loads((path / "model.json").read_text())
    card["presets"]["standard"] |= {"hit_peak": 0.5}
    (path / "model.json").write_text(json.dumps(card))
    lines = []
    for frame in range(4):
        cv2.imwrite(str(tmp_path / f"{frame}.png"), red_picture(0)[..., ::-1])
        line = {"image": f"{frame}.png", "mask": None, "set": "s", "group": "g", "frame": frame}
        lines.append(json.dumps(line) + "\n")
    (tmp_path / "index.jsonl").write_text("".join(lines))

    said = watch(load_model_folder(path), next(sequences_of(load_index(tmp_path), range(4))))

    assert said.seconds == pytest.approx(0.8)
    assert said.on_share == 0.75  # the first sighting alone is no finding
