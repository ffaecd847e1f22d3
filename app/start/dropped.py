"""What may be dropped on the window, or picked in a dialog. Pure but for a look at the path."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engine.faults import FaultCode, FaultError
from engine.sources import IMAGE_SUFFIXES, STREAM_SCHEMES, VIDEO_SUFFIXES, parse_source
from engine.sources.base import SourceSpec

CAN_BE_OPENED = "a video (MP4, MKV, MOV, AVI, TS and others), a folder of pictures, or a stream's address"


def file_dialog_filter() -> str:
    """Name filters of the open dialog: videos first, all files for those with unusual names."""
    patterns = " ".join(f"*{suffix}" for suffix in sorted(VIDEO_SUFFIXES))
    return f"Videos ({patterns});;All files (*)"


def spec_of_drop(paths: Sequence[str], text: str = "") -> SourceSpec:
    """The source meant by what was dropped: local paths, or a text with an address.

    Raises FaultError ARGUMENT, saying what can be opened, before anything that plays is closed.
    """
    if len(paths) > 1:
        raise _wrong(f"{len(paths)} files", "drop one at a time, or the folder of pictures that holds them")
    if paths:
        path = Path(paths[0])
        if path.is_dir() or path.suffix.lower() in VIDEO_SUFFIXES | IMAGE_SUFFIXES:
            return parse_source(str(path))
        raise _wrong(path.name, "drop one of those; a video of another name: Open recording…")
    if text.partition("://")[0].lower() in STREAM_SCHEMES:
        return parse_source(text)
    raise _wrong("something else", "drop a file or an address")


def _wrong(got: str, remedy: str) -> FaultError:
    return FaultError(
        FaultCode.ARGUMENT,
        expected=CAN_BE_OPENED,
        got=got,
        remedy=remedy,
        fatal=False,
        place="drop",
        said=f"{got[0].upper() + got[1:] if ' ' in got else got} cannot be opened. "
        f"What can be opened is {CAN_BE_OPENED}: {remedy}.",
    )
