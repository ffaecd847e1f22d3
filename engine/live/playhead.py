"""Where the reader stands in its source: reads on, goes elsewhere, and makes frames of pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.live.connection import Connection
from engine.live.pacing import MediaClock
from engine.sources.base import Picture
from engine.sources.field_finder import FieldFinder
from engine.types import Field, Frame, Loop, Region, Size

# EVERY waits this long for the frame to reach the screen; then the screen is gone and it goes on.
ACKNOWLEDGE_TIMEOUT_S = 2.0


@dataclass(slots=True)
class Position:
    """Where the reader stands; a seek starts a new one."""

    index: int = -1  # of the frame handed over last
    pts_s: float = 0.0
    in_step: bool = False  # whether the decoder stands just behind that frame
    clock: MediaClock | None = None  # None: the next frame is due at once
    pending: Picture | None = None  # decoded, not yet handed over
    at_end: bool = False
    due_s: float | None = None  # of the frame handed over or skipped last
    handed_at_s: float | None = None
    handed_number: int | None = None

    def leaves(self, loop: Loop | None) -> bool:
        """Whether the next frame is the first one behind the loop. Whoever jumps out of it plays on."""
        if loop is None or not loop.start_s <= self.pts_s <= loop.end_s:
            return False
        return self.at_end if self.pending is None else self.pending.pts_s > loop.end_s

    def unfinished_s(self, acknowledged: int, now_s: float) -> float:
        """EVERY: how long the next frame still waits for the screen to be done with the last one.

        `acknowledged`: number of the newest frame that it is done with.
        """
        if self.handed_number is None or acknowledged >= self.handed_number:
            return 0.0
        assert self.handed_at_s is not None
        return max(0.0, self.handed_at_s + ACKNOWLEDGE_TIMEOUT_S - now_s)


class Playhead:
    """Used by the reader's thread. `at` is another value after each seek.

    `serial` counts the seeks: a mask belongs to no picture on the other side of one.
    """

    def __init__(self, link: Connection) -> None:
        self.at = Position()
        self.serial = 0
        self._link = link
        self._number = 0
        self._finder = FieldFinder()

    def begun(self) -> None:
        """A source has opened: its frames belong to none before."""
        self.at = Position()
        self.serial += 1
        self._finder.forget()

    def look_at(self, region: Region | Field | None) -> None:
        """What of the pictures the network is shown from now on, as `FieldFinder.use` has it."""
        self._finder.use(region)

    def read(self) -> Picture | None:
        """The next picture; None at the end, and without a source."""
        picture = self._link.read()
        self._number += picture is not None
        return picture

    def read_at(self, index: int, go: Callable[[int], None] | None = None) -> Picture | None:
        """Frame `index`; where the file breaks off before it, the last one that can be decoded (nearly)."""
        back = 1
        while self._link.source is not None:
            (go or self.seek_to)(index)
            picture = self.read()
            if picture is not None or index == 0:
                return picture
            index, back = max(0, index - back), back * 2
        return None

    def seek_to(self, index: int) -> None:
        """To another frame, whose neighbours' masks are not its own."""
        self.move_to(index)
        self.serial += 1
        self._finder.jumped()

    def move_to(self, index: int) -> None:
        """To another frame that belongs to those before it: their masks may be drawn on it."""
        assert self._link.source is not None
        self._link.source.seek(index)
        self.at = Position(index=self.at.index, pts_s=self.at.pts_s)

    def take(self, picture: Picture, due_s: float, size: Size | None, region: Region) -> Frame:
        """The picture that was read last as a frame, with the network's picture of that size.

        `region`: what the network was made for.
        """
        field = self._finder.field_of(picture, _clock_s(picture), region)
        frame = Frame(
            number=self._number,
            index=picture.index,
            pts_s=picture.pts_s,
            captured_s=picture.captured_s,
            due_s=due_s,
            width_px=picture.width_px,
            height_px=picture.height_px,
            network_image=None if size is None else picture.rgb(size, field.box),
            image=picture.bgra(),
            name=picture.name,
            seek_serial=self.serial,
            damaged=picture.damaged,
            field=field,
        )
        self.at.pending = None
        self.at.index, self.at.pts_s, self.at.due_s = picture.index, picture.pts_s, due_s
        self.at.handed_number = frame.number
        self.at.in_step = True
        return frame

    def look(self, picture: Picture, region: Region) -> None:
        """Where the endoscope's picture is in the frames after this one, which has been handed over: nobody
        waits for it. `region` as for `take`.
        """
        self._finder.look(picture, _clock_s(picture), region)


def _clock_s(picture: Picture) -> float:
    """A live source's own time stamps may stand still or jump."""
    return picture.captured_s if picture.signal is not None else picture.pts_s
