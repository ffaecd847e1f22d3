"""A file that is shorter than its header says is known without decoding it."""

from __future__ import annotations

import pytest

from engine.sources.file.breaks import find_break
from tests.fixtures.clips import CLIPS, cut, made

PROMISING = sorted(set(CLIPS) - {"raw.h264"})


@pytest.mark.parametrize("name", CLIPS)
def test_a_whole_file_has_no_break(tmp_path_factory, name):
    assert find_break(made(name, tmp_path_factory)) is None


@pytest.mark.parametrize("name", PROMISING)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_cut_file_has_one(tmp_path_factory, tmp_path, name, share):
    assert find_break(cut(made(name, tmp_path_factory), share, tmp_path / name)) is not None


def test_the_words_tell_both_sizes(tmp_path_factory, tmp_path):
    whole = made("variable.mkv", tmp_path_factory)
    broken = cut(whole, 0.5, tmp_path / "broken.mkv")

    found = find_break(broken)

    assert f"{whole.stat().st_size:,}" in found.expected
    assert f"{broken.stat().st_size:,}" in found.got


@pytest.mark.parametrize("data", [b"", b"\0", b"RIFF", b"\x1a\x45\xdf\xa3", b"\x47" * 10, b"text" * 400])
def test_bytes_that_promise_nothing_break_nothing(tmp_path, data):
    (tmp_path / "bytes").write_bytes(data)

    assert find_break(tmp_path / "bytes") is None
