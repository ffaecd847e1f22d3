"""`audit` names what would spoil a training or its figures, and what it would drop for it."""

import json
import re

import cv2
import numpy as np
import pytest

from distill.__main__ import main
from distill.data.audit import Kind, audit
from distill.data.index import load_index
from distill.data.splits import Split
from distill.exit_codes import DATA_UNUSABLE, OK
from distill.recipe import RECIPES
from tests.distill.trees import disc, folders, picture, write, write_lines


def line(name, group="g", **more):
    return {"image": f"images/{name}.png", "mask": f"masks/{name}.png", "set": "s", "group": group, **more}


def three(root, **more):
    """a, b and c, each in a group of its own."""
    folders(root, 3)
    return write_lines(root, [line(name, group=name, **more) for name in "abc"])


def findings(root, split=None):
    report = audit(root, load_index(root).records, split)
    return [(finding.kind, finding.image, finding.drop) for finding in report.findings]


def test_sound_data_is_clean(tmp_path):
    three(tmp_path)

    assert main(["audit", str(tmp_path), "--json", str(tmp_path / "audit.json")]) == OK

    assert json.loads((tmp_path / "audit.json").read_text()) == {
        "images": 3,
        "clean": True,
        "drop": [],
        "findings": [],
    }


def soft():
    return cv2.GaussianBlur(disc(), (0, 0), 5)


