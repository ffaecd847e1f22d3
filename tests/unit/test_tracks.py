"""Tracks: what is seen for long enough is confirmed, keeps its identity, and flashes stay silent."""

import numpy as np
import pytest

from engine.tracking.alarm import Alarms
from engine.tracking.alarm import after as alarms_after
from engine.tracking.place import Shift
from engine.tracking.rule import TrackRule
from engine.tracking.tracks import Sighting, Tracks, dismiss, restart, step
from engine.types import Component, Rect, TrackState

STANDARD = TrackRule(hit_s=0.165, window_s=0.265)
QUIET = TrackRule(hit_s=0.330, window_s=0.500)
SENSITIVE = TrackRule(hit_s=0.100, window_s=0.165)
HZ = 30.0


def blob(x=100, y=100, side=40, peak=0.9):
    outline = np.array([[x, y], [x + side, y], [x + side, y + side], [x, y + side]], np.int32)
    return Component(Rect(x, y, side, side), side * side, peak, peak, (outline,))


def strong(*args, **kwargs):
    return Sighting(blob(*args, **kwargs))


def weak(*args, **kwargs):
    return Sighting(blob(*args, peak=0.45, **kwargs), strong=False)


def watch(looks, *, hz=HZ, rule=STANDARD, tracks=None, motions=None, drift_px_s=0.0, may_start=True):
    """The tracks after each look; a look is the sightings of one frame."""
    state, states = tracks or Tracks(), []
    begun_s = 0.0 if state.at_s is None else state.at_s + 1 / hz
    for i, look in enumerate(looks):
        motion = motions[i] if motions else Shift()
        state = step(
            state,
            look,
            now_s=begun_s + i / hz,
            rule=rule,
            motion=motion,
            drift_px_s=drift_px_s,
            period_s=1 / hz,
            may_start=may_start,
        )
        states.append(state)
    return states


def confirmed_at(states):
    """Number of looks until something was confirmed, or None."""
    found = (i for i, s in enumerate(states) if any(t.state is TrackState.CONFIRMED for t in s.tracks))
    return next((i + 1 for i in found), None)


def states_of(states, track_id=1):
    return [next((t.state.value for t in s.tracks if t.id == track_id), "gone") for s in states]


def test_a_weak_blob_continues_a_track_but_never_starts_one():
    assert watch([[weak()]])[-1].tracks == ()

    first, same = watch([[strong()], [weak()]])

    assert [track.id for track in same.tracks] == [track.id for track in first.tracks] == [1]


def test_weak_blobs_keep_a_confirmed_track_and_confirm_none():
    assert confirmed_at(watch([[strong()]] + [[weak()]] * 30)) is None

    kept = watch([[strong()]] * 5 + [[weak()]] * 60)

    assert set(states_of(kept)[5:]) == {"confirmed"}


@pytest.mark.parametrize(("rule", "looks"), [(SENSITIVE, 3), (STANDARD, 5), (QUIET, 10)])
def test_a_polyp_that_stays_is_confirmed_after_the_time_of_its_preset(rule, looks):
    assert confirmed_at(watch([[strong()]] * 20, rule=rule)) == looks


def test_a_flash_of_a_single_frame_is_never_tentative():
    assert set(states_of(watch([[strong()]] + [[]] * 14))) == {"candidate", "released"}


def test_two_hits_are_tentative():
    assert states_of(watch([[strong()], [strong()]])) == ["candidate", "tentative"]


def test_five_hits_of_eight_frames_confirm_and_four_do_not():
    hit, miss = [strong()], []

    assert confirmed_at(watch([hit, miss, hit, hit, miss, hit, miss, hit])) == 8
    assert confirmed_at(watch([hit, miss, hit, hit, miss, miss, miss, hit] + [miss] * 9)) is None


def test_a_source_of_60_hz_confirms_within_a_frame_of_one_of_30_hz():
    at_30_s = (confirmed_at(watch([[strong()]] * 30, hz=30)) - 1) / 30
    at_60_s = (confirmed_at(watch([[strong()]] * 60, hz=60)) - 1) / 60

    assert at_60_s == pytest.approx(at_30_s, abs=1 / 60 + 1e-9)


