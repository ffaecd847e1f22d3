"""What is still to be done, and a manifest that is never misread."""

import json

import pytest

from engine.analysis.many.manifest import Row, plan, read_manifest, write_manifest
from engine.analysis.many.recordings import Recording
from engine.faults import FaultError
from engine.files.lock import held

VIDEO = Recording("/videos/a.mp4", "a.mp4")
DONE = Row(source=VIDEO.source, folder="a.mp4", state="done", asked="now", frames=7)


def planned(earlier, found=(VIDEO,), has_results=True, is_unchanged=True):
    return plan(
        earlier,
        found,
        "now",
        has_results=lambda row: has_results,
        is_unchanged=lambda row: is_unchanged,
    )


def test_what_is_done_stays_done():
    assert planned([DONE]) == (DONE,)


@pytest.mark.parametrize("state", ["queued", "running", "failed"])
def test_what_was_waiting_or_interrupted_or_failed_is_done_again(state):
    (row,) = planned([DONE.model_copy(update={"state": state, "fault": "Expected …", "tries": 3})])

    assert (row.state, row.tries, row.fault, row.frames) == ("queued", 0, "", 0)


@pytest.mark.parametrize(
    ("earlier", "facts"),
    [
        (DONE.model_copy(update={"asked": "another model"}), {}),
        (DONE, {"has_results": False}),
        (DONE, {"is_unchanged": False}),
    ],
    ids=["asked for otherwise", "results deleted", "file changed"],
)
def test_what_is_not_what_it_was_is_done_again_in_the_same_folder(earlier, facts):
    (row,) = planned([earlier.model_copy(update={"folder": "a.mp4~2"})], **facts)

    assert (row.state, row.folder) == ("queued", "a.mp4~2")


def test_equal_names_get_folders_of_their_own_also_beside_what_was_done_before():
    other, third = Recording("/other/a.mp4", "a.mp4"), Recording("/third/a.mp4", "a.mp4")

    rows = planned([DONE], found=[other, third])

    assert [(row.source, row.folder, row.state) for row in rows] == [
        ("/other/a.mp4", "a.mp4~2", "queued"),
        ("/third/a.mp4", "a.mp4~3", "queued"),
        ("/videos/a.mp4", "a.mp4", "done"),
    ]


def test_a_recording_that_cannot_be_has_failed_before_it_began():
    (row,) = planned([], found=[Recording("gopher://x", "unknown", "Expected …")])

    assert (row.state, row.fault) == ("failed", "Expected …")


def test_a_manifest_is_read_as_it_was_written(tmp_path):
    write_manifest(tmp_path, [DONE])

    assert read_manifest(tmp_path) == (DONE,)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "delete the file"),
        ('{"schema": 2, "rows": [], "new": 1}', "update the program"),
        ('{"schema": 1, "rows": [{"source": "a", "folder": "a", "state": "fine"}]}', "state"),
        (json.dumps({"schema": 1, "rows": [{"source": "a", "folder": "../a", "state": "done"}]}), "inside"),
    ],
    ids=["torn", "newer", "unknown word", "outside"],
)
def test_a_manifest_that_cannot_be_read_is_refused_and_never_taken_for_an_empty_one(text, said, tmp_path):
    (tmp_path / "manifest.json").write_text(text)

    with pytest.raises(FaultError, match=said):
        read_manifest(tmp_path)


def test_a_lock_is_held_by_one_at_a_time_and_leaves_nothing(tmp_path):
    with held(tmp_path / "lock"):
        with pytest.raises(FaultError, match="Another run is writing into"), held(tmp_path / "lock"):
            pass
        assert (tmp_path / "lock").exists()

    assert list(tmp_path.iterdir()) == []
    with held(tmp_path / "lock"):
        pass