@pytest.mark.parametrize(
    ("mask", "kind"),
    [
        (disc() * 0, Kind.MASK_EMPTY),
        (255 - disc(), Kind.MASK_INVERTED),
        (disc() * 0 + 255, Kind.MASK_INVERTED),
        (disc()[:20], Kind.MASK_SIZE),
        (disc() // 255, Kind.MASK_NOT_BINARY),
        (disc() // 255 * 76, Kind.MASK_NOT_BINARY),
        (soft(), Kind.MASK_NOT_BINARY),
    ],
    ids=["black", "inverted", "white", "cut", "zero-and-one", "class-colour", "soft"],
)
def test_a_mask_that_says_something_else_than_its_image_is_dropped(tmp_path, mask, kind):
    write(three(tmp_path) / "masks/b.png", mask)

    assert findings(tmp_path) == [(kind, "images/b.png", True)]


@pytest.mark.parametrize("quality", [60, 90])
def test_the_ringing_of_a_jpeg_mask_is_no_finding(tmp_path, quality):
    _, data = cv2.imencode(".jpg", disc(), [cv2.IMWRITE_JPEG_QUALITY, quality])
    (three(tmp_path) / "masks/b.png").write_bytes(data.tobytes())

    assert findings(tmp_path) == []


def test_a_large_polyp_that_leaves_the_frame_on_one_side_is_not_inverted(tmp_path):
    large = disc() * 0
    large[:, 8:] = 255

    write(three(tmp_path) / "masks/b.png", large)

    assert findings(tmp_path) == []


def test_files_that_are_missing_or_not_the_ones_that_were_indexed_are_named(tmp_path):
    three(tmp_path, sha256="0" * 64)
    (tmp_path / "images/a.png").unlink()

    assert findings(tmp_path) == [
        (Kind.UNREADABLE, "images/a.png", True),
        (Kind.CHANGED, "images/b.png", True),
        (Kind.CHANGED, "images/c.png", True),
    ]


def test_the_same_file_twice_is_dropped_once(tmp_path):
    three(tmp_path)
    write(tmp_path / "images/c.png", picture(0))

    assert findings(tmp_path) == [(Kind.DUPLICATE_FILE, "images/c.png", True)]


def test_one_picture_with_a_mask_for_each_of_two_tasks_is_no_duplicate_unless_a_split_parts_them(tmp_path):
    three(tmp_path)
    write_lines(tmp_path, [line("a", task="polyp"), line("a", task="tool"), line("b", group="h")])

    assert findings(tmp_path) == []
    kinds = {kind for kind, _, drop in findings(tmp_path, Split(train=(0,), validation=(1, 2))) if drop}
    assert kinds == {Kind.NEAR_DUPLICATE}


def planted(root):
    """c is a, a little smaller."""
    three(root)
    for name, seed in (("a", 10), ("b", 11)):
        big = cv2.resize(picture(seed), (192, 144), interpolation=cv2.INTER_CUBIC)
        write(root / f"images/{name}.png", big)
        write(root / f"masks/{name}.png", cv2.resize(disc(), (192, 144), interpolation=cv2.INTER_NEAREST))
        if name == "a":
            write(root / "images/c.png", cv2.resize(big, (48, 36), interpolation=cv2.INTER_AREA))
    return root


@pytest.mark.parametrize(
    ("split", "dropped"),
    [
        (Split(train=(0, 1), validation=(2,)), "images/a.png"),
        (Split(train=(1, 2), validation=(0,)), "images/c.png"),
        (Split(train=(1,), validation=(0,), test=(2,)), "images/a.png"),
    ],
)
def test_of_two_alike_images_across_a_split_the_one_that_judges_stays(tmp_path, split, dropped):
    assert findings(planted(tmp_path), split) == [(Kind.NEAR_DUPLICATE, dropped, True)]


def test_alike_images_on_one_side_are_no_finding(tmp_path):
    assert findings(planted(tmp_path), Split(train=(0, 2), validation=(1,))) == []


def test_without_a_split_alike_images_of_two_groups_are_told_but_stay(tmp_path):
    assert findings(planted(tmp_path)) == [(Kind.NEAR_DUPLICATE_GROUPS, "images/a.png", False)]


def test_the_lists_of_the_index_are_the_split_when_no_recipe_is_named(tmp_path):
    planted(tmp_path)
    sides = {"a": "train", "b": "train", "c": "test"}
    write_lines(tmp_path, [line(name, group=name, split=side) for name, side in sides.items()])

    assert findings(tmp_path) == [(Kind.NEAR_DUPLICATE, "images/a.png", True)]


def test_a_group_on_both_sides_is_told(tmp_path):
    three(tmp_path)
    sides = {"a": "train", "b": "test"}
    write_lines(tmp_path, [line(name, group="one", split=side) for name, side in sides.items()])

    assert findings(tmp_path) == [(Kind.GROUP_ACROSS, "images/a.png", False)]


def test_what_must_be_dropped_is_in_the_exit_code_and_the_json(tmp_path):
    write(three(tmp_path) / "masks/b.png", np.zeros_like(disc()))
    events = tmp_path / "events.jsonl"

    code = main(["audit", str(tmp_path), "--json", str(tmp_path / "audit.json"), "--events", str(events)])

    value = json.loads((tmp_path / "audit.json").read_text())
    assert code == DATA_UNUSABLE
    assert (value["clean"], value["drop"]) == (False, ["images/b.png"])
    assert value["findings"][0]["kind"] == "mask-empty"
    assert json.loads(events.read_text().splitlines()[-1])["outcome"] == "ok"


def recipe_of_fold(folder, fold):
    values = {"folds": "3", "fold": str(fold), "validation_groups": "[]"}
    light = (RECIPES / "light.toml").read_text()
    path = folder / f"fold{fold}.toml"
    path.write_text(re.sub(r"(?m)^(\w+) = (.*)$", lambda m: f"{m[1]} = {values.get(m[1], m[2])}", light))
    return path


def test_the_split_of_a_recipe_is_the_one_that_is_audited(tmp_path):
    root = planted(tmp_path / "data")

    codes = [main(["audit", str(root), "--split", str(recipe_of_fold(tmp_path, fold))]) for fold in range(3)]

    # a and c are alike: they are on one side only in the fold that holds b back.
    assert sorted(codes) == [OK, DATA_UNUSABLE, DATA_UNUSABLE]
