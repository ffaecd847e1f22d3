"""What can be compared with: the same model at another preset, other models, what was analysed before."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.faults import FaultError
from engine.model_card import WEIGHTS
from engine.model_folder import bundled_models, read_card, user_models
from engine.review.recording import Analysis
from engine.review.store import SideCar


@dataclass(frozen=True, slots=True)
class Offer:
    """`path`: a model folder; `analysis`: one that is in the side-car. `note`: what is to be said of it."""

    text: str
    path: Path | None = None
    analysis: int | None = None
    note: str = ""


def offers(car: SideCar, first: Analysis) -> list[Offer]:
    """In the order in which they are listed. A folder that cannot be read is not offered."""
    by_weights = {one.weights_sha256: one for one in car.analyses if one.has_maps}
    found = [Offer(f"{first.model_id} at another preset", analysis=first.id)]
    offered = {first.weights_sha256}
    for path in dict.fromkeys((*bundled_models(), *user_models())):
        try:
            card = read_card(path)
        except FaultError:
            continue
        sha256 = card.files[WEIGHTS].sha256
        if sha256 not in offered:
            offered.add(sha256)
            found.append(Offer(card.id, path, note=_note(by_weights.get(sha256))))
    others = [one for sha256, one in by_weights.items() if sha256 not in offered]
    return [*found, *(Offer(one.model_id, analysis=one.id, note=_note(one)) for one in others)]


def _note(analysis: Analysis | None) -> str:
    return "" if analysis is None else "analysed" if analysis.done else "analysed in part"