def test_at_5_hz_two_hits_confirm_and_one_does_not():
    assert confirmed_at(watch([[strong()]] * 4, hz=5)) == 2
    assert confirmed_at(watch([[strong()], [], [], []], hz=5)) is None


def test_at_5_hz_a_track_is_held_over_one_frame_and_released_after_two_more():
    states = states_of(watch([[strong()]] * 3 + [[]] * 3, hz=5))

    assert states[3:] == ["held", "hidden", "released"]


def test_a_stall_is_no_time_in_which_something_was_seen():
    state = watch([[strong()]])[-1]
    state = step(state, [strong()], now_s=2.0, rule=STANDARD, period_s=1 / HZ)

    assert [track.state for track in state.tracks] == [TrackState.CANDIDATE]


def test_a_confirmed_track_is_held_over_200_ms_hidden_then_and_released_after_400_ms():
    states = states_of(watch([[strong()]] * 5 + [[]] * 14))[5:]

    assert states == ["held"] * 6 + ["hidden"] * 6 + ["released"] * 2


def test_one_hit_brings_a_hidden_track_back_at_once():
    states = watch([[strong()]] * 5 + [[]] * 9 + [[strong()]])

    assert states_of(states)[-2:] == ["hidden", "confirmed"]


def test_what_returns_to_its_place_within_three_seconds_is_the_same_track_and_has_to_be_confirmed_anew():
    states = watch([[strong()]] * 5 + [[]] * 60 + [[strong()]] * 5)

    assert states_of(states)[-6:] == [
        "released",
        "candidate",
        "tentative",
        "tentative",
        "tentative",
        "confirmed",
    ]
    assert states[-1].tracks[0].confirmed_s == pytest.approx(4 / HZ)


def test_after_more_than_three_seconds_it_is_another_track():
    states = watch([[strong()]] * 5 + [[]] * 92 + [[strong()]])

    assert [track.id for track in states[-1].tracks] == [2]


def test_what_appears_elsewhere_is_another_track():
    states = watch([[strong()], [strong(), strong(x=400)]])

    assert [track.id for track in states[-1].tracks] == [1, 2]


def test_a_turn_of_the_endoscope_does_not_break_a_track():
    looks = [[strong(x=100 + 60 * i)] for i in range(6)]

    moved = watch(looks, motions=[Shift(60.0 if i else 0.0, 0.0) for i in range(6)])
    unknown = watch(looks)

    assert [track.id for track in moved[-1].tracks] == [1]
    assert len(unknown[-1].tracks) > 1


def jump(*, hz, side=40):
    """Ids after a polyp of 40 px has jumped by 80 px from one frame to the next; `drift_px_s`: 500."""
    looks = [[strong(x=100)]] * 3 + [[strong(x=180, side=side)]]
    return [track.id for track in watch(looks, hz=hz, drift_px_s=500.0)[-1].tracks]


def test_what_jumps_between_two_frames_of_a_slow_source_is_the_same_and_between_those_of_a_quick_one_not():
    assert jump(hz=5) == [1]
    assert jump(hz=30) == [1, 2]


def test_what_jumps_and_has_another_size_is_another():
    assert jump(hz=5, side=80) == [1, 2]


@pytest.mark.parametrize("dismissed", [False, True])
def test_what_was_missed_for_long_has_to_be_where_it_was(dismissed):
    before = dismiss(watch([[strong(x=100)]] * 3, hz=5)[-1], 1, dismissed)
    looks = [[]] * 5 + [[strong(x=200)]] * 3

    after = watch(looks, hz=5, tracks=before, drift_px_s=500.0)[-1]

    assert [(track.id, track.is_shown) for track in after.tracks] == [(1, False), (2, True)]


def test_a_held_track_tells_how_far_the_picture_has_moved_since():
    (track,) = watch([[strong()]] * 5 + [[], []], motions=[Shift()] * 5 + [Shift(3, 1), Shift(4, 1)])[
        -1
    ].tracks

    assert track.state is TrackState.HELD
    assert track.moved == Shift(7, 2)


def test_a_finding_that_comes_apart_is_still_one():
    whole, halves = [strong(side=60)], [strong(side=40), strong(x=135, y=135, side=24)]

    states = watch([whole] * 5 + [halves])

    (track,) = states[-1].tracks
    assert len(track.components) == 2


