"""What models are judged on: its truth is known, it is the same as when it was locked, or it is told."""

from __future__ import annotations

import json
from contextlib import nullcontext

import cv2
import numpy as np
import pytest

from engine.faults import FaultCode, FaultError
from engine.files.whole import HOME_VARIABLE, sha256_of
from engine.model_card import CARD
from engine.model_folder import load_model_folder
from engine.promotion import locked
from engine.promotion.locked import State
from engine.promotion.truth import demonstration, read_mask, truth_of
from tests.fixtures.models import red_model

NOW = "2026-01-01T00:00:00+00:00"
BLACK, SPOT = np.zeros((20, 30), np.uint8), np.zeros((20, 30), np.uint8)
SPOT[5:9, 5:9] = 255


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))


@pytest.fixture
def clip(tmp_path):
    """A name of a video is enough: what is in it is read when models are compared."""
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"video")
    (tmp_path / "clip_masks").mkdir()
    for number, mask in enumerate((BLACK, SPOT)):
        cv2.imwrite(str(tmp_path / "clip_masks" / f"{number}.png"), mask)
    return path


@pytest.fixture
def data(tmp_path):
    root = tmp_path / "set"
    for folder in ("images", "masks"):
        (root / folder).mkdir(parents=True)
    rows = []
    for name, split, label in (
        ("a", "validation", "polyp"),
        ("b", "validation", "no-polyp"),
        ("c", "train", "polyp"),
    ):
        cv2.imwrite(str(root / "images" / f"{name}.png"), BLACK)
        cv2.imwrite(str(root / "masks" / f"{name}.png"), SPOT)
        mask = f"masks/{name}.png" if label == "polyp" else None
        row = {"image": f"images/{name}.png", "mask": mask, "group": name, "split": split, "label": label}
        rows.append(row | {"set": "own"})
    (root / "index.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return root


def test_a_recording_has_a_mask_a_frame_and_a_black_one_says_that_there_is_no_polyp(clip):
    truth = truth_of(clip)

    assert truth.frames == 2
    assert truth.truth(0, (20, 30)) is None
    assert truth.truth(1, (20, 30)).sum() == 16
    with pytest.raises(FaultError, match="2 masks, and a frame 3"):
        truth.truth(2, (20, 30))


def test_what_was_for_training_judges_nobody(data):
    assert [(one.path.stem, one.mask is None) for one in truth_of(data).images] == [("a", False), ("b", True)]


@pytest.mark.parametrize(
    ("mask", "why"), [(np.zeros((10, 10), np.uint8), "10x10 px"), (SPOT // 255, "brightest pixel is 1")]
)
def test_a_mask_that_cannot_be_known_is_refused(tmp_path, mask, why):
    cv2.imwrite(str(tmp_path / "mask.png"), mask)

    with pytest.raises(FaultError, match=why):
        read_mask(tmp_path / "mask.png", (20, 30))


def test_a_video_of_which_nobody_knows_what_it_shows_is_not_locked(tmp_path):
    path = tmp_path / "unknown.mp4"
    path.write_bytes(b"video")

    with pytest.raises(FaultError, match=r"a mask a frame in unknown_masks.*--polyp-free"):
        locked.lock(path, NOW)
    assert locked.locked() == ()
    assert locked.lock(path, NOW, polyp_free=True).polyp_free


@pytest.mark.parametrize("what", ["clip", "data"])
def test_what_changed_or_went_since_it_was_locked_is_told(what, request):
    path = request.getfixturevalue(what)
    one = locked.lock(path, NOW)
    assert locked.state_of(one) is State.SAME
    mask = next((path if path.is_dir() else path.parent).glob("*masks/*"))

    cv2.imwrite(str(mask), SPOT.T.copy())

    assert locked.state_of(one) is State.CHANGED
    with pytest.raises(FaultError, match="changed since it was locked") as told:
        list(locked.checked(locked.locked()))
    assert told.value.code is FaultCode.DATA_SET
    locked.lock(path, NOW)
    assert [locked.state_of(one) for one in locked.locked()] == [State.SAME]
    path.rename(path.with_name("elsewhere"))
    assert locked.state_of(one) is State.GONE
    locked.unlock(path)
    assert locked.locked() == ()


@pytest.mark.parametrize(("sides", "refused"), [(True, False), (False, True)])
def test_a_model_is_not_judged_on_images_that_it_was_trained_beside(sides, refused, data, tmp_path):
    index = data / "index.jsonl"
    if not sides:
        rows = [json.loads(line) | {"split": None} for line in index.read_text().splitlines()]
        index.write_text("".join(json.dumps(row) + "\n" for row in rows))
    path = red_model(tmp_path)
    card = json.loads((path / CARD).read_text())
    card["training"]["data"] = f"3 images of own (index sha256 {sha256_of(index)[:16]})"
    (path / CARD).write_text(json.dumps(card))
    look = pytest.raises(FaultError, match="has seen some of its images") if refused else nullcontext()

    with look:
        locked.refuse_trained_beside([truth_of(data)], [load_model_folder(path)])


def test_a_list_that_cannot_be_read_is_told_and_not_overwritten(clip):
    locked.list_path().parent.mkdir(parents=True)
    locked.list_path().write_text("{")

    with pytest.raises(FaultError, match="cannot be read"):
        locked.lock(clip, NOW)
    assert locked.list_path().read_text() == "{"


def test_the_demonstration_has_a_mask_for_each_of_its_frames():
    shown = demonstration()

    assert shown.frames == 720
    assert shown.truth(0, (480, 640)).shape == (480, 640)
    assert shown.truth(427, (480, 640)) is None
