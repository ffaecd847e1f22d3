"""The demonstration that comes with the program: played again and again, analysed once."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from importlib import resources

from engine.faults import FaultCode, FaultError
from engine.sources.base import Picture, Source, SourceOptions
from engine.sources.file import video
from engine.types import SourceInfo

TITLE = "Demonstration"


def open(address: str, options: SourceOptions) -> Source:
    """Open the bundled clip; `address` is not used. Raises FaultError SOURCE_MISSING when it is not there."""
    clip = resources.files("assets").joinpath("demo", "demo.mp4")
    if not clip.is_file():
        raise FaultError(
            FaultCode.SOURCE_MISSING,
            expected="the demonstration clip assets/demo/demo.mp4",
            got="an installation without it",
            remedy="install polyplive again",
            said="The demonstration clip is not part of this installation. Install polyplive again.",
        )
    with ExitStack() as unpacking:
        path = unpacking.enter_context(resources.as_file(clip))
        return DemoSource(video.open(str(path), options), unpacking.pop_all(), repeat=not options.throughput)


class DemoSource:
    """A `Source` (engine/sources/base.py): the clip, from its start again at its end when `repeat`."""

    def __init__(self, clip: video.VideoFile, unpacked: ExitStack, repeat: bool) -> None:
        self._clip = clip
        self._unpacked = unpacked
        self._repeat = repeat
        self._infos = (clip.info, replace(clip.info, id="demo:", title=TITLE))

    @property
    def info(self) -> SourceInfo:
        """The clip's under its own name; the same object until something changes."""
        info = self._clip.info
        if info is not self._infos[0]:
            self._infos = (info, replace(info, id="demo:", title=TITLE))
        return self._infos[1]

    def read(self) -> Picture | None:
        """As the clip's; when repeating, ranks and time stamps start anew with each round."""
        picture = self._clip.read()
        if picture is None and self._repeat:
            self._clip.seek(0)
            picture = self._clip.read()
        return picture

    def seek(self, index: int) -> None:
        self._clip.seek(index)

    def index_at(self, pts_s: float) -> int:
        return self._clip.index_at(pts_s)

    def close(self) -> None:
        """Idempotent, from any thread."""
        self._clip.close()
        self._unpacked.close()
