"""The operating points are chosen by what a person at the screen counts, the worst set first, and say what
that was."""

import json

import cv2
import numpy as np
import pytest

from distill.__main__ import main
from distill.data.dataset import Pictures, fields_of
from distill.data.index import Record, load_index
from distill.data.more import with_more
from distill.data.splits import split_of
from distill.export.preset_choice import THRESHOLDS, WISHES, Key, StillImage, figures, hit_peak, still_point
from distill.export.presets import choose_presets, unseen
from distill.judging.over_time import Behaviour
from distill.metrics.detections import detections, point_of
from distill.recipe import DataPart
from engine.model_card import SCHEMA
from engine.model_folder import load_model_folder
from tests.fixtures.models import red_model
from tests.fixtures.red_clips import centre, red_clip, red_picture

SIDE = 40


def shown(*blobs):
    """A map 40x40 with a square blob per (row, column, side, probability)."""
    probability = np.zeros((SIDE, SIDE), np.float32)
    for row, column, side, value in blobs:
        probability[row : row + side, column : column + side] = value
    return probability


def still(probability, mask, name="a", further=False):
    return StillImage(name, {t: detections(probability, mask, t) for t in THRESHOLDS}, further)


def stills(masks, maps):
    return [still(probability, mask) for mask, probability in zip(masks, maps, strict=True)]


def needed(preset):
    """How sure the network has to be somewhere."""
    return max(preset.threshold, preset.min_peak)


POLYP = (shown((5, 5, 10, 1.0)) > 0).astype(np.uint8)
NOTHING = np.zeros((SIDE, SIDE), np.uint8)


def test_false_alarms_weaker_than_the_polyps_are_silenced_by_all_three():
    presets = choose_presets(stills([POLYP, NOTHING], [shown((5, 5, 10, 0.97)), shown((5, 5, 10, 0.6))]))

    assert set(presets) == set(WISHES) == {"sensitive", "standard", "quiet"}
    for preset in presets.values():
        assert 0.6 < needed(preset) <= 0.97
        assert preset.measured["false_detections_per_polyp_free_image"] == 0
        assert preset.measured["sensitivity_iou_0.1"] == preset.measured["dice_polyp_images"] == 1.0


def test_the_more_it_may_cry_wolf_the_more_it_finds():
    """One weak polyp among strong ones, as weak as the alarms of one polyp-free image in eleven."""
    masks = [POLYP] * 9 + [NOTHING] * 11
    maps = [shown((5, 5, 10, 0.97))] * 8 + [shown((5, 5, 10, 0.5))]
    maps += [shown((20, 20, 8, 0.5))] + [shown()] * 10

    presets = choose_presets(stills(masks, maps))

    assert needed(presets["sensitive"]) <= 0.5 < needed(presets["standard"])
    assert presets["sensitive"].measured["sensitivity_iou_0.1"] == 1.0
    assert presets["sensitive"].measured["false_detections_per_polyp_free_image"] == pytest.approx(
        1 / 11, abs=1e-4
    )
    assert presets["standard"].measured["sensitivity_iou_0.1"] == pytest.approx(8 / 9, abs=1e-4)
    assert presets["quiet"].hit_ms > presets["standard"].hit_ms > presets["sensitive"].hit_ms


def test_the_set_that_is_found_worst_decides_not_the_mean_of_all():
    """A faint set of few images against crumbs that cost a large one a little more."""
    faint, sure = shown((5, 5, 10, 0.72)), shown((5, 5, 10, 0.97), (25, 25, 4, 0.78))
    images = [still(sure, POLYP, "large")] * 100 + [still(faint, POLYP, "faint")] * 25
    images += [still(shown(), NOTHING, "free")] * 100
    wish = WISHES["sensitive"]
    loose = type(wish)(1.0, 1.0, 1.0, 1, 4, 100.0, 165.0)

    key = still_point(figures(images), loose)

    assert max(key.threshold, key.min_peak) <= 0.72
    preset = choose_presets(images)["quiet"]  # which must not mark the crumbs
    assert needed(preset) > 0.78
    assert preset.worst_set == "faint"
    assert preset.by_set["faint"] == {
        "images": 25.0,
        "sensitivity_iou_0.1": 0.0,
        "dice_polyp_images": 0.0,
        "false_detections_per_polyp_image": 0.0,
    }


def test_the_worst_kind_of_polyp_free_images_counts_not_their_mean():
    """One recorder is marked always; a mean over all images would let it pass."""
    polyps = [still(shown((5, 5, 10, 0.97)), POLYP)] * 25 + [still(shown((5, 5, 10, 0.72)), POLYP)] * 5
    quiet = [still(shown(), NOTHING, "quiet")] * 900
    loud = [still(shown((20, 20, 8, 0.75)), NOTHING, "loud")] * 50

    assert needed(choose_presets(polyps + quiet + loud)["standard"]) > 0.75
    assert needed(choose_presets(polyps + quiet)["standard"]) <= 0.75


