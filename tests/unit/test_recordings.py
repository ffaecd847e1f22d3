"""Which recordings are meant by a folder, a list or several sources."""

import os

import pytest

from engine.analysis.many.places import Places
from engine.analysis.many.recordings import find_recordings, fingerprint
from engine.analysis.results import ModelUsed, RuntimeUsed, Summary
from engine.faults import FaultError


@pytest.fixture
def folder(tmp_path):
    """Videos in two folders, and what only looks like some."""
    videos = tmp_path / "videos"
    for name in ("b.mp4", "A.MKV", "ward/b.mp4", "ward/._b.mp4", ".trash/c.mp4", "notes.txt", "still.png"):
        path = videos / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return videos


def places(recordings):
    return [recording.place for recording in recordings]


def test_a_folder_gives_its_videos_by_name_and_keeps_their_place_in_it(folder, tmp_path):
    found = find_recordings([str(folder)], tmp_path / "out")

    assert places(found) == ["A.MKV", "b.mp4", "ward/b.mp4"]
    assert [recording.source for recording in found] == [str(folder / place) for place in places(found)]


def test_results_inside_the_folder_are_no_recordings(folder):
    out = folder / "results"
    (out / "b.mp4").mkdir(parents=True)
    (out / "b.mp4" / "overlay.mp4").touch()

    assert places(find_recordings([str(folder)], out)) == ["A.MKV", "b.mp4", "ward/b.mp4"]


def test_an_overlay_of_an_earlier_run_is_no_recording_but_a_video_of_that_name_is(folder, tmp_path):
    (folder / "overlay.mp4").touch()
    earlier = folder / "earlier"
    earlier.mkdir()
    (earlier / "overlay.mp4").touch()
    (earlier / "summary.json").write_text(summary_with("overlay.mp4").model_dump_json(by_alias=True))

    assert places(find_recordings([str(folder)], tmp_path / "out")) == [
        "A.MKV",
        "b.mp4",
        "overlay.mp4",
        "ward/b.mp4",
    ]


def test_links_are_followed_and_neither_go_round_in_a_circle_nor_count_twice(folder, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "d.mp4").touch()
    (folder / "disk").symlink_to(tmp_path / "elsewhere")
    (folder / "round").symlink_to(folder)
    (folder / "z.mp4").symlink_to(folder / "b.mp4")
    (folder / "gone.mp4").symlink_to(tmp_path / "nowhere.mp4")

    found = places(find_recordings([str(folder)], tmp_path / "out"))

    assert found == ["A.MKV", "b.mp4", "disk/d.mp4", "gone.mp4", "ward/b.mp4"]


def test_a_list_has_a_path_a_line_from_where_it_lies(folder, tmp_path):
    lines = [
        "# a comment",
        "",
        "videos/b.mp4",
        str(folder / "A.MKV"),
        "videos/none.mp4",
        "videos/ward",
        "demo:",
    ]
    (tmp_path / "list.txt").write_text("\n".join(lines))

    found = find_recordings([str(tmp_path / "list.txt")], tmp_path / "out")

    assert [recording.source for recording in found] == [
        *(str(folder / name) for name in ("b.mp4", "A.MKV", "none.mp4", "ward/b.mp4")),
        "demo:",
    ]


def test_a_folder_of_pictures_alone_is_a_recording_itself(folder, tmp_path):
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "0.png").touch()

    found = find_recordings(
        [str(tmp_path / "first"), str(tmp_path / "second"), str(folder)], tmp_path / "out"
    )

    assert places(found) == ["first", "second", "A.MKV", "b.mp4", "ward/b.mp4"]


def test_a_line_that_cannot_be_any_source_is_told_of_alone(tmp_path):
    (tmp_path / "list.txt").write_text("gopher://old/one\ndemo:\n")

    strange, demo = find_recordings([str(tmp_path / "list.txt")], tmp_path / "out")

    assert "gopher" in strange.fault
    assert not demo.fault


@pytest.mark.skipif(os.name != "posix", reason="such names are made on POSIX systems")
def test_a_name_that_no_json_file_can_hold_is_told_of_alone(folder, tmp_path):
    try:
        (folder / os.fsdecode(b"\xe4.mp4")).touch()
    except OSError:
        pytest.skip("this disk refuses such names")

    faults = [recording.fault for recording in find_recordings([str(folder)], tmp_path / "out")]

    assert sum(map(bool, faults)) == 1
    assert r"\xe4.mp4" in max(faults)


@pytest.mark.parametrize("asked", ["empty", "missing", "same", "binary.txt", ""])
def test_what_gives_no_recording_at_all_is_one_sentence(asked, folder, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\x00")
    path = {"same": str(folder), "": ""}.get(asked, str(tmp_path / asked))

    with pytest.raises(FaultError, match=r"^(?!Expected)[^\n]*$"):
        find_recordings([path], folder if asked == "same" else tmp_path / "out")


def test_a_fingerprint_changes_with_the_file_and_with_each_picture_of_a_folder(folder):
    (folder / "stills").mkdir()
    (folder / "stills" / "a.png").write_text("a")
    before = [fingerprint(str(folder / name)) for name in ("b.mp4", "stills", "A.MKV")]

    (folder / "b.mp4").write_text("longer than before")
    (folder / "stills" / "b.png").write_text("b")

    after = [fingerprint(str(folder / name)) for name in ("b.mp4", "stills", "A.MKV")]
    assert [a == b for a, b in zip(after, before, strict=True)] == [False, False, True]


def test_a_fingerprint_of_nothing_is_a_fault(tmp_path):
    with pytest.raises(FaultError, match="No such file"):
        fingerprint(str(tmp_path / "none.mp4"))


def test_two_recordings_never_share_a_folder_nor_lie_in_each_others():
    places = Places(["manifest.json", "ward/a.mp4"])

    given = [
        places.take(place) for place in ("a.mp4", "A.mp4", "a.mp4", "ward", "ward/a.mp4/b", "ward/b.mp4")
    ]

    assert given == ["a.mp4", "A.mp4~2", "a.mp4~3", "ward~2", "ward~3/a.mp4/b", "ward/b.mp4"]


def summary_with(*files):
    return Summary(
        source="video.mp4",
        frames=1,
        duration_s=1.0,
        width_px=8,
        height_px=8,
        model=ModelUsed(id="red", sha256="0" * 64),
        runtime=RuntimeUsed(name="openvino", device="CPU", precision="f32", threads=1, version="1"),
        threshold=0.5,
        min_area_frac=0.0,
        frames_with_findings=0,
        frames_per_s=1.0,
        versions={},
        created_utc="2026-01-01T00:00:00+00:00",
        complete=True,
        faults=(),
        files=files,
    )


@pytest.mark.parametrize("line", ["x" * 5000 + ".mp4", "a\0b.mp4"], ids=["too long", "a zero byte"])
def test_a_line_that_no_file_can_be_named_is_one_that_failed(tmp_path, line):
    (tmp_path / "list.txt").write_bytes(b"\xff\xfe" + f"{line}\nb.mp4\n".encode("utf-16-le"))

    wrong, right = find_recordings([str(tmp_path / "list.txt")], tmp_path / "out")

    assert wrong.fault.startswith("No file can have the name ")
    assert len(wrong.fault) < 200
    assert right.source == str(tmp_path / "b.mp4")


def test_a_list_in_utf_32_is_read(tmp_path):
    (tmp_path / "list.txt").write_bytes("b.mp4\n".encode("utf-32"))

    (found,) = find_recordings([str(tmp_path / "list.txt")], tmp_path / "out")

    assert found.source == str(tmp_path / "b.mp4")
