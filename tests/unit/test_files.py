"""Files are whole or absent."""

import json

import pytest

from engine.files import whole as files
from engine.files.json_reader import JsonError


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    target = tmp_path / "summary.json"
    files.write_json(target, {"frames": 1})

    with pytest.raises(ValueError, match="not JSON compliant"):
        files.write_json(target, {"frames": float("nan")})

    assert json.loads(target.read_text()) == {"frames": 1}
    assert list(tmp_path.iterdir()) == [target]


def test_a_disk_that_fails_at_the_rename_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    target = tmp_path / "folder"
    target.mkdir()  # a file cannot replace a folder

    with pytest.raises(OSError):
        files.write_bytes(target, b"new")

    assert list(tmp_path.iterdir()) == [target]


def test_missing_folders_are_made(tmp_path):
    files.write_text(tmp_path / "a" / "b.txt", "x")

    assert (tmp_path / "a" / "b.txt").read_text() == "x"


def test_lines_come_back_as_they_were_written(tmp_path):
    values = [{"a": 1}, {"b": "ä\n"}]
    files.write_json_lines(tmp_path / "x.jsonl", values[:1])
    files.append_json_line(tmp_path / "x.jsonl", values[1])

    assert list(files.read_json_lines(tmp_path / "x.jsonl")) == values


def test_a_torn_last_line_is_skipped(tmp_path):
    (tmp_path / "x.jsonl").write_text('{"a": 1}\n{"b": ')

    assert list(files.read_json_lines(tmp_path / "x.jsonl")) == [{"a": 1}]


def test_a_broken_line_in_the_middle_is_an_error(tmp_path):
    (tmp_path / "x.jsonl").write_text('{"b": \n{"a": 1}\n')

    with pytest.raises(JsonError):
        list(files.read_json_lines(tmp_path / "x.jsonl"))


def test_the_hash_is_sha256(tmp_path):
    (tmp_path / "x").write_bytes(b"abc")

    assert (
        files.sha256_of(tmp_path / "x") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


def test_one_variable_moves_all_user_folders(tmp_path, monkeypatch):
    monkeypatch.setenv(files.HOME_VARIABLE, str(tmp_path))

    folders = {files.user_cache(), files.user_config(), files.user_data()}

    assert folders == {tmp_path / "cache", tmp_path / "config", tmp_path / "data"}