def test_unknown_recorders_may_be_marked_oftener_but_not_at_will():
    polyps = [still(shown((5, 5, 10, 0.97)), POLYP)] * 25 + [still(shown((5, 5, 10, 0.87)), POLYP)] * 5
    polyps += [still(shown(), NOTHING)] * 50

    def with_marked(share):
        some = [shown((20, 20, 8, 0.92))] * share + [shown()] * (100 - share)
        return choose_presets(polyps + [still(one, NOTHING, "elsewhere", further=True) for one in some])

    assert needed(with_marked(30)["standard"]) <= 0.92 < needed(with_marked(40)["standard"])
    assert with_marked(30)["standard"].measured["false_detections_per_further_image"] == 0.3
    assert needed(with_marked(30)["quiet"]) > 0.92


def test_a_value_whose_neighbours_are_as_good_is_preferred_to_one_at_an_edge():
    """All peaks up to 0.93 find the same, and only that one stands beside where polyps are lost."""
    images = [still(shown((5, 5, 10, 0.94)), POLYP)] * 30 + [still(shown((5, 5, 10, 0.62)), NOTHING)] * 50

    key = still_point(figures(images), WISHES["standard"])

    assert 0.62 < key.min_peak < 0.93


def test_specks_cost_area_and_not_polyps():
    specks = [shown((5, 5, 10, 0.97)), shown((30, 30, 1, 0.97), (35, 20, 1, 0.97))]

    preset = choose_presets(stills([POLYP, NOTHING], specks))["standard"]

    assert preset.min_area_frac > 1 / SIDE**2
    assert preset.measured["false_alarm_share_polyp_free"] == 0


def test_without_polyp_free_images_what_lies_beside_the_polyps_is_counted():
    beside = shown((5, 5, 10, 0.97), (25, 25, 10, 0.6))

    preset = choose_presets(stills([POLYP], [beside]))["standard"]

    assert needed(preset) > 0.6
    assert "false_detections_per_polyp_free_image" not in preset.measured


def test_a_wish_that_cannot_be_fulfilled_gets_the_quietest_point():
    preset = choose_presets(stills([POLYP, NOTHING], [shown((5, 5, 10, 0.5)), shown((5, 5, 30, 1.0))]))

    assert preset["quiet"].measured["false_detections_per_polyp_free_image"] == 1.0


def test_a_detection_hits_one_lesion_and_a_lesion_is_hit_once():
    mask = (shown((2, 2, 8, 1), (2, 20, 8, 1)) > 0).astype(np.uint8)
    found = shown((2, 2, 4, 1), (7, 2, 3, 1), (30, 30, 5, 1))

    point = point_of([detections(found, mask, 0.5)], min_area_frac=0.0)

    assert point.sensitivity == 0.5
    assert point.false_per_polyp_image == 2
    assert point.dice_polyp_images == pytest.approx(2 * (16 + 9) / (16 + 9 + 25 + 128))


def test_a_weak_alarm_is_left_out_and_the_polyp_keeps_its_outline():
    """A polyp with a soft rim: a threshold over the alarm would cut the rim off, a peak does not."""
    polyp = shown((5, 5, 14, 0.5))
    polyp[8:16, 8:16] = 0.97
    mask = (polyp > 0).astype(np.uint8)

    preset = choose_presets(stills([mask, NOTHING], [polyp, shown((5, 5, 10, 0.6))]))["standard"]

    assert preset.threshold <= 0.5
    assert preset.min_peak > 0.6
    assert preset.measured["dice_polyp_images"] == 1.0


KEY = Key(0.5, 0.001, 0.95)


def polyp_free(brief, long=0):
    """What a recording comes to with so many false activations, and so many of a second."""
    return Behaviour("free", 100, 20.0, 0.1, 4, false_activations={0.0: brief, 0.5: long, 1.0: long, 2.0: 0})


def test_a_hit_in_video_may_be_as_faint_as_the_recordings_stay_silent():
    by_key = figures([still(shown((5, 5, 10, 0.97)), POLYP), still(shown(), NOTHING)])

    def followed(peak):
        return [polyp_free(brief=3 if peak < 0.8 else 1, long=1 if peak < 0.7 else 0)]

    peaks = {name: hit_peak(KEY, followed, by_key, wish) for name, wish in WISHES.items()}

    assert peaks == {"sensitive": 0.0, "standard": 0.8, "quiet": 0.95}


def test_a_hit_is_not_so_faint_that_a_view_that_stands_still_is_confirmed_too_often():
    images = [still(shown((5, 5, 10, 0.97)), POLYP), still(shown(), NOTHING)]
    images += [still(shown((9, 9, 9, 0.82)), NOTHING, "far", True)] * 50 + [
        still(shown(), NOTHING, "far", True)
    ] * 50

    assert hit_peak(KEY, lambda peak: [polyp_free(0)], figures(images), WISHES["standard"]) == 0.85
    assert hit_peak(KEY, lambda peak: [polyp_free(0)], figures(images), WISHES["sensitive"]) == 0.0


