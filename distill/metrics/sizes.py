"""Polyps by their size: the share of the picture that all polyps of an image cover."""

from __future__ import annotations

from collections.abc import Mapping

# From, and up to: the share of the picture. What fills the view and what is hardly there are missed most.
SIZES: Mapping[str, tuple[float, float]] = {
    "under 1 %": (0.0, 0.01),
    "1 to 2 %": (0.01, 0.02),
    "2 to 20 %": (0.02, 0.20),
    "20 to 30 %": (0.20, 0.30),
    "over 30 %": (0.30, 1.01),
}


def size_of(polyp_share: float) -> str:
    """A key of SIZES, of an image with a polyp."""
    return next(name for name, (low, high) in SIZES.items() if low <= polyp_share < high)
