"""Compiled models on disk: taken when they are what was stored, made again otherwise."""

from __future__ import annotations

import json

import pytest

from engine.runtime.cache import BLOB, META, EngineCache, key_of

FACTS = {"weights": "ab12", "precision": "bf16", "openvino": "2026.4"}


@pytest.fixture
def cache(tmp_path):
    return EngineCache(tmp_path / "engines")


def entry_of(tmp_path, facts=FACTS):
    return tmp_path / "engines" / key_of(facts)


def test_what_was_stored_is_found_again(cache):
    cache.store(FACTS, b"compiled")

    assert cache.load(FACTS) == b"compiled"


@pytest.mark.parametrize("changed", [{"openvino": "2026.5"}, {"precision": "f32"}, {"more": 1}])
def test_another_version_precision_or_model_is_another_entry(cache, changed):
    cache.store(FACTS, b"compiled")

    assert cache.load(FACTS | changed) is None


def test_the_order_of_the_facts_does_not_matter():
    assert key_of(FACTS) == key_of(dict(reversed(FACTS.items())))


@pytest.mark.parametrize("damage", [b"", b"comp", b"kompiled"])
def test_a_cut_or_altered_blob_counts_as_absent(cache, tmp_path, damage):
    cache.store(FACTS, b"compiled")
    (entry_of(tmp_path) / BLOB).write_bytes(damage)

    assert cache.load(FACTS) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"sha256": 3}'])
def test_an_unreadable_description_counts_as_absent(cache, tmp_path, text):
    cache.store(FACTS, b"compiled")
    (entry_of(tmp_path) / META).write_text(text)

    assert cache.load(FACTS) is None


def test_an_entry_under_the_wrong_key_counts_as_absent(cache, tmp_path):
    cache.store(FACTS, b"compiled")
    other = FACTS | {"precision": "f32"}
    entry_of(tmp_path).rename(entry_of(tmp_path, other))

    assert cache.load(other) is None


def test_the_description_says_what_the_blob_was_made_of(cache, tmp_path):
    cache.store(FACTS, b"compiled")

    assert json.loads((entry_of(tmp_path) / META).read_text())["facts"] == FACTS


def test_a_forgotten_entry_is_gone(cache):
    cache.store(FACTS, b"compiled")
    cache.forget(FACTS)

    assert cache.load(FACTS) is None


def test_only_the_newest_entries_are_kept(tmp_path):
    cache = EngineCache(tmp_path, kept=2)
    for number in range(4):
        cache.store({"number": number}, b"compiled")

    assert cache.load({"number": 3}) == b"compiled"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_folder_that_cannot_be_written_costs_only_the_entry(tmp_path):
    (tmp_path / "engines").write_text("a file where the folder should be")
    cache = EngineCache(tmp_path / "engines")
    cache.store(FACTS, b"compiled")

    assert cache.load(FACTS) is None
