"""JSON of unknown origin: read within bounds, or refused as a ValueError that says why."""

from __future__ import annotations

import os

import pytest

from engine.files.json_reader import JsonError, parse_json, read_json


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"[" * 200_000 + b"]" * 200_000, "nested deeper"),
        (b'{"a":' * 150 + b"1" + b"}" * 150, "nested deeper"),
        (b"[NaN]", "NaN is not a number"),
        (b"[-Infinity]", "-Infinity is not a number"),
        (b"[1e999]", "beyond all bounds"),
        (b"[" + b"9" * 5000 + b"]", "beyond 64 bits"),
        (b"[18446744073709551616]", "beyond 64 bits"),
        ('{"a": 1}'.encode("utf-16"), "UTF-16 instead of UTF-8"),
        ('{"a": 1}'.encode("utf-32"), "UTF-32 instead of UTF-8"),
        (b'{"a": "\xff"}', "not UTF-8 at byte 7"),
        (b'["\\ud800"]', "surrogate"),
        (b"{", "Expecting property name"),
        (b"", "Expecting value"),
    ],
)
def test_what_no_program_should_take_is_refused_with_its_reason(data, why):
    with pytest.raises(JsonError, match=why):
        parse_json(data)


def test_a_byte_order_mark_does_no_harm():
    assert parse_json(b'\xef\xbb\xbf{"a": [1, 2.5, "\\u00fc\\ud83d\\ude00"]}') == {"a": [1, 2.5, "ü😀"]}


def test_depth_that_real_files_have_is_read():
    assert parse_json("[" * 90 + "]" * 90)


def test_a_file_larger_than_its_kind_ever_is_is_not_read(tmp_path):
    path = tmp_path / "model.json"
    path.write_text('"' + "x" * 2000 + '"')

    with pytest.raises(JsonError, match="2,002 bytes, at most 1,000"):
        read_json(path, most_bytes=1000)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names exist on Linux and macOS only")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "model.json")

    with pytest.raises(JsonError, match="not a file"):
        read_json(tmp_path / "model.json")
