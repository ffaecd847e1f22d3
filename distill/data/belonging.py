"""Which data a training belongs to: what has its fingerprint, never whatever lies beside the checkout."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from distill.data.index import BESIDE_CHECKOUT, DATA_VARIABLE, INDEX_NAME, Index
from engine.faults import FaultCode, FaultError
from engine.files.whole import sha256_of
from engine.model_card import TrainingCard

DATA, MORE_DATA = "--data", "--more-data"
TRAINED, IMPORTED = "was trained beside", "was imported and judged by"
INDEX_DIGITS = 16  # of the index's sha256, in the card
INDEX_WORDS = re.compile(r"index sha256 (?P<start>[0-9a-f]{8,64})")


@dataclass(frozen=True, slots=True)
class Belonging:
    """`who` was trained beside the index whose sha256 begins with `sha256` ("": it does not say), which lay
    in `folder` then, where that is known."""

    who: str
    sha256: str
    folder: Path | None = None
    option: str = DATA  # that names the folder
    was: str = TRAINED

    def check(self, index: Index) -> None:
        """Raises FaultError DATA_SET for other data; nothing to check where the fingerprint is not known."""
        if not index.sha256.startswith(self.sha256):
            raise self._fault(f"{index.root}, whose index has sha256 {index.sha256[:INDEX_DIGITS]}")

    def find(self, named: Path | None) -> Path:
        """The data folder: the named one, else where it lay, else the usual one if it is the same data.

        Raises FaultError DATA_SET when what is there is other data, or nothing was named and nothing fits.
        """
        if named is not None:
            return named  # `check` says whether it fits
        usual = Path(os.environ.get(DATA_VARIABLE) or BESIDE_CHECKOUT)
        places = [place for place in (self.folder, usual) if place and (place / INDEX_NAME).is_file()]
        for place in places:
            if self.sha256 and sha256_of(place / INDEX_NAME).startswith(self.sha256):
                return place
        raise self._fault(f"other data at {' and '.join(map(str, places))}" if places else "none")

    def _fault(self, got: str) -> FaultError:
        there = f"index sha256 {self.sha256[:INDEX_DIGITS]}" if self.sha256 else "it does not say which"
        lay = f", which lay at {self.folder}" if self.folder else ""
        return FaultError(
            FaultCode.DATA_SET,
            expected=f"the images that {self.who} {self.was} ({there}{lay})",
            got=got,
            remedy=f"name their folder with {self.option}",
            said=f"{self.who} was imported, and no images belong to it. Name a folder with {self.option}."
            if self.was == IMPORTED and not self.sha256
            else f"{self.who} {self.was} other images ({there}{lay}) than there are here: {got}. "
            f"Name their folder with {self.option}.",
        )


def belonging_of_model(name: str, training: TrainingCard) -> Belonging:
    """What a model's card says of its data."""
    words = INDEX_WORDS.search(training.data)
    was = IMPORTED if training.imported else TRAINED
    return Belonging(name, words["start"] if words else "", was=was)
