"""Damaged JSON: values that nobody expects at places that somebody reads, by a seed."""

from __future__ import annotations

import json
import random
from typing import Any

NASTY: tuple[Any, ...] = (
    None, True, "", "x" * 100_000, "../../victim", "/etc/passwd", "\x00", -1, 0, 1, 2**70, -1e308, 1e308,
    1e-308, [], {}, [[[]]], {"schema": 1}, "NaN", "1", 0.5, "ü\ud800",
)  # fmt: skip
RAW = ("NaN", "Infinity", "1e999", "9" * 5000, "[" * 100_000, '{"a":' * 100_000, "")


def mutated(text: str, seed: int) -> bytes:
    """`text` with one damage: a value, a key, a raw token, a byte, an end, or an encoding."""
    chance = random.Random(seed)
    match chance.choice(("value", "value", "value", "drop", "add", "raw", "byte", "cut", "encoding")):
        case "value":
            return _dumped(_changed(json.loads(text), chance, lambda parent, key: _put(parent, key, chance)))
        case "drop":
            return _dumped(_changed(json.loads(text), chance, lambda parent, key: parent.pop(key)))
        case "add":
            value = json.loads(text)
            return _dumped(value | {"surprise": chance.choice(NASTY)} if isinstance(value, dict) else [value])
        case "raw":
            marked = _changed(json.loads(text), chance, lambda parent, key: _set(parent, key, "@@RAW@@"))
            return _dumped(marked).replace(b'"@@RAW@@"', chance.choice(RAW).encode())
        case "byte":
            data = bytearray(text.encode())
            data[chance.randrange(len(data))] ^= chance.randrange(1, 256)
            return bytes(data)
        case "cut":
            return text.encode()[: chance.randrange(len(text))]
    return text.encode(chance.choice(("utf-16", "utf-8-sig", "utf-32")))


def _dumped(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=True).encode()


def _changed(root: Any, chance: random.Random, change: Any) -> Any:
    places = list(_places(root))
    if places:
        change(*chance.choice(places))
    return root


def _places(value: Any) -> Any:
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in list(keys):
        yield value, key
        yield from _places(value[key])


def _put(parent: Any, key: Any, chance: random.Random) -> None:
    _set(parent, key, chance.choice(NASTY))


def _set(parent: Any, key: Any, value: Any) -> None:
    parent[key] = value
