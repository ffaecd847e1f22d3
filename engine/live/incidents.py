"""What is wrong with a live source now, as faults whose words move on, and as a log that stays."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass

from engine.faults import Fault, FaultCode
from engine.live.board import Board
from engine.sources.live.signal import BEHIND_S, FROZEN_S, Signal
from engine.types import Incident

SIGNAL, FROZEN, DELAY, LOSS = "signal", "frozen picture", "delay", "lost packets"
PLACES = (SIGNAL, FROZEN, DELAY, LOSS)
RETELL_S = 1.0


@dataclass(slots=True)
class _Open:
    incident: Incident
    fault: Fault
    told_s: float
    worst: float = 0.0


class Incidents:
    """Used by the reader's thread."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._open: dict[str, _Open] = {}

    def judge(self, title: str, signal: Signal, now_s: float) -> None:
        """Tell what one picture's signal says, and end what is over."""
        frozen, lost = signal.still_s >= FROZEN_S, signal.lost_frac > 0.0
        if frozen:
            said = f"The picture from {title} has not moved for {signal.still_s:.1f} s" + (
                ", while a clock runs beside it: the endoscope's processor holds it. Release its freeze."
                if signal.clock_runs
                else ": the same one comes again and again. Check the sender."
            )
            self.tell(FROZEN, f"Frozen picture from {title}", said, now_s, since_s=now_s - signal.still_s)
        if frozen is not self._board.status.frozen:  # the word never stands without its sentence
            self._board.change(frozen=frozen)
        if not frozen:
            self.over(FROZEN, now_s)
        late = self._open.get(DELAY)
        if signal.behind_s > (BEHIND_S / 2 if late else BEHIND_S):
            said = (
                f"The picture from {title} is {signal.behind_s:.1f} s behind. Older ones are skipped as soon "
                "as newer ones come; if it stays, check the sender and the network, or open it again."
            )
            self.tell(DELAY, f"Late picture from {title}", said, now_s, worst=signal.behind_s)
        elif late:
            skipped_s = late.worst - signal.behind_s
            what = f"{late.incident.what}, up to {late.worst:.1f} s; {skipped_s:.1f} s were skipped"
            self.over(DELAY, now_s, what=what)
        if lost:
            said = (
                f"{_percent(signal.lost_frac)} of the stream's packets were lost in the last 10 s: pictures "
                f"from {title} that miss parts are not marked. Check the network between the two."
            )
            what = f"Lost packets from {title}"
            self.tell(LOSS, what, said, now_s, worst=signal.lost_frac)
        elif LOSS in self._open:
            worst = self._open[LOSS].worst
            what = f"{self._open[LOSS].incident.what}, up to {_percent(worst)}"
            self.over(LOSS, now_s, what=what)

    def tell(
        self,
        place: str,
        what: str,
        said: str,
        now_s: float,
        *,
        since_s: float | None = None,
        worst: float = 0.0,
        cause: Fault | None = None,
    ) -> None:
        """Something is wrong, or still is. `what`: for the log; `said`: the whole sentence for now."""
        known = self._open.get(place)
        if known is None:
            incident = Incident(what, now_s if since_s is None else since_s)
            fault = _fault(place, what, said, incident.from_s, cause)
            self._open[place] = _Open(incident, fault, now_s, worst)
            self._board.note(incident)
            self._board.add_fault(fault)
            return
        known.worst = max(known.worst, worst)
        if now_s - known.told_s >= RETELL_S or cause is not None:
            known.told_s = now_s
            known.fault = _fault(place, what, said, known.incident.from_s, cause, known.fault)
            self._board.retell(known.fault)

    def over(self, place: str, now_s: float, *, what: str = "") -> None:
        """It is as it should be again; the log keeps what was."""
        known = self._open.pop(place, None)
        if known is None:
            return
        self._board.clear_faults(place)
        ended = dataclasses.replace(known.incident, to_s=now_s, what=what or known.incident.what)
        self._board.note(ended, instead_of=known.incident)

    def all_over(self, *, but: str = "") -> None:
        """Another source, or none: nothing of this is true any more."""
        if self._board.status.frozen:
            self._board.change(frozen=False)
        for place in PLACES:
            if place != but:
                self.over(place, time.monotonic())

    def brief_silence(self, title: str, from_s: float, to_s: float) -> None:
        """The signal was gone for so short that nothing had to be opened again."""
        self._board.note(Incident(f"No signal from {title}", from_s, to_s))


def _fault(
    place: str, what: str, said: str, at_s: float, cause: Fault | None, before: Fault | None = None
) -> Fault:
    like = cause or before
    if like is None:
        return Fault(
            FaultCode.SOURCE_LOST, place, "a live picture", what, "check the sender", at_s, False, said=said
        )
    code = before.code if before is not None else like.code  # its identity on the board
    return dataclasses.replace(like, code=code, place=place, at_s=at_s, said=said)


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.01 else "Under 1%"
