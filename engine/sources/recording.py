"""A recording in a file: DICOM by its own reader, everything else by FFmpeg."""

from __future__ import annotations

from pathlib import Path

from engine.faults import FaultCode, FaultError
from engine.sources.base import Source, SourceOptions
from engine.sources.file import video
from engine.sources.what_is_there import is_dicom
from engine.table import Entry, load

DICOM = Entry("engine.sources.dicom:open", extra="dicom")


def open(address: str, options: SourceOptions) -> Source:
    """Raises FaultError as `video.open`, and EXTRA_MISSING for DICOM without pydicom."""
    path = Path(address)
    if not is_dicom(path):
        return video.open(address, options)
    try:
        open_dicom = load(DICOM)
    except FaultError as error:
        if error.code is not FaultCode.EXTRA_MISSING:
            raise
        error.said = f"{path.name} is DICOM, and what reads it is not installed: {error.remedy}."
        raise
    opened: Source = open_dicom(address, options)
    return opened