def test_fields_are_cut_out_of_pictures_and_masks_alike():
    image = np.full((80, 100, 3), 10, np.uint8)
    image[8:72, 40:90] = np.random.default_rng(0).integers(90, 200, (64, 50, 3))
    mask = np.zeros((80, 100), np.uint8)
    mask[30:40, 50:60] = 1
    pictures = Pictures(root=None, records=[])
    pictures.add(Record(image="a", mask="m", set="s", group="g"), image, mask)

    alone = fields_of(pictures)

    assert alone.records == pictures.records
    assert alone.images[0].shape[:2] == alone.masks[0].shape == pytest.approx((64, 50), abs=4)
    assert alone.masks[0].sum() == 100


@pytest.fixture
def place(tmp_path):
    """Twelve pictures in six groups, every other one with a red disc, and two clips; three further pictures;
    a model that is sure of red and was trained beside the first."""
    data, more = tmp_path / "data", tmp_path / "more"
    (data / "clips" / "polyp_a_masks").mkdir(parents=True)
    more.mkdir()
    lines = []
    for number in range(12):
        red = number % 2 == 0
        cv2.imwrite(str(data / f"{number}.png"), red_picture(number if red else 4, always=red)[..., ::-1])
        mask = np.zeros(red_picture(0).shape[:2], np.uint8)
        cv2.circle(mask, centre(number), 40, 255, cv2.FILLED)
        cv2.imwrite(str(data / f"{number}-mask.png"), mask)
        line = {"image": f"{number}.png", "mask": f"{number}-mask.png" if red else None}
        lines.append(json.dumps(line | {"set": "s", "group": f"g{number // 2}"}) + "\n")
    (data / "index.jsonl").write_text("".join(lines))
    red_clip(data / "clips" / "polyp_a.mp4", frames=8, always=True)
    for number in range(8):
        mask = np.zeros(red_picture(0).shape[:2], np.uint8)
        cv2.circle(mask, centre(number), 40, 255, cv2.FILLED)
        cv2.imwrite(str(data / "clips" / "polyp_a_masks" / f"{number}.png"), mask)
    red_clip(data / "clips" / "polyp_free_b.mp4", frames=5)
    part = {"split": "grouped", "folds": 3, "fold": 1, "split_seed": 0, "validation_groups": []}
    split = split_of(load_index(data).records, DataPart.model_validate(part, strict=False))
    trained = load_index(data).records[split.train[0]].group
    further = [
        {"image": "a.png", "mask": None, "set": "far", "group": "new", "label": "no-polyp"},
        {"image": "b.png", "mask": None, "set": "far", "group": trained, "label": "no-polyp"},
        {"image": "c.png", "mask": None, "set": "far", "group": "new2", "label": "unlabelled"},
    ]
    for line in further:
        cv2.imwrite(str(more / line["image"]), red_picture(4)[..., ::-1])
    (more / "index.jsonl").write_text("".join(json.dumps(line) + "\n" for line in further))
    path = red_model(tmp_path / "models", size=(64, 64))
    card = json.loads((path / "model.json").read_text())
    held_out = part | {"training_images": len(split.train), "validation_images": len(split.validation)}
    card["training"] |= {"held_out": held_out}
    (path / "model.json").write_text(json.dumps(card))
    return tmp_path


def test_further_images_are_those_that_the_training_did_not_see(place):
    model = load_model_folder(place / "models" / "red")
    index = with_more(load_index(place / "data"), [place / "more"])

    assert [record.image.rpartition("/")[2] for record in unseen(model, index)] == ["a.png"]


def test_one_command_chooses_and_measures_presets_anew_and_says_it_all_in_the_card(place):
    words = ["--data", str(place / "data"), "--more-data", str(place / "more"), "--maps", str(place / "maps")]
    path = place / "models" / "red"

    assert main(["presets", str(path), "--field", *words]) == 0

    card = load_model_folder(path).card  # its hash is right
    assert (card.schema_, card.region) == (SCHEMA, "field")
    assert card.check is not None or card.numbers_sha256 is not None
    assert [(one.name, one.polyp_free) for one in card.recordings] == [
        ("polyp_a", False),
        ("polyp_free_b", True),
    ]
    assert {row.name for row in card.metrics} >= {"dice", "dice_polyp_images"}
    standard = card.presets["standard"]
    assert standard.hit_peak is not None
    measured = standard.measured
    assert measured["sensitivity_iou_0.1"] == 1.0
    assert measured["false_detections_per_further_image"] == 0.0
    assert (measured["polyps"], measured["polyp_sensitivity"]) == (1, 1.0)
    assert measured["first_confirmed_ms"] > 0
    assert 0 < measured["frame_sensitivity"] < 1  # what comes before it is confirmed is not marked
    assert "false_activations_per_min" not in measured  # of so few seconds there are counts
    assert set(standard.by_set) == {"s", "far"}

    before = (path / "model.json").read_bytes()
    maps = sorted((place / "maps").rglob("*.png"))
    made = [one.stat().st_mtime_ns for one in maps]
    assert main(["presets", str(path), *words]) == 0

    assert (path / "model.json").read_bytes() == before
    assert [one.stat().st_mtime_ns for one in maps] == made  # nothing was looked at twice
