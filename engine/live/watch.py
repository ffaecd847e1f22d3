"""Whether a network that has a picture will ever answer. Pure."""

from __future__ import annotations

from dataclasses import dataclass

HANG_LIMIT_S = 2.0
# A program that was stopped, or a machine that slept, has not waited all that time.
COUNTED_S = 0.5


@dataclass(frozen=True, slots=True)
class Watch:
    """`since_s`: when the network took the picture it is at; `waited_s`: how long it was seen at it."""

    since_s: float | None = None
    looked_s: float = 0.0
    waited_s: float = 0.0

    @property
    def hangs(self) -> bool:
        return self.waited_s >= HANG_LIMIT_S


def watched(before: Watch, since_s: float | None, now_s: float) -> Watch:
    """One more look. `since_s` None: it is at no picture."""
    if since_s is None:
        return Watch(None, now_s)
    from_s = before.looked_s if since_s == before.since_s else since_s
    waited_s = before.waited_s if since_s == before.since_s else 0.0
    return Watch(since_s, now_s, waited_s + min(now_s - from_s, COUNTED_S))
