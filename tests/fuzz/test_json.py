"""Every JSON that we did not write this second is read, or refused in one sentence."""

from __future__ import annotations

import json
import shutil
import time
from collections import Counter

import pytest

from engine.analysis.many.manifest import MANIFEST, Row, read_manifest, write_manifest
from engine.analysis.results import SUMMARY, read_summary
from engine.faults import FaultError
from engine.files.whole import write_json
from engine.model_card import CARD
from engine.model_folder import load_model_folder
from engine.runtime.cache import META, EngineCache
from tests.fixtures.models import red_model
from tests.fuzz.mutations import mutated

SLOWEST_S = 5.0
FACTS = {"device": "CPU", "precision": "f32"}

pytestmark = pytest.mark.fuzz


def _summary(folder):
    value = {
        "schema": 1,
        "source": "a.mp4",
        "frames": 10,
        "duration_s": 1.0,
        "width_px": 320,
        "height_px": 240,
        "decoder": "",
        "model": {"id": "red", "sha256": "0" * 64},
        "runtime": {"name": "openvino", "device": "x", "precision": "f32", "threads": 1, "version": "1"},
        "threshold": 0.5,
        "min_area_frac": 0.001,
        "frames_with_findings": 3,
        "frames_per_s": 10.0,
        "versions": {},
        "created_utc": "2026-01-01T00:00:00+00:00",
        "complete": True,
        "faults": [],
        "files": ["results.jsonl"],
    }
    write_json(folder / SUMMARY, value)
    return folder / SUMMARY, lambda: read_summary(folder)


def _manifest(folder):
    write_manifest(folder, [Row(source=name, folder=name, state="done", frames=3) for name in ("a", "b")])
    return folder / MANIFEST, lambda: read_manifest(folder)


def _engine_cache(folder):
    cache = EngineCache(folder / "cache")
    cache.store(FACTS, b"blob", {"note": 1})
    (path,) = (folder / "cache").glob(f"*/{META}")
    return path, lambda: cache.find(FACTS)


def _recent(folder):
    from app.start.recent import RecentItems
    from engine.sources.base import SourceSpec

    path = folder / "recent.json"
    items = RecentItems(path)
    items.opened(SourceSpec("file", "a.mp4"), "a", 1.0)
    items.close()

    def read():
        again = RecentItems(path)
        again.close()

    return path, read


def _model(folder):
    path = red_model(folder)
    return path / CARD, lambda: load_model_folder(path)


KINDS = {
    "model.json": (_model, 500),
    "summary.json": (_summary, 100),
    "manifest.json": (_manifest, 100),
    "meta.json": (_engine_cache, 100),
    "recent.json": (_recent, 100),
}


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_json_is_read_or_refused_in_a_sentence(kind, tmp_path, capsys, caplog):
    make, count = KINDS[kind]
    path, read = make(tmp_path)
    whole = path.read_text()
    json.loads(whole)
    counts: Counter[str] = Counter()
    for seed in range(count):
        path.write_bytes(mutated(whole, seed))
        began_s = time.monotonic()
        try:
            read()
            counts["read"] += 1
        except FaultError as fault:
            counts["refused" if str(fault).endswith(".") else f"no sentence, seed {seed}"] += 1
        except Exception as error:
            counts[f"{type(error).__name__}, seed {seed}"] += 1
        assert time.monotonic() - began_s < SLOWEST_S, seed
        for left in path.parent.glob(f"{path.name}.*"):  # a damaged list is set aside
            left.unlink() if left.is_file() else shutil.rmtree(left)
    caplog.clear()
    with capsys.disabled():
        print(f"\n{kind}: " + ", ".join(f"{what} {number}" for what, number in counts.most_common()))
    assert set(counts) <= {"read", "refused"}
