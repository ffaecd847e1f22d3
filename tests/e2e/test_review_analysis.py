"""A recording analysed into its side-car: usable while it runs, killed at any moment, made again."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import time
from contextlib import ExitStack, closing
from dataclasses import fields

import numpy as np
import pytest

from engine.analysis.judged import open_judge, open_recording
from engine.analysis.tracked import watched
from engine.faults import FaultError
from engine.jobs.ended import How
from engine.jobs.events import RunFolder
from engine.model_folder import load_model_folder
from engine.review import keeper
from engine.review.analysis import analyse_into, begin, points_of, progress_of, run_folder, spec_of, start
from engine.review.database import DATABASE
from engine.review.findings import StoredSightings, read_findings, read_sightings
from engine.review.maps import CHUNK, MapReader, chunks, stored_frames, view_faults
from engine.review.marks import marks_of, mask_of
from engine.review.pictures import picture_at
from engine.review.places import Places
from engine.review.remaking.blobs import Blobs
from engine.review.remaking.remake import Wanted, keep, made_again
from engine.review.store import open_side_car
from engine.review.timeline import FrameTable, columns, frame_table, stretches
from engine.sources import parse_source
from engine.types import TrackState
from engine.view.lock_on import iou
from engine.view.quality import ViewFault
from tests.fixtures.recorder import FIELD, POLYP, following_model, recorder_clip

FRAMES, SEEN, NO_FLASH = 3 * CHUNK + 20, range(40, 150), -1


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recorder")
    clip = recorder_clip(folder / "screen.mp4", FRAMES, SEEN, NO_FLASH)
    return clip, load_model_folder(following_model(folder))


@pytest.fixture
def car(made, tmp_path):
    with open_side_car([made[0]], Places(tmp_path / "library", beside=False)) as one:
        yield one


@pytest.fixture(scope="module")
def whole(made, tmp_path_factory):
    """A side-car of an undisturbed analysis."""
    places = Places(tmp_path_factory.mktemp("whole"), beside=False)
    with open_side_car([made[0]], places) as one:
        analysis = begin(one, made[1])
        assert analysed(one, analysis)
        yield one


def analysed(car, analysis) -> bool:
    folder = RunFolder(run_folder(car.folder, analysis.id))
    folder.clear_cancel()
    return analyse_into(car.database, analysis, spec_of(car), folder)


def contents(folder) -> dict[str, list[tuple]]:
    """All that an analysis writes."""
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        tables = ("chunk", "maps", "track", "sighting", "picture")
        return {table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in tables}


def test_every_frame_is_kept_with_its_map_time_field_and_view(whole):
    (analysis,) = whole.analyses
    frames = list(stored_frames(whole.database, analysis.id, analysis.map_size))

    assert [frame.rank for frame in frames] == list(range(FRAMES))
    assert frames[10].pts_s == pytest.approx(0.4)
    assert (analysis.map_size.width_px, analysis.map_size.height_px) == (24, 24)
    assert max(int(frame.map.max()) for frame in frames if frame.rank in SEEN) > 200
    assert max(int(frame.map.max()) for frame in frames[: SEEN.start]) < 50
    assert iou(frames[-1].field.box, FIELD.box) > 0.95
    assert analysis.done
    assert whole.recording.frames == FRAMES
    assert ViewFault.DARK not in view_faults(frames[0].view)


def test_the_findings_are_those_of_analyse_at_the_full_maps(whole, made):
    (analysis,) = whole.analyses
    (finding,) = read_findings(whole.database, analysis.id)

    with ExitStack() as stack:
        source = stack.enter_context(closing(open_recording(parse_source(str(made[0])))))
        judge = stack.enter_context(closing(open_judge(made[1], points_of(made[1])["standard"])))
        frames = stack.enter_context(closing(watched(source, judge, parse_source(str(made[0])), "field")))
        drawn = {
            frame.result.index: frame.result.components[0] for frame in frames if frame.result.components
        }

    assert (finding.first_rank, finding.last_rank) == (SEEN.start, SEEN.stop - 1)
    assert finding.frames == len(SEEN)
    seen = read_sightings(whole.database, analysis.id, 0, FRAMES)
    shown = {rank for rank, some in seen.items() if any(one.state is TrackState.CONFIRMED for one in some)}
    assert shown == {rank for rank, one in drawn.items() if one.state is TrackState.CONFIRMED}
    assert iou(seen[100][0].box, drawn[100].box) > 0.8
    box = finding.box
    assert box.x < POLYP[0] < box.x + box.w
    assert box.y < POLYP[1] < box.y + box.h


def test_what_was_seen_in_a_frame_is_looked_up_when_it_is_asked_for(whole):
    (analysis,) = whole.analyses
    lazy = StoredSightings(whole.database, analysis.id)
    every = read_sightings(whole.database, analysis.id, 0, FRAMES)
    assert lazy.get(100) == every[100]
    assert lazy.get(0) is None
    assert dict(lazy) == every
    assert len(lazy) == len(every)


def test_a_single_frame_is_found_by_its_rank(whole):
    (analysis,) = whole.analyses
    reader = MapReader(whole.database, analysis.id, analysis.map_size)
    frames = list(stored_frames(whole.database, analysis.id, analysis.map_size))
    for rank in (0, CHUNK, FRAMES - 1, CHUNK - 1, 5):
        found = reader.at(rank)
        assert found is not None
        assert found.rank == rank
        assert np.array_equal(found.map, frames[rank].map)
    assert reader.at(FRAMES) is None


def test_there_is_a_picture_near_every_frame(whole):
    rank, picture = picture_at(whole.database, 52)
    assert abs(rank - 52) <= 50
    assert max(picture.shape[:2]) == 200


def again(whole, point):
    (analysis,) = whole.analyses
    table = frame_table(whole.database, analysis.id)
    return made_again(whole.database, Wanted(analysis, whole.recording, table, point), Blobs())


def test_what_is_made_again_of_the_maps_is_what_was_kept(whole):
    (analysis,) = whole.analyses
    frames = []
    for so_far in again(whole, analysis.point):
        frames.append(so_far().frames)
    last = so_far()

    assert frames == [*range(CHUNK, FRAMES, CHUNK), FRAMES, FRAMES]
    assert last.findings == read_findings(whole.database, analysis.id, confirmed=False)
    assert last.sightings == read_sightings(whole.database, analysis.id, 0, FRAMES)


def test_another_preset_gives_other_findings_without_a_network(whole, made):
    first, *rest = (so_far().confirmed for so_far in again(whole, points_of(made[1])["quiet"]))

    assert first == ()
    assert [one.confirmed_s for one in rest[-1]] == [pytest.approx((SEEN.start + 99) / 25)]


def test_what_is_made_at_another_point_is_kept_once_the_analysis_is_done(whole, made):
    (analysis,) = whole.analyses
    before = contents(whole.folder)
    *_, so_far = again(whole, points_of(made[1])["quiet"])
    other = so_far()
    assert keep(whole.database, analysis.id, other)
    assert whole.analyses[0].preset == "quiet"
    assert read_findings(whole.database, analysis.id) == other.confirmed

    *_, so_far = again(whole, analysis.point)
    assert keep(whole.database, analysis.id, so_far())
    assert contents(whole.folder) == before


def test_a_frame_is_drawn_with_the_outlines_of_its_map_and_their_findings(whole, made):
    (analysis,) = whole.analyses
    (finding,) = read_findings(whole.database, analysis.id)
    reader = MapReader(whole.database, analysis.id, analysis.map_size)
    seen = read_sightings(whole.database, analysis.id, 0, FRAMES)
    size = whole.recording.size

    ((mark,), rest) = marks_of(reader.at(100), seen[100], size, analysis.point)
    assert (mark.track, mark.state, rest) == (finding.id, TrackState.CONFIRMED, ())
    assert mask_of([mark], size)[POLYP[1], POLYP[0]]
    assert mask_of([mark], size).sum() == pytest.approx(np.pi * 30**2, rel=0.15)
    (drawn, (candidate,)) = marks_of(reader.at(SEEN.start), seen[SEEN.start], size, analysis.point)
    assert drawn == ()
    assert candidate.state is TrackState.CANDIDATE


def test_the_timeline_has_every_frame_and_grows_with_the_analysis(whole):
    (analysis,) = whole.analyses
    table = frame_table(whole.database, analysis.id)
    names = [one.name for one in fields(FrameTable)]
    early = FrameTable(*(getattr(table, name)[:CHUNK] for name in names))
    grown = frame_table(whole.database, analysis.id, early)

    assert len(table) == FRAMES
    assert np.array_equal(grown.ranks, table.ranks)
    assert table.time_s(50) == pytest.approx(2.0)
    assert table.rank_at(2.01) == 50
    density = columns(table, 0.0, 12.0, 12)
    assert list(np.flatnonzero(density[:8] > 0.6)) == [1, 2, 3, 4, 5]
    assert np.isnan(density[9:]).all()
    ((start_s, end_s),) = stretches(table.peaks > 150, table)
    assert (start_s, end_s) == (pytest.approx(1.6), pytest.approx(149 / 25))


def test_the_same_model_goes_on_and_another_one_is_a_second_analysis(car, made, tmp_path):
    analysis = begin(car, made[1])
    assert begin(car, made[1], "quiet") == analysis
    assert begin(car, made[1], region="frame") != analysis
    assert len(car.analyses) == 2


def test_a_paused_analysis_can_be_used_and_goes_on_to_the_bit(car, made, whole):
    analysis = begin(car, made[1])
    folder = RunFolder(run_folder(car.folder, analysis.id))
    keep = keeper.Keeper._keep

    def pause_after(self, **options):
        keep(self, **options)
        (folder.path / "cancel").touch()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keeper.Keeper, "_keep", pause_after)
        assert not analyse_into(car.database, analysis, spec_of(car), folder)

    progress = progress_of(car.database, analysis.id)
    assert (progress.done, progress.is_done) == (CHUNK, False)
    assert progress.total in (None, FRAMES), "counted by then or not"
    assert progress.until_s == pytest.approx((CHUNK - 1) / 25)
    assert len(read_findings(car.database, analysis.id)) == 1
    folder.clear_cancel()
    assert analyse_into(car.database, analysis, spec_of(car), folder)
    assert contents(car.folder) == contents(whole.folder)


def test_what_a_killed_process_left_is_gone_on_with_to_the_bit(car, made, whole):
    analysis = begin(car, made[1])
    process = start(car, analysis)
    while not progress_of(car.database, analysis.id).done and process.poll() is None:
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    assert process.end().how is How.KILLED
    assert 0 < progress_of(car.database, analysis.id).done < FRAMES

    assert analysed(car, analysis)
    assert contents(car.folder) == contents(whole.folder)


@pytest.mark.fuzz
def test_a_process_killed_at_twenty_moments_leaves_what_an_undisturbed_one_leaves(car, made, whole):
    analysis = begin(car, made[1])
    chance = random.Random(5)
    for _ in range(20):
        process = start(car, analysis)
        process.wait(chance.random() * 3)
        process.kill()
        process.end()

    assert start(car, analysis).end().how is How.DONE
    assert contents(car.folder) == contents(whole.folder)
    assert car.analysis(analysis.id).done


def test_a_recording_that_is_gone_or_a_model_that_is_another_is_told(car, made, tmp_path):
    analysis = begin(car, made[1])
    with car.database.change() as change:
        change.run("UPDATE analysis SET weights_sha256 = 'other'")
    with pytest.raises(FaultError, match="other weights"):
        analysed(car, car.analysis(analysis.id))
    with car.database.change() as change:
        change.run("UPDATE analysis SET weights_sha256 = ?", analysis.weights_sha256)
        change.run("UPDATE part SET path = '/gone/screen.mp4'")
    with pytest.raises(FaultError, match=r"screen\.mp4"):
        analysed(car, analysis)


def test_on_a_full_disk_what_was_analysed_stays_and_goes_on_when_there_is_room(car, made, whole):
    analysis = begin(car, made[1])
    before, after = (one.database.row("PRAGMA page_count")[0] for one in (car, whole))
    most = before + (after - before) * 3 // 4
    car.database.rows(f"PRAGMA max_page_count = {most}")  # as SQLite itself meets a full disk
    with pytest.raises(FaultError, match="the disk is full"):
        analysed(car, analysis)
    assert 0 < progress_of(car.database, analysis.id).done < FRAMES

    car.database.rows("PRAGMA max_page_count = 100000")
    assert analysed(car, analysis)
    assert contents(car.folder) == contents(whole.folder)


def test_chunks_are_read_behind_a_rank(whole):
    (analysis,) = whole.analyses
    assert [int(one.ranks[0]) for one in chunks(whole.database, analysis.id, CHUNK)] == [
        2 * CHUNK,
        3 * CHUNK,
    ]
