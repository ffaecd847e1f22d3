"""What publishers say about their images: the usual names of sets, and which frames are one sequence."""

from __future__ import annotations

import re
from bisect import bisect_right

KVASIR, CLINICDB, COLONDB, ETIS, CVC300 = "kvasir-seg", "cvc-clinicdb", "cvc-colondb", "etis", "cvc-300"

# How folders are called -> how the set is called in an index.
SET_NAMES = {
    "kvasir": KVASIR,
    "kvasir-seg": KVASIR,
    "clinicdb": CLINICDB,
    "cvc-clinicdb": CLINICDB,
    "cvc-612": CLINICDB,
    "colondb": COLONDB,
    "cvc-colondb": COLONDB,
    "etis": ETIS,
    "etis-larib": ETIS,
    "etis-laribpolypdb": ETIS,
    "cvc-300": CVC300,
}

# First frames of the 29 sequences of CVC-ClinicDB, from the table that comes with the set (Bernal 2015).
CLINICDB_FRAMES = 612
CLINICDB_STARTS = (
    *(1, 26, 51, 68, 79, 104, 127, 152, 178, 200, 206, 228, 253, 278, 298),
    *(318, 343, 364, 384, 409, 429, 448, 467, 479, 504, 529, 547, 572, 592),
)

# Kvasir-SEG's names are 25 characters of its annotation tool.
KVASIR_STEM = r"c[jk][0-9a-z]{23}"


def set_name(folder: str) -> str:
    """The set's usual name by what its folder is called."""
    name = re.sub(r"[^a-z0-9.]+", "-", folder.lower()).strip("-")
    return SET_NAMES.get(name, name)


def set_of_stem(stem: str, folder: str) -> str:
    """Which set an image of the common training archive is from, where two are mixed."""
    if re.fullmatch(KVASIR_STEM, stem):
        return KVASIR
    return CLINICDB if re.fullmatch(r"\d{1,3}", stem) else set_name(folder) or "train"


def clinicdb_sequence(frame: int) -> int | None:
    """The sequence, from 1, of a frame of CVC-ClinicDB, from 1; None when it is not one of its numbers."""
    return bisect_right(CLINICDB_STARTS, frame) if 1 <= frame <= CLINICDB_FRAMES else None
