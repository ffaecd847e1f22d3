"""Which mask belongs on a picture, and whether the picture waits for its own. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from engine.live.pacing import NetworkPace
from engine.types import Frame, Result

# A mask whose frame is older than this is never drawn (21 CFR 876.1520 annotation delay of a cleared device).
MASK_AGE_LIMIT_S = 0.120


def mask_age_s(frame: Frame, result: Result, *, live: bool) -> float:
    """How far the mask's frame is from the picture: by arrival when live, by media time in a file.

    Played backwards, the frame seen before is the later one of the file.
    """
    if live:
        return frame.captured_s - result.captured_s
    return abs(frame.pts_s - result.pts_s)


def mask_for(
    frame: Frame, results: Sequence[Result], *, live: bool, limit_s: float = MASK_AGE_LIMIT_S
) -> tuple[Result, float] | None:
    """The newest mask that may be drawn on `frame`, with its age in seconds, or None.

    Its own if it is there; else the newest older one inside the limit. Never one from the other side of a
    seek, of another picture size (its pixels are not this picture's) or another field (what was picture there
    may be a panel here), or of a frame that was read later.
    Of two masks of one frame the later of `results` counts. A damaged picture gets none.
    """
    best: tuple[Result, float] | None = None
    if frame.damaged:
        return None
    for result in results:
        if result.seek_serial != frame.seek_serial or result.size != frame.size:
            continue
        if result.field != frame.field or result.number > frame.number:
            continue
        age_s = 0.0 if result.number == frame.number else mask_age_s(frame, result, live=live)
        if 0.0 <= age_s <= limit_s and (best is None or result.number >= best[0].number):
            best = (result, age_s)
    return best


def waits_for_mask(
    frame: Frame, results: Sequence[Result], pace: NetworkPace, *, now_s: float, wait_s: float
) -> bool:
    """Whether a due frame should still wait for its own mask.

    At most `wait_s` after it is due; and not at all when the mask is not to be expected by then: waiting
    would cost its whole time and bring nothing.
    """
    if any(result.number == frame.number for result in results):
        return False
    until_s = frame.due_s + wait_s
    return now_s < until_s and pace.mask_at_s(frame.number, now_s) <= until_s
