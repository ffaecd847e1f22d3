"""Compiled models on disk: taken when they are what was stored, made again otherwise."""

from __future__ import annotations

import hashlib
import hmac
import json
import os

import pytest

from engine.files.whole import user_data
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


def test_a_forged_entry_is_not_believed_though_its_hash_lies_beside_it(cache, tmp_path):
    cache.store(FACTS, b"compiled")
    meta = json.loads((entry_of(tmp_path) / META).read_text())
    forged = b"native code of somebody else"
    (entry_of(tmp_path) / BLOB).write_bytes(forged)
    sha256 = hashlib.sha256(forged).hexdigest()
    of_no_key = hmac.new(b"", forged, hashlib.sha256).hexdigest()

    for seal in (meta["seal"], sha256, of_no_key, "", None):
        (entry_of(tmp_path) / META).write_text(json.dumps(meta | {"sha256": sha256, "seal": seal}))
        assert cache.load(FACTS) is None


def test_notes_are_under_the_seal_too(cache, tmp_path):
    cache.store(FACTS, b"compiled", {"parity": 0.5})
    meta = json.loads((entry_of(tmp_path) / META).read_text())
    (entry_of(tmp_path) / META).write_text(json.dumps(meta | {"notes": {"parity": 1.0}}))

    assert cache.find(FACTS) is None


posix = pytest.mark.skipif(os.name != "posix", reason="rights of a POSIX file system")


@posix
@pytest.mark.parametrize("which", ["engines", "entry"])
def test_a_folder_that_others_may_write_into_is_not_believed_and_made_private_again(cache, tmp_path, which):
    cache.store(FACTS, b"compiled")
    folder = entry_of(tmp_path) if which == "entry" else tmp_path / "engines"
    folder.chmod(0o777)

    assert cache.load(FACTS) is None
    cache.store(FACTS, b"compiled")
    assert cache.load(FACTS) == b"compiled"
    assert folder.stat().st_mode & 0o077 == 0


@posix
def test_a_key_that_others_can_read_seals_nothing_any_more(cache):
    cache.store(FACTS, b"compiled")
    (key,) = (user_data() / "private").iterdir()
    assert key.stat().st_mode & 0o777 == 0o600
    key.chmod(0o644)

    assert cache.load(FACTS) is None
    cache.store(FACTS, b"compiled")
    assert cache.load(FACTS) == b"compiled"
    assert key.stat().st_mode & 0o777 == 0o600


@posix
def test_an_entry_that_is_a_link_is_not_believed(cache, tmp_path):
    cache.store(FACTS, b"compiled")
    entry_of(tmp_path).rename(tmp_path / "elsewhere")
    entry_of(tmp_path).symlink_to(tmp_path / "elsewhere", target_is_directory=True)

    assert cache.load(FACTS) is None
