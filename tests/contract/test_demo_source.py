"""The demonstration repeats when it is watched and ends when it is analysed."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from engine.faults import FaultCode, FaultError
from engine.sources import demo, open_source, parse_source
from engine.sources.base import SourceOptions
from engine.sources.file import video
from tests.fixtures.clips import made, number_in


def wrapped(tmp_path_factory, repeat):
    clip = video.open(str(made("variable.mp4", tmp_path_factory)), SourceOptions())
    return demo.DemoSource(clip, ExitStack(), repeat)


@pytest.mark.parametrize(("repeat", "after"), [(True, 0), (False, None)])
def test_what_comes_after_the_last_picture(tmp_path_factory, repeat, after):
    source = wrapped(tmp_path_factory, repeat)
    for _ in range(120):
        last = source.read()

    picture = source.read()
    source.close()

    assert number_in(last.bgra()) == 119
    assert (number_in(picture.bgra()) if picture else None) == after


def test_it_is_seekable_and_named(tmp_path_factory):
    source = wrapped(tmp_path_factory, repeat=True)
    source.seek(77)

    picture = source.read()
    source.close()

    assert number_in(picture.bgra()) == 77
    assert source.info.title == "Demonstration"
    assert source.info.id == "demo:"


def test_its_info_is_one_object_until_the_clip_has_been_counted(tmp_path_factory):
    source = wrapped(tmp_path_factory, repeat=True)
    first, again = source.info, source.info

    source.index_at(0)
    counted = source.info
    source.close()

    assert first is again
    assert (first.frames, counted.frames) == (None, 120)


def test_closed_it_does_not_start_over(tmp_path_factory):
    source = wrapped(tmp_path_factory, repeat=True)

    source.close()

    assert source.read() is None


def test_an_installation_without_the_clip_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.resources.files", lambda package: tmp_path)

    with pytest.raises(FaultError) as caught:
        open_source(parse_source("demo:"))

    assert caught.value.code is FaultCode.SOURCE_MISSING
    assert "demo.mp4" in caught.value.expected


def test_the_bundled_clip_is_found(tmp_path, tmp_path_factory, monkeypatch):
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "demo.mp4").write_bytes(made("variable.mp4", tmp_path_factory).read_bytes())
    monkeypatch.setattr("importlib.resources.files", lambda package: tmp_path)

    source = open_source(parse_source("demo:"))
    picture = source.read()
    source.close()

    assert number_in(picture.bgra()) == 0
