"""What a recording promised and what came of it, said at its end."""

from __future__ import annotations

from dataclasses import dataclass

from engine.faults import FaultCode, FaultError
from engine.sources.file.breaks import Break

# Headers round; the last frame of some lasts longer than the others.
_SLACK_S = 0.05
_SLACK_FRAMES = 2


@dataclass(frozen=True, slots=True)
class Ending:
    """What is known when the last frame of a file has been given.

    `promised`: frames by the packets or the header; `lost`: those that were not given; `first_lost`: the rank
    of the first of them; `smeared`: frames given whose pictures the decoder calls damaged, `ends_smeared`:
    the last one is; `holes`: frames that time stamps of a constant rate leave out. `header_s`: when the
    header says that the file ends, None where it says nothing of its own; `seen_s`: when it ended.
    """

    title: str
    promised: int
    lost: int
    first_lost: int | None = None
    smeared: int = 0
    holes: int = 0
    ends_smeared: bool = False
    header_s: float | None = None
    seen_s: float = 0.0
    rate_hz: float | None = None
    broke: Break | None = None
    error: str = ""
    changed: bool = False
    from_server: bool = False


def fault_at_end(ending: Ending) -> FaultError | None:
    """What to tell, None when all that was promised was there.

    `lost_frames` of the fault is how many frames are missing, as far as anybody can tell; 0 where pictures
    are damaged and none is known to be missing.
    """
    early_s = _early_s(ending)
    lost = (ending.lost or round(early_s * (ending.rate_hz or 0.0))) + ending.holes
    parts = _losses(ending, lost, early_s)
    if not parts:
        return None
    got = ", ".join(parts)
    remedy = "use what there is, or copy the recording again if the original is whole"
    return FaultError(
        FaultCode.SOURCE_LOST if ending.from_server else FaultCode.SOURCE_TRUNCATED,
        expected=ending.broke.expected if ending.broke else f"{ending.title} to be whole to its end",
        got=got,
        remedy=remedy,
        fatal=False,
        said=f"{ending.title} is damaged: {got}. {remedy[0].upper()}{remedy[1:]}.",
        lost_frames=lost,
    )


def _losses(ending: Ending, lost: int, early_s: float) -> list[str]:
    parts = []
    if ending.broke:
        parts.append(f"{ending.broke.got} instead of {ending.broke.expected}")
    elif ending.error:
        parts.append(f"it breaks off ({ending.error})")
    if ending.changed:
        parts.append("it was changed by another program while it was being read")
    if ending.lost:
        since = "" if ending.first_lost is None else f", the first of them frame {ending.first_lost}"
        are = "is" if ending.lost == 1 else "are"
        parts.append(f"{ending.lost} of its {ending.promised} frames {are} missing{since}")
    elif early_s:
        about = f", about {lost - ending.holes} frames before" if lost else " before"
        parts.append(f"it ends at {ending.seen_s:.2f} s{about} the {ending.header_s:.2f} s of its header")
    if ending.holes:
        parts.append(f"its time stamps leave out {ending.holes} frames where its data is damaged")
    if ending.ends_smeared and ending.smeared == 1 and not ending.lost:
        parts.append("it breaks off within its last picture")
    elif ending.smeared:  # damage that is handed on to the end is no breaking off
        parts.append(f"{ending.smeared} of its pictures are damaged")
    return parts


def _early_s(ending: Ending) -> float:
    """How much earlier it ended than its header says; 0 within what headers round."""
    if ending.header_s is None:
        return 0.0
    slack_s = _SLACK_S + _SLACK_FRAMES / (ending.rate_hz or 25.0)
    early_s = ending.header_s - ending.seen_s
    return early_s if early_s > slack_s else 0.0
