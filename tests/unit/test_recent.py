"""What was opened before is remembered, and never stands in anybody's way."""

import dataclasses

import pytest

from app.recent import MAX_ITEMS, RecentItems, Watched
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


@pytest.mark.parametrize("content", ["", "{", '{"schema": 99}', '{"schema": 1, "items": [{"no": 1}]}', "[]"])
def test_a_list_that_cannot_be_read_is_an_empty_one(path, again, content):
    path.write_text(content)

    assert again().items == ()


def test_a_folder_that_cannot_be_written_stops_nobody(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    items = RecentItems(tmp_path / "file" / "recent.json")
    items.opened(CLIP, "a.mp4", 7.2)
    items.close()

    assert items.items[0].spec == CLIP
