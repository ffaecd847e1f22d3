"""What people do with a recording: acts that are kept, undone and done again, and what follows from them."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from engine.drawing.rle import decode
from engine.faults import FaultError
from engine.review import acts
from engine.review.acts import BOOKMARKS, FINDINGS, Anchor, FrameState, Verdict, frame_scope
from engine.review.compare.disagreements import (
    ONLY_A,
    ONLY_B,
    disagreements,
    next_disagreement,
    previous_disagreement,
)
from engine.review.edits import Edits, drawn, mask_act
from engine.review.findings import Finding, Sighted, next_finding, previous_finding
from engine.review.places import Places
from engine.review.recording import Analysis
from engine.review.rows import MODEL, PERSON, rows_of
from engine.review.store import open_side_car
from engine.review.timeline import FrameTable
from engine.types import Field, OperatingPoint, Rect, Size, TrackState

SIZE = Size(64, 48)


@pytest.fixture
def video(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"pictures")
    return path


@pytest.fixture
def car(video, tmp_path):
    with open_side_car([video], Places(tmp_path / "library")) as one:
        yield one


@pytest.fixture
def edits(car):
    return Edits(car.database)


def disc(x: int = 30, radius: int = 8) -> np.ndarray:
    rows, columns = np.ogrid[:48, :64]
    return ((columns - x) ** 2 + (rows - 20) ** 2 <= radius**2).astype(np.uint8)


def again(car) -> Edits:
    return Edits(car.database)


def test_a_mask_is_on_the_disk_as_soon_as_it_is_drawn_and_the_frame_is_touched(car, edits):
    edits.mask(7, 1, disc(), "brush")

    known = again(car).frame(7)
    assert known.state is FrameState.TOUCHED
    assert np.array_equal(decode(known.masks[1].rle), disc())
    assert known.masks[1].source == "brush"
    assert again(car).frame(8).state is FrameState.MACHINE


def test_several_polyps_of_a_frame_are_kept_apart_and_taken_away_alone(edits):
    edits.mask(7, 1, disc(15), "brush")
    edits.mask(7, 2, disc(45), "brush")
    edits.mask(7, 1, None, "brush")

    assert set(edits.frame(7).masks) == {2}


def test_undo_and_redo_have_no_end_and_outlive_the_window(car, edits):
    masks = [disc(10 + number) for number in range(12)]
    for mask in masks:
        edits.mask(7, 1, mask, "brush")
    for mask in reversed(masks[:-1]):
        assert again(car).undo(frame_scope(7))
        assert np.array_equal(decode(again(car).frame(7).masks[1].rle), mask)
    edits = again(car)
    assert edits.undo(frame_scope(7))
    assert not edits.undo(frame_scope(7))
    assert edits.frame(7) == acts.NOTHING
    for mask in masks:
        assert again(car).redo(frame_scope(7))
        assert np.array_equal(decode(again(car).frame(7).masks[1].rle), mask)
    assert not again(car).redo(frame_scope(7))


@pytest.mark.parametrize("seed", range(3))
def test_undo_of_any_acts_gives_the_beginning_and_redo_the_end_bit_for_bit(car, edits, seed):
    chance = random.Random(seed)
    for _ in range(30):
        act = chance.choice(("mask", "mask", "mask", "copy", "clear", "verify", "empty", "undo", "redo"))
        shape = disc(chance.randrange(64), chance.randrange(1, 20))
        if act == "mask":
            edits.mask(7, chance.randrange(1, 4), shape, "brush")
        elif act == "copy":
            edits.masks(7, {1: shape, 2: disc(50)}, "model")
        elif act == "clear":
            edits.masks(7, {}, "")
        elif act == "verify":
            edits.verify(7)
        elif act == "empty":
            edits.set_state(7, FrameState.EMPTY)
        else:
            getattr(edits, act)(frame_scope(7))

    seen = [edits.frame(7)]
    while edits.undo(frame_scope(7)):
        seen.append(edits.frame(7))
    assert edits.frame(7) == acts.NOTHING
    other = again(car)  # and it goes on in another window
    for expected in reversed(seen[:-1]):
        assert other.redo(frame_scope(7))
        assert other.frame(7) == expected
    assert again(car).frame(7) == seen[0]


def test_what_is_done_behind_an_undo_ends_the_redo_and_nothing_is_ever_removed(car, edits):
    edits.mask(7, 1, disc(10), "brush")
    edits.mask(7, 1, disc(20), "brush")
    edits.undo(frame_scope(7))
    edits.mask(7, 1, disc(30), "polygon")

    assert not edits.redo(frame_scope(7))
    assert np.array_equal(decode(edits.frame(7).masks[1].rle), disc(30))
    assert [act.kind for act in again(car).history(frame_scope(7))] == ["mask", "mask", "undo", "mask"]


def test_undo_is_of_one_frame_and_a_stroke_over_many_is_taken_back_at_once_or_frame_by_frame(edits):
    edits.do([mask_act(rank, 1, disc(), "flow") for rank in (1, 2)])
    edits.mask(3, 1, disc(), "brush")
    stroke = edits.last_stroke - 1

    edits.undo(frame_scope(1))
    assert (edits.frame(1).state, edits.frame(2).state) == (FrameState.MACHINE, FrameState.TOUCHED)
    edits.undo_stroke(stroke)
    assert set(edits.frames) == {3}


def test_a_frame_that_is_verified_has_what_it_showed_and_a_later_stroke_unverifies_it(car, edits):
    edits.mask(1, 1, disc(), "brush")
    edits.verify(1)
    machine = again(car).frame(1).masks.values()
    edits.verify(2, machine)
    edits.verify(3)

    assert {rank: one.state for rank, one in again(car).vouched.items()} == {
        1: FrameState.VERIFIED,
        2: FrameState.VERIFIED,
        3: FrameState.EMPTY,
    }
    assert np.array_equal(decode(edits.frame(2).masks[1].rle), disc())
    edits.mask(2, 1, disc(20), "brush")
    assert edits.frame(2).state is FrameState.TOUCHED
    edits.undo(frame_scope(2))
    assert edits.frame(2).state is FrameState.VERIFIED
    edits.undo(frame_scope(2))
    assert edits.frame(2).state is FrameState.MACHINE


def test_copied_masks_stand_for_all_that_was_there(edits):
    edits.mask(1, 5, disc(), "brush")
    edits.masks(1, {1: disc(15), 2: disc(45)}, "model")
    assert set(edits.frame(1).masks) == {1, 2}
    edits.masks(1, {}, "clear")
    assert edits.frame(1).masks == {}
    assert edits.frame(1).state is FrameState.TOUCHED


def test_a_polygon_is_a_mask_to_the_part_of_a_pixel_and_is_kept_as_it_was_drawn(car, edits):
    line = [(10.25, 10.25), (20.75, 10.25), (20.75, 18.0), (10.25, 18.0)]
    mask = drawn([line], SIZE)
    edits.mask(4, 1, mask, "polygon", [line])

    assert int(mask.sum()) == 11 * 8
    assert again(car).frame(4).masks[1].outlines == (tuple(line),)


def test_bookmarks_have_a_note_and_an_undo(car, edits):
    edits.bookmark(90, "caecum")
    edits.bookmark(10)
    edits.bookmark(10, None)
    assert again(car).bookmarks == {90: "caecum"}
    edits.undo(BOOKMARKS)
    assert again(car).bookmarks == {10: "", 90: "caecum"}


def test_what_cannot_be_kept_is_told_and_has_not_happened(video, car, tmp_path):
    with open_side_car([video], Places(tmp_path / "library")) as second:
        edits = Edits(second.database)
        with pytest.raises(FaultError):
            edits.mask(1, 1, disc(), "brush")
        assert edits.frame(1) == acts.NOTHING


def test_where_the_sliders_stood_is_known_again(car, edits):
    point = OperatingPoint(0.4, 0.001, preset="quiet", keep=0.2, hit_s=0.3, window_s=0.5)
    edits.look_at(1, point.moved(0.3))
    edits.look_at(1, point)
    assert again(car).points == {1: point}
    assert again(car).points[1].preset == "quiet"


def test_what_it_was_compared_with_is_known_again(car, edits):
    point = OperatingPoint(0.4, 0.001, preset="quiet", keep=0.2, hit_s=0.3, window_s=0.5)
    assert edits.second is None
    edits.compare_with(2, point)
    edits.compare_with(3, point.moved(0.3))
    assert again(car).second == (3, point.moved(0.3))
    edits.compare_with(None)
    assert again(car).second is None


def test_on_a_full_disk_it_is_said_and_what_was_kept_before_stays(car, edits):
    edits.mask(1, 1, disc(), "brush")
    (pages,) = car.database.row("PRAGMA page_count")
    car.database.row(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(FaultError, match="the disk is full"):
        fill(edits)

    assert set(again(car).frame(1).masks) == {1}
    assert again(car).bookmarks == edits.bookmarks


def fill(edits):
    for number in range(200):
        edits.bookmark(number, "a long note " * 50)


# Findings, and what is said of them.

A, B = Rect(10, 10, 10, 10), Rect(40, 10, 10, 10)


def finding(number: int, first: int, last: int, box: Rect) -> Finding:
    return Finding(number, first, last, first, first / 10, last / 10, first / 10, 5, 0.9, box, 80, 0.1)


def sightings(*findings: Finding):
    found: dict[int, list[Sighted]] = {}
    for one in findings:
        for rank in range(one.first_rank, one.last_rank + 1):
            seen = Sighted(one.id, TrackState.CONFIRMED, one.box, one.area_px + rank, 0.9)
            found.setdefault(rank, []).append(seen)
    return {rank: tuple(seen) for rank, seen in found.items()}


FOUND = (finding(1, 10, 20, A), finding(2, 15, 25, B))


def rows(edits, found=FOUND):
    return rows_of(found, sightings(*found), edits.told, lambda rank: rank / 10)


def test_a_verdict_and_a_note_stand_in_the_row_of_their_finding_and_are_undone(car, edits):
    first, second = rows(edits)
    edits.judge(second.anchor, Verdict.REJECT)
    edits.note(second.anchor, "a fold")
    edits.judge(first.anchor, Verdict.KEEP)

    assert [(row.verdict, row.note) for row in rows(again(car))] == [("keep", ""), ("reject", "a fold")]
    edits.undo(FINDINGS)
    assert [row.verdict for row in rows(edits)] == [Verdict.OPEN, Verdict.REJECT]
    assert {row.who for row in rows(edits)} == {MODEL}


def test_a_verdict_finds_its_finding_among_those_of_another_threshold_by_its_place(edits):
    edits.judge(rows(edits)[1].anchor, Verdict.KEEP)
    others = (finding(7, 12, 30, Rect(41, 11, 9, 9)), finding(9, 12, 30, A))

    assert {row.findings: row.verdict for row in rows(edits, others)} == {
        (7,): Verdict.KEEP,
        (9,): Verdict.OPEN,
    }


def test_what_was_kept_is_still_listed_where_it_is_not_found_any_more(edits):
    edits.judge(rows(edits)[1].anchor, Verdict.KEEP)
    kept = rows(edits, FOUND[:1])[1]
    assert (kept.gone, kept.verdict, kept.best_rank, kept.start_s) == (True, Verdict.KEEP, 15, 1.5)


def test_findings_are_joined_split_deleted_and_added_by_hand(edits):
    first, second = rows(edits)
    edits.join(first.anchor, second.anchor)
    (joined,) = rows(edits)
    assert (joined.findings, joined.first_rank, joined.last_rank) == ((1, 2), 10, 25)
    edits.undo(FINDINGS)

    edits.split(first.anchor, 16)
    early, _, late = rows(edits)
    assert [(early.first_rank, early.last_rank), (late.first_rank, late.last_rank)] == [(10, 15), (16, 20)]
    edits.judge(late.anchor, Verdict.REJECT)
    assert [row.verdict for row in rows(edits)] == ["", "", "reject"]

    edits.delete(second.anchor)
    assert [row.findings for row in rows(edits)] == [(1,), (1,)]
    label = edits.add(40, 60, Anchor(50, A))
    own = rows(edits)[-1]
    assert (own.who, *own.labels, own.start_s, own.end_s) == (PERSON, label, 4.0, 6.0)
    edits.judge(own.anchor, Verdict.KEEP)
    assert rows(edits)[-1].verdict is Verdict.KEEP
    assert edits.free_label() == label + 1


def drawn_rows(edits, found=FOUND):
    seen = sightings(*found)
    return rows_of(found, seen, edits.told, lambda rank: rank / 10, edits.marked, lambda rank: 64 * 48)


def test_a_polyp_that_a_person_drew_is_a_row_over_its_frames_and_goes_with_them(car, edits):
    label = edits.free_label()
    for rank, radius in ((40, 5), (41, 8), (44, 6)):
        edits.mask(rank, label, disc(30, radius), "brush")

    own = drawn_rows(again(car))[-1]
    assert (own.who, own.findings, own.first_rank, own.last_rank, own.best_rank) == (
        PERSON,
        (label,),
        40,
        44,
        41,
    )
    assert own.field_frac == pytest.approx(disc(30, 8).sum() / (64 * 48))
    assert own.verdict is Verdict.KEEP
    edits.undo(frame_scope(44))
    assert drawn_rows(edits)[-1].last_rank == 41
    for rank in (40, 41):
        edits.mask(rank, label, None, "eraser")
    assert len(drawn_rows(edits)) == len(FOUND)


def test_what_was_said_of_a_persons_finding_holds_while_it_is_drawn_on(edits):
    label = edits.free_label()
    edits.mask(40, label, disc(30, 5), "brush")
    edits.judge(drawn_rows(edits)[-1].anchor, Verdict.UNSURE)
    edits.note(drawn_rows(edits)[-1].anchor, "flat")
    edits.mask(50, label, disc(10, 9), "brush")
    edits.mask(40, label, disc(50, 5), "brush")

    own = drawn_rows(edits)[-1]
    assert (own.best_rank, own.verdict, own.note) == (50, Verdict.UNSURE, "flat")
    edits.split(own.anchor, 45)
    assert [(row.first_rank, row.last_rank) for row in drawn_rows(edits)[-2:]] == [(40, 40), (50, 50)]
    edits.judge(drawn_rows(edits)[-1].anchor, Verdict.REJECT)
    assert [row.verdict for row in drawn_rows(edits)[-2:]] == [Verdict.UNSURE, Verdict.REJECT]


def test_a_persons_finding_is_deleted_with_its_masks_and_one_undo_brings_both_back(car, edits):
    label = edits.free_label()
    edits.mask(40, label, disc(), "brush")
    edits.verify(40)
    before, frame = drawn_rows(edits), edits.frame(40)

    edits.delete(before[-1].anchor, before[-1].labels)
    assert len(drawn_rows(edits)) == len(FOUND)
    assert edits.frame(40).masks == {}
    assert edits.take_back() == acts.DELETE
    assert (drawn_rows(again(car)), again(car).frame(40)) == (before, frame)
    assert edits.say_again() == acts.DELETE
    edits.undo(frame_scope(40))  # in the frame alone: what is there is listed
    assert drawn_rows(edits) == before


def test_a_marked_place_and_the_masks_drawn_of_it_later_are_one_row(edits):
    label = edits.add(50, 50, Anchor(50, A))
    assert drawn_rows(edits)[-1].field_frac == pytest.approx(100 / (64 * 48))
    edits.mask(52, label, disc(), "brush")

    own = drawn_rows(edits)[-1]
    assert (own.findings, own.first_rank, own.last_rank, own.best_rank) == ((label,), 50, 52, 52)


def test_masks_stay_with_the_track_that_they_lie_on_when_tracks_get_other_numbers(edits):
    box = np.zeros((48, 64), np.uint8)
    box[10:20, 10:20] = 1
    edits.mask(12, 1, box, "brush")
    edits.mask(24, 1, box, "flow")  # a person followed it farther than the network
    assert [(row.findings, row.last_rank) for row in drawn_rows(edits)] == [((1,), 24), ((2,), 25)]

    others = (finding(1, 40, 50, B), finding(5, 10, 20, A))
    assert {row.findings: (row.first_rank, row.last_rank) for row in drawn_rows(edits, others)} == {
        (1,): (40, 50),
        (5,): (10, 24),
    }
    (gone,) = drawn_rows(edits, ())
    assert (gone.who, gone.first_rank, gone.last_rank, gone.labels[-1]) == (PERSON, 12, 24, 1)


def test_undo_takes_findings_and_bookmarks_back_in_the_order_in_which_they_were_said(car, edits):
    edits.bookmark(3)
    edits.judge(rows(edits)[0].anchor, Verdict.KEEP)
    edits.bookmark(3, "appendix")

    edits = again(car)
    assert edits.take_back() == acts.BOOKMARK
    assert edits.bookmarks == {3: ""}
    assert edits.take_back() == acts.VERDICT
    assert rows(edits)[0].verdict is Verdict.OPEN
    assert edits.say_again() == acts.VERDICT
    assert (edits.take_back(), edits.take_back(), edits.take_back()) == (acts.VERDICT, acts.BOOKMARK, "")
    assert edits.bookmarks == {}
    for _ in range(3):
        edits.say_again()
    assert (edits.bookmarks, rows(edits)[0].verdict) == ({3: "appendix"}, Verdict.KEEP)


def test_next_and_previous_go_from_beginning_to_beginning():
    assert next_finding(FOUND, 10).id == 2
    assert next_finding(FOUND, 15) is None
    assert previous_finding(FOUND, 12).id == 1
    assert previous_finding(FOUND, 10) is None


def test_two_analyses_disagree_where_one_has_a_finding_at_a_place_and_the_other_has_none():
    ranks = np.arange(100, dtype=np.int32)
    nothing = np.zeros(100, np.uint8)
    table = FrameTable(ranks, ranks / 10, nothing, nothing, nothing)
    a = sightings(finding(1, 10, 20, A), finding(2, 23, 24, A), finding(3, 60, 70, B))
    b = sightings(finding(8, 10, 30, Rect(11, 11, 10, 10)), finding(9, 65, 75, A))

    found = disagreements(a, b, table)
    assert [(one.who, one.first_rank, one.last_rank) for one in found] == [
        (ONLY_B, 21, 30),
        (ONLY_A, 60, 70),
        (ONLY_B, 65, 75),
    ]
    assert (found[1].start_s, found[1].end_s) == (6.0, 7.0)
    assert next_disagreement(found, 21) == found[1]
    assert next_disagreement(found, 65) is None
    assert previous_disagreement(found, 62) == found[1]
    assert previous_disagreement(found, 21) is None


def test_nothing_is_said_of_what_one_has_not_judged_nor_of_a_moment_or_part_that_is_missing():
    ranks = np.arange(100, dtype=np.int32)
    table = FrameTable(ranks, ranks / 10, *(np.zeros(100, np.uint8) for _ in range(3)))
    a = sightings(finding(1, 10, 20, A), finding(2, 60, 70, A))
    b = sightings(finding(1, 10, 20, A))
    b[15] = (replace(b[15][0], state=TrackState.HELD),)

    a[12] = (*a[12], replace(a[12][0], box=Rect(60, 60, 4, 4)))  # the same finding, come apart

    assert disagreements(a, b, table, last_rank=50) == ()
    (later,) = disagreements(a, b, table, last_rank=65)
    assert (later.first_rank, later.last_rank) == (60, 65)


def test_what_is_listed_and_handed_on_is_the_analysis_that_is_reviewed_not_what_it_was_compared_with(car):
    point = OperatingPoint(0.4, 0.001)
    first, second = (
        Analysis(n, "review", name, name, "", "", point, Field(Rect(0, 0, 64, 48)), "", "", SIZE, True, ())
        for n, name in enumerate(("in use", "other"), 1)
    )
    assert again(car).reviewed((first, second)) == second
    Edits(car.database).compare_with(second.id, point)
    assert again(car).reviewed((first, second)) == first
    Edits(car.database).compare_with(None)
    assert again(car).reviewed((first, second)) == first
    assert again(car).reviewed((first, second), "other") == second
    assert again(car).reviewed((second,)) == second
    assert again(car).reviewed(()) is None
