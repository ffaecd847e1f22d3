"""`prepare` makes one index of everything or nothing at all, and says everything that is wrong."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from distill.__main__ import main
from distill.data.fingerprint import fingerprint, joined, near_pairs
from distill.data.index import data_folder, load_index
from distill.data.prepare import Wishes, find_samples, prepare
from distill.exit_codes import CANCELLED, DATA_UNUSABLE, INPUT_UNUSABLE, OK
from engine.faults import FaultError
from engine.files.whole import sha256_of
from tests.distill.trees import disc, folders, pair, picture, read_lines, write, write_lines


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_line_tells_place_size_hash_and_label(tmp_path):
    root = folders(tmp_path / "data", 1)

    prepare([root], tmp_path / "out")

    (line,) = read_lines(tmp_path / "out")
    assert line == {
        "image": str(root / "images/a.png"),
        "mask": str(root / "masks/a.png"),
        "set": "data",
        "label": "polyp",
        "group": "data-g0001",
        "width": 48,
        "height": 36,
        "sha256": sha256_of(root / "images/a.png"),
        "mask_sha256": sha256_of(root / "masks/a.png"),
        "task": "polyp",
    }
    (record,) = load_index(tmp_path / "out").records
    assert (record.width_px, record.height_px, record.task) == (48, 36, "polyp")


def test_what_lies_in_the_folder_itself_is_named_relative_to_it(tmp_path):
    root = folders(tmp_path / "data", 1)

    prepare([root], root)

    assert read_lines(root)[0]["image"] == "images/a.png"


def test_a_copied_folder_can_be_moved(tmp_path):
    prepare([folders(tmp_path / "data", 2)], tmp_path / "out", Wishes(copy=True))
    (tmp_path / "out").rename(tmp_path / "elsewhere")
    (tmp_path / "data").rename(tmp_path / "gone")

    for record in load_index(tmp_path / "elsewhere").records:
        assert cv2.imread(str(tmp_path / "elsewhere" / record.image)) is not None
        assert sha256_of(tmp_path / "elsewhere" / str(record.mask)) == record.mask_sha256


def test_a_mask_of_zero_and_one_is_written_anew_and_the_users_file_stays(tmp_path):
    pair(tmp_path / "data", "images/a.png", "masks/a.png", 0, disc() // 255)
    before = sha256_of(tmp_path / "data/masks/a.png")

    prepare([tmp_path / "data"], tmp_path / "out")

    (line,) = read_lines(tmp_path / "out")
    assert line["mask"] == "masks/data/a.png"
    assert np.array_equal(cv2.imread(str(tmp_path / "out/masks/data/a.png"), cv2.IMREAD_GRAYSCALE), disc())
    assert sha256_of(tmp_path / "data/masks/a.png") == before


def test_images_of_one_name_in_one_set_do_not_overwrite_each_other(tmp_path):
    for seed, part in enumerate(("x", "y")):
        pair(
            tmp_path / part / "data", "images/a.png", "masks/a.png", seed, disc(radius_px=4 + 4 * seed) // 255
        )

    prepare([tmp_path / "x" / "data", tmp_path / "y" / "data"], tmp_path / "out")

    areas = [
        (cv2.imread(str(tmp_path / "out" / line["mask"]), cv2.IMREAD_GRAYSCALE) > 0).sum()
        for line in read_lines(tmp_path / "out")
    ]
    assert areas == [(disc(radius_px=radius) > 0).sum() for radius in (4, 8)]


def bad_tree(root):
    folders(root, 2)
    (root / "images/cut.png").write_bytes((root / "images/a.png").read_bytes()[:-40])
    write(root / "masks/cut.png", disc())
    write(root / "images/half.jpg", picture(4))
    whole = (root / "images/half.jpg").read_bytes()
    (root / "images/half.jpg").write_bytes(whole[:-100])  # imread would make grey of the rest
    write(root / "masks/half.png", disc())
    (root / "images/text.jpg").write_text("no picture")
    write(root / "masks/text.png", disc())
    pair(root, "images/small.png", "masks/small.png", 5, disc()[:20])
    pair(root, "images/alone.png", None, 6)
    write(root / "masks/orphan.png", disc())
    pair(root, "images/double.png", "masks/double.png", 7)
    write(root / "masks/double.bmp", disc())
    write(root / "images/b.jpg", picture(8))  # b.png has the mask already
    return {"cut.png", "half.jpg", "text.jpg", "small.png", "alone.png", "orphan.png", "double.png", "b.png"}


def test_everything_that_is_wrong_is_listed_at_once_and_nothing_is_written(tmp_path, capsys):
    bad = bad_tree(tmp_path / "data")

    code = main(["prepare", str(tmp_path / "data"), "--out", str(tmp_path / "out")])

    assert code == DATA_UNUSABLE
    told = capsys.readouterr().err
    assert {name for name in bad if f"/{name}: " in told} == bad
    assert f"{len(bad)} files cannot be used" in told
    assert "48x20 for small.png of 48x36" in told
    assert names_in(tmp_path) == ["data"]


@pytest.mark.parametrize("make", ["no-masks", "broken-json"])
def test_a_set_without_any_mask_names_every_image(tmp_path, capsys, make):
    root = folders(tmp_path / "data", 3)
    for path in (root / "masks").iterdir():
        path.unlink()
    if make == "broken-json":
        (root / "notes.json").write_text("{")

    assert main(["prepare", str(root), "--out", str(tmp_path / "out")]) == DATA_UNUSABLE

    told = capsys.readouterr().err
    assert all(f"/{name}.png: no mask" in told for name in "abc")
    assert not (tmp_path / "out").exists()


def test_images_without_masks_are_negatives_when_the_user_says_so(tmp_path):
    root = folders(tmp_path / "data", 1)
    pair(root, "images/without.png", None, 5)
    pair(root, "images/black.png", "masks/black.png", 6, disc() * 0)

    prepare([root], tmp_path / "out", Wishes(negatives=True))

    labels = {
        Path(line["image"]).stem: (line["mask"], line["label"]) for line in read_lines(tmp_path / "out")
    }
    assert labels["without"] == labels["black"] == (None, "no-polyp")
    assert labels["a"][1] == "polyp"


def test_an_index_is_never_overwritten(tmp_path, capsys):
    root = folders(tmp_path / "data", 1)
    write_lines(tmp_path / "out", [])

    assert main(["prepare", str(root), "--out", str(tmp_path / "out")]) == INPUT_UNUSABLE

    assert (tmp_path / "out" / "index.jsonl").read_text() == ""
    assert "Found one that is there instead of" in capsys.readouterr().err


def test_a_folder_of_masks_that_is_the_users_own_is_never_mixed_with_ours(tmp_path):
    pair(tmp_path / "data", "images/a.png", "masks/a.png", 0, disc() // 255)

    with pytest.raises(FaultError, match="masks"):
        prepare([tmp_path / "data"], tmp_path / "data")

    assert names_in(tmp_path / "data") == ["images", "masks"]
    assert names_in(tmp_path / "data" / "masks") == ["a.png"]
    assert names_in(tmp_path) == ["data"]


def test_a_run_that_is_interrupted_leaves_nothing(tmp_path):
    root = folders(tmp_path / "data", 2)

    def interrupt(done, of):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare([root], tmp_path / "new" / "out", Wishes(copy=True), interrupt)

    assert names_in(tmp_path) == ["data"]


def test_ctrl_c_is_exit_code_4_and_the_events_say_so(tmp_path, monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("distill.data.prepare.prepare", interrupted)
    events = tmp_path / "events.jsonl"

    assert main(["prepare", "x", "--out", str(tmp_path / "out"), "--events", str(events)]) == CANCELLED

    assert json.loads(events.read_text().splitlines()[-1])["outcome"] == "cancelled"


def test_a_place_that_cannot_be_written_is_told(tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    root = folders(tmp_path / "data", 1)

    assert main(["prepare", str(root), "--out", str(tmp_path / "file" / "out")]) == INPUT_UNUSABLE

    assert "not possible to write" in capsys.readouterr().err
    assert names_in(tmp_path) == ["data", "file"]


def test_the_label_is_the_tasks(tmp_path):
    prepare([folders(tmp_path / "data", 1)], tmp_path / "new" / "out", Wishes(task="tool"))

    (line,) = read_lines(tmp_path / "new" / "out")
    assert (line["task"], line["label"]) == ("tool", "tool")


def test_events_go_from_start_to_done(tmp_path):
    root = folders(tmp_path / "data", 2)

    code = main(
        ["prepare", str(root), "--out", str(tmp_path / "out"), "--events", str(tmp_path / "events.jsonl")]
    )

    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert code == OK
    assert events[0]["kind"] == "start"
    assert {"kind": "progress", "done": 2, "total": 2}.items() <= events[-3].items()
    assert (events[-1]["kind"], events[-1]["outcome"]) == ("done", "ok")


# Groups


def near_copies(root):
    """a.png; the same smaller as JPEG, brighter, and mirrored; and one that is another picture."""
    big = cv2.resize(picture(1), (192, 144), interpolation=cv2.INTER_CUBIC)
    copies = {
        "a.png": big,
        "b.jpg": cv2.resize(big, (96, 72), interpolation=cv2.INTER_AREA),
        "c.png": cv2.convertScaleAbs(big, alpha=0.9, beta=20),
        "d.png": np.ascontiguousarray(big[:, ::-1]),
        "e.png": cv2.resize(picture(2), (192, 144), interpolation=cv2.INTER_CUBIC),
    }
    for name, pixels in copies.items():
        write(root / "images" / name, pixels)
        write(root / "masks" / f"{name[0]}.png", cv2.resize(disc(), (pixels.shape[1], pixels.shape[0])))
    return root


def test_copies_at_another_size_exposure_or_mirrored_are_one_group(tmp_path):
    prepare([near_copies(tmp_path / "data")], tmp_path / "out")

    groups = {Path(line["image"]).stem: line["group"] for line in read_lines(tmp_path / "out")}
    assert groups["a"] == groups["b"] == groups["c"] == groups["d"] != groups["e"]


def test_joins_are_transitive():
    assert joined(5, [(3, 4), (0, 3)]) == [0, 1, 2, 0, 0]


def test_a_copy_of_a_sequences_frame_bears_the_sequences_name(tmp_path):
    pair(tmp_path / "cvc-clinicdb", "Original/30.png", "Ground Truth/30.png", 3)
    folders(tmp_path / "mine", 2)
    write(tmp_path / "mine/images/copy.png", picture(3))
    write(tmp_path / "mine/masks/copy.png", disc())

    prepare([tmp_path / "mine", tmp_path / "cvc-clinicdb"], tmp_path / "out")

    groups = {Path(line["image"]).stem: line["group"] for line in read_lines(tmp_path / "out")}
    assert groups["copy"] == groups["30"] == "clinicdb-seq02"
    assert groups["a"] != groups["b"]


def test_two_sequences_with_an_image_in_common_are_one_group_with_all_their_images(tmp_path):
    for sequence in (1, 2):
        at = f"sequenceData/positive/seq{sequence}"
        for name, seed in (("own", sequence), ("common", 9)):
            image, mask = f"{at}/images_seq{sequence}/{name}.jpg", f"{at}/masks_seq{sequence}/{name}_mask.jpg"
            pair(tmp_path / "data", image, mask, seed)

    prepare([tmp_path / "data"], tmp_path / "out")

    assert [line["group"] for line in read_lines(tmp_path / "out")] == ["polypgen-seq-seq1"] * 4


def test_the_groups_of_an_index_are_final_but_for_what_is_added(tmp_path):
    root = near_copies(tmp_path / "data")
    paths = [{"image": f"images/{name}", "mask": f"masks/{name[0]}.png"} for name in ("a.png", "c.png")]
    write_lines(root, [{**line, "set": "s", "group": f"g{at}"} for at, line in enumerate(paths)])
    pair(tmp_path / "more", "images/x.png", "masks/x.png", 8)

    prepare([root], tmp_path / "same")
    prepare([root, tmp_path / "more"], tmp_path / "added")

    assert [line["group"] for line in read_lines(tmp_path / "same")] == ["g0", "g1"]
    assert [line["group"] for line in read_lines(tmp_path / "added")] == ["g0", "g1", "more-g0001"]


def test_flat_pictures_are_not_each_others_copies():
    flat = [fingerprint(np.full((36, 48), value, np.uint8)) for value in (0, 90, 91)]

    assert near_pairs(flat).tolist() == []


# Lists


def test_lists_beside_the_images_are_the_official_split(tmp_path):
    root = folders(tmp_path / "data", 3)
    (root / "train.txt").write_text("a\nb.png\n")
    (root / "val.txt").write_text("images/c.png\r\n")

    prepare([root], tmp_path / "out")

    assert [record.split for record in load_index(tmp_path / "out").records] == [
        "train",
        "train",
        "validation",
    ]


def test_a_name_that_two_sets_have_is_told_apart_by_its_folder(tmp_path):
    sources = []
    for seed, folder in enumerate(("CVC-300", "ETIS-LaribPolypDB")):
        pair(tmp_path / folder, "images/1.png", "masks/1.png", seed)
        sources.append(tmp_path / folder)
    (tmp_path / "list.txt").write_text("ETIS-LaribPolypDB/1.png\n")

    found = find_samples(sources, Wishes(lists={tmp_path / "list.txt": "test"}))

    assert {sample.set: sample.split for sample in found.samples} == {"cvc-300": None, "etis": "test"}


def test_names_without_an_image_and_images_on_two_lists_are_told(tmp_path):
    root = folders(tmp_path / "data", 2)
    (root / "train.txt").write_text("a\nnobody\n")
    (root / "test.txt").write_text("a\n")

    prepared = prepare([root], tmp_path / "out")

    told = [str(problem) for problem in prepared.problems]
    assert len(told) == 2
    assert any("nobody" in line for line in told)
    assert any("a is on the train list as well" in line for line in told)
    assert not (tmp_path / "out").exists()


# Real images


def test_the_shared_folder_keeps_its_3522_images_and_their_groups():
    try:
        root = data_folder()
    except FaultError as fault:
        pytest.skip(str(fault))
    records = load_index(root).records
    if len(records) != 3522:
        pytest.skip(f"{root} is not the shared collection")

    found = find_samples([root], Wishes())

    assert found.problems == ()
    assert [sample.group for sample in found.samples] == [record.group for record in records]
    assert all(sample.image.is_file() for sample in found.samples)


def test_real_images_prepared_from_their_index_are_the_same_records(real24, tmp_path):
    prepare([real24], tmp_path / "out")

    assert [
        replace(record, image=str(real24 / record.image), mask=record.mask and str(real24 / record.mask))
        for record in load_index(real24).records
    ] == list(load_index(tmp_path / "out").records)
