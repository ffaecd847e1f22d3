"""Whether the masks on the screen have been late for a while, without flicker. Pure."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

LATE_AFTER_S = 0.200
ON_TIME_AFTER_S = 0.400
# One frame older than its picture is how every live mask begins.
FRAMES_ALLOWED = 1


@dataclass(frozen=True, slots=True)
class Shown:
    """One picture: since when it was on the screen, and how much older the youngest mask was that it got.

    `frames` and `age_s` are infinite without a mask.
    """

    number: int
    since_s: float
    frames: float = math.inf
    age_s: float = math.inf

    @property
    def is_late(self) -> bool:
        return self.frames > FRAMES_ALLOWED


@dataclass(frozen=True, slots=True)
class Lateness:
    """`pictures`: those of the last moments, the one on the screen last."""

    pictures: tuple[Shown, ...] = ()
    is_late: bool = False

    @property
    def late_s(self) -> float | None:
        """By how much the masks were late at most in the last moments; None while they are on time."""
        if not self.is_late:
            return None
        ages_s = [picture.age_s for picture in self.pictures[:-1] if picture.is_late]
        return max(ages_s, default=0.0)


def after(before: Lateness, shown: Shown) -> Lateness:
    """`shown.since_s` is now. The same picture again: its mask has come, or a younger one.

    Only pictures that have left the screen are judged: one that waits for its own mask for a moment is no
    matter. Late: more than half of the last 200 ms were. On time again: none of the last 400 ms was.
    """
    now_s, pictures = shown.since_s, before.pictures
    if pictures and pictures[-1].number == shown.number:
        last = pictures[-1]
        better = dataclasses.replace(
            last, frames=min(last.frames, shown.frames), age_s=min(last.age_s, shown.age_s)
        )
        return Lateness((*pictures[:-1], better), before.is_late)
    pictures = (*pictures, shown)
    ends_s = [picture.since_s for picture in pictures[1:]]
    done = list(zip(pictures[:-1], ends_s, strict=True))
    if before.is_late:
        is_late = any(picture.is_late and end_s > now_s - ON_TIME_AFTER_S for picture, end_s in done)
    else:
        start_s = now_s - LATE_AFTER_S
        late_s = sum(end_s - max(p.since_s, start_s) for p, end_s in done if p.is_late and end_s > start_s)
        is_late = pictures[0].since_s <= start_s and late_s > LATE_AFTER_S / 2
    # One that began before the window is kept: it says what the window began with.
    kept = next((i for i, end_s in enumerate(ends_s) if end_s > now_s - ON_TIME_AFTER_S), len(ends_s))
    return Lateness(pictures[kept:], is_late)
