"""Memory that was freed goes back to the system: glibc keeps what loading a network used, tens of MB."""

from __future__ import annotations

import ctypes
import sys


def give_back() -> None:
    """Return the free memory of this process; costs some milliseconds. Elsewhere than on glibc: nothing."""
    if not sys.platform.startswith("linux"):
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