def apart(gap):
    return [strong(x=100, side=40), strong(x=140 + gap, side=38)]


def test_parts_that_go_far_from_each_other_are_two_findings_and_the_one_keeps_its_name():
    looks = [[strong(x=100, side=80)]] * 5 + [apart(4 * i) for i in range(40)]

    states = watch(looks)

    assert [len(t.components) for t in states[8].tracks] == [2]
    assert [(t.id, t.state.value) for t in states[-1].tracks] == [(1, "confirmed"), (2, "confirmed")]
    assert {t.id for state in states for t in state.shown if len(state.shown) == 1} == {1}


def test_a_flash_between_parts_that_are_far_from_each_other_is_silent():
    before = watch([[strong(x=100, side=80)]] * 5 + [apart(4 * i) for i in range(40)])[-1]

    after = watch([[*apart(156), strong(x=190, side=20)]], tracks=before)[-1]

    assert [t.id for t in after.shown] == [1, 2]
    assert [len(t.components) for t in after.shown] == [1, 1]


def test_a_dismissed_track_stays_silent_at_its_place():
    state = dismiss(watch([[strong()]] * 5)[-1], 1)
    states = watch([[strong()]] * 10 + [[]] * 200 + [[strong()]] * 10, tracks=state)

    assert all(not s.shown for s in states)
    assert [track.id for track in states[-1].tracks] == [1]


def test_in_a_bad_view_nothing_starts_or_is_confirmed_and_a_confirmed_track_goes_on():
    before = watch([[strong()]] * 5 + [[strong(), strong(x=400)]] * 2)[-1]

    bad = watch([[strong(), strong(x=400), strong(x=700)]] * 10, tracks=before, may_start=False)[-1]

    assert [(t.id, t.state.value) for t in bad.tracks] == [(1, "confirmed"), (2, "tentative")]


def test_going_back_in_time_forgets_the_tracks_and_never_gives_an_id_twice():
    state = watch([[strong()]] * 5)[-1]

    (again,) = step(state, [strong()], now_s=0.0, rule=STANDARD).tracks

    assert (again.id, again.state) == (2, TrackState.CANDIDATE)
    assert restart(state).next_id == 2


def test_any_order_and_rate_of_looks_gives_ids_that_only_grow():
    random = np.random.default_rng(7)
    for _ in range(20):
        state, now_s, highest = Tracks(), 0.0, 0
        for _ in range(60):
            now_s += float(
                random.choice([0.0, -0.5, 1 / 60, 1 / 30, 0.2, 4.0], p=[0.05, 0.05, 0.3, 0.4, 0.15, 0.05])
            )
            looks = [
                Sighting(
                    blob(*random.integers(0, 600, 2).tolist(), side=int(random.integers(5, 90))),
                    bool(random.integers(2)),
                )
                for _ in range(random.integers(0, 5))
            ]
            known = {track.id for track in state.tracks}
            state = step(
                state, looks, now_s=now_s, rule=STANDARD, motion=Shift(*random.normal(0, 9, 2).tolist())
            )
            new = [track.id for track in state.tracks if track.id not in known]
            assert all(track_id > highest for track_id in new)
            highest = max([highest, *new])
            assert len({track.id for track in state.tracks}) == len(state.tracks)


def rings(states, hz=HZ):
    alarms, rang = Alarms(), []
    for i, state in enumerate(states):
        alarms = alarms_after(alarms, state.tracks, i / hz)
        rang.append(alarms.ringing)
    return [(i, ids) for i, ids in enumerate(rang) if ids]


def test_a_confirmed_track_rings_once_also_when_it_goes_and_returns():
    assert rings(watch([[strong()]] * 30 + [[]] * 30 + [[strong()]] * 30)) == [(4, (1,))]


def test_two_alarms_are_two_seconds_apart_and_none_comes_late():
    one, two, three = strong(), strong(x=400), strong(x=700)
    looks = [[one]] * 30 + [[one, two]] * 60 + [[one, two, three]] * 30

    assert rings(watch(looks)) == [(4, (1,)), (94, (3,))]


def test_a_dismissed_track_does_not_ring():
    state = dismiss(watch([[strong()]] * 2)[-1], 1)

    assert rings(watch([[strong()]] * 10, tracks=state)) == []
