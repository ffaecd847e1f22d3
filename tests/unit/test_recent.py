"""What was opened before is remembered, and never stands in anybody's way."""

import dataclasses

import pytest

from app.start.recent import MAX_ITEMS, RecentItems, Watched
from engine.sources.base import SourceSpec
from engine.types import Component, Rect
from tests.fixtures import values

CLIP = SourceSpec("file", "/films/a.mp4")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "recent.json"


@pytest.fixture
def again(path):
    """Reads the list as the next start does."""
    lists = []

    def read():
        lists.append(RecentItems(path))
        return lists[-1]

    yield read
    for items in lists:
        items.close()


def watched(seconds, marked=()):
    seen = Watched()
    component = Component(Rect(0, 0, 1, 1), 1, 1.0, 1.0, ())
    for second in seconds:
        shown = values.presentation(0)
        frame = dataclasses.replace(shown.frame, pts_s=second + 0.5)
        components = (component,) if second in marked else ()
        result = dataclasses.replace(shown.result, components=components)
        seen.note(dataclasses.replace(shown, frame=frame, result=result))
    return seen


def test_the_newest_comes_first_once_and_the_list_ends_somewhere(again):
    items = again()
    for number in range(MAX_ITEMS + 3):
        items.opened(SourceSpec("file", f"/films/{number}.mp4"), f"{number}.mp4", 5.0)
    items.opened(SourceSpec("file", "/films/9.mp4"), "9.mp4", 5.0)

    assert items.items[0].title == "9.mp4"
    assert len(items.items) == MAX_ITEMS == len({item.address for item in items.items})


def test_the_list_is_there_at_the_next_start(again):
    items = again()
    items.opened(CLIP, "a.mp4", 7.2)
    items.watched(CLIP, watched(range(6), marked={2, 3}))
    items.close()
    (item,) = again().items

    assert (item.spec, item.title, item.duration_s) == (CLIP, "a.mp4", 7.2)
    assert item.findings == "Marks in 2 s of 6 s watched"


def test_a_shorter_look_does_not_replace_what_a_longer_one_found(again):
    items = again()
    items.opened(CLIP, "a.mp4", 60.0)
    items.watched(CLIP, watched(range(40), marked={7}))
    items.opened(CLIP, "a.mp4", 60.0)
    items.watched(CLIP, watched([0]))

    assert items.items[0].findings == "Marks in 1 s of 40 s watched"


def test_seconds_seen_twice_count_once_and_pictures_without_a_mask_do_not():
    seen = watched([1, 1, 2, 5], marked={2})
    seen.note(values.presentation(90, masked=False))

    assert (seen.seen_s, seen.marked_s) == (3, 1)


ITEM = '{"kind": "file", "address": "/a.mp4", "title": "a.mp4", "opened_utc": "2026-11-30T06:00:00+00:00"'


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        '{"schema": 99}',
        '{"schema": 1, "items": [{"no": 1}]}',
        "[]",
        "[" * 200_000,
        '{"schema": 1, "items": [' + ITEM + ', "duration_s": "long"}]}',
        '{"schema": 1, "items": [' + ITEM + ', "duration_s": NaN}]}',
        '{"schema": 1, "items": [' + ITEM + ', "duration_s": 1e999}]}',
        '{"schema": 1, "items": [' + ITEM + ', "watched_s": -3}]}',
        '{"schema": 1, "items": [' + ITEM.replace('"a.mp4"', "7") + "}]}",
        "\x00" * 2_000_000,
    ],
    ids=range(12),
)
def test_a_damaged_list_is_set_aside_and_said_and_a_new_one_begins(path, again, content):
    path.write_text(content)
    items = again()

    assert items.items == ()
    assert "cannot be read" in items.complaint.sentence
    (aside,) = path.parent.glob("recent.damaged-*.json")
    assert aside.name in items.complaint.sentence
    assert aside.read_text() == content
    items.opened(CLIP, "a.mp4", 7.2)
    items.close()
    assert again().complaint is None
    assert [item.spec for item in again().items] == [CLIP]


def test_two_windows_keep_each_others_recent_items(again):
    one, other = again(), again()
    one.opened(CLIP, "a.mp4", 7.2)
    other.opened(SourceSpec("file", "/films/b.mp4"), "b.mp4", 7.2)
    one.watched(CLIP, watched(range(3)))
    for items in (one, other):
        items.close()

    assert {item.title for item in again().items} == {"a.mp4", "b.mp4"}
    assert next(item for item in again().items if item.spec == CLIP).watched_s == 3


def test_many_windows_at_once_lose_nothing(again):
    windows = [again() for _ in range(4)]
    for number in range(MAX_ITEMS):
        windows[number % 4].opened(SourceSpec("file", f"/films/{number}.mp4"), f"{number}.mp4", 1.0)
    for items in windows:
        items.close()

    assert len(again().items) == MAX_ITEMS


def test_what_is_removed_or_cleared_is_gone_in_every_window_with_its_thumbnail(again):
    one, other = again(), again()
    for name in ("a", "b", "c"):
        spec = SourceSpec("file", f"/films/{name}.mp4")
        one.opened(spec, f"{name}.mp4", 7.2)
        one.keep_thumbnail(spec, lambda: b"a picture")
    thumbnails = {item.title: item.thumbnail for item in one.items}
    one.remove(SourceSpec("file", "/films/b.mp4"))
    one.close()

    assert {title: file.exists() for title, file in thumbnails.items()} == {
        "a.mp4": True,
        "b.mp4": False,
        "c.mp4": True,
    }
    assert [item.title for item in one.items] == ["c.mp4", "a.mp4"]
    other.clear()
    other.close()
    assert again().items == ()
    assert not any(file.exists() for file in thumbnails.values())


def test_a_folder_that_cannot_be_written_stops_nobody(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    items = RecentItems(tmp_path / "file" / "recent.json")
    items.opened(CLIP, "a.mp4", 7.2)
    items.close()

    assert items.items[0].spec == CLIP
