"""What of a source's pictures the network is shown: found anew in stills, locked on over time in video."""

from __future__ import annotations

from contextlib import closing

from engine.faults import FaultError
from engine.sources import open_source
from engine.sources.base import Picture, SourceOptions, SourceSpec
from engine.types import Field, Rect, Region, Size
from engine.view.lit import STEP_PX, small_size
from engine.view.lock_on import Lock, after, arrived
from engine.view.region import even, still_field

SCOUT_S = 10.0  # a recording may begin with black pictures, or the view of another source


class FieldFinder:
    """Used by the thread that reads. `fixed`: where a person, or the source's owner, says that it is.

    `known`: what it is until it has been found. `lock`: what another finder of the same recording had seen
    up to the picture that comes first here.
    """

    def __init__(
        self, fixed: Field | None = None, known: Field | None = None, lock: Lock | None = None
    ) -> None:
        self._fixed = fixed
        self._known = known
        self._asked: Region | None = None
        self._lock = lock or Lock()
        self._jumped = False

    @property
    def known(self) -> Field | None:
        return self._known

    @property
    def lock(self) -> Lock:
        """What was seen so far."""
        return self._lock

    def use(self, region: Region | Field | None) -> None:
        """Another region from the next picture on: "field" finds it anew, "frame" is all of each picture.

        None: what the network was made for, as `field_of` hears.
        """
        self.forget()
        self._fixed = region if isinstance(region, Field) else None
        self._asked = None if isinstance(region, Field) else region

    def forget(self) -> None:
        """Another source is coming."""
        self._lock, self._known, self._jumped = Lock(), None, False

    def jumped(self) -> None:
        """The next picture is from elsewhere in the recording: the field is most likely where it was."""
        self._jumped = True

    def field_of(self, picture: Picture, at_s: float, made_for: Region = "field") -> Field:
        """The endoscope's picture in this one, or all of it, as far as is known; `at_s`: the picture's time.

        `made_for`: what the network is used to, where nobody asked for anything else. Where nothing is known
        this picture is looked at first.
        """
        size = Size(picture.width_px, picture.height_px)
        if self._fixed is not None:
            return inside(self._fixed, size)
        if (self._asked or made_for) == "frame":
            return whole(size)
        if picture.name is not None:
            return still_field(picture.rgb(small_size(size)), size)
        if self._jumped or (self._known is None and (self._lock.size != size or self._lock.best is None)):
            self.look(picture, at_s, made_for)
        found = self._lock.best if self._lock.size == size else None
        return inside(found or self._known or whole(size), size)

    def look(self, picture: Picture, at_s: float, made_for: Region = "field") -> None:
        """Learn from a picture of a video, a few times a second: for those after it, or before `field_of`."""
        is_sought = self._fixed is None and (self._asked or made_for) == "field" and picture.name is None
        size = Size(picture.width_px, picture.height_px)
        is_due = self._jumped or self._lock.size != size or self._lock.is_due(at_s)
        if is_sought and not picture.damaged and is_due:
            learn = arrived if self._jumped else after
            self._lock, self._jumped = learn(self._lock, picture.rgb(small_size(size)), size, at_s), False


def finder_of(region: Region | Field, spec: SourceSpec) -> FieldFinder | None:
    """For a recording: what finds, or knows, the region; None for whole frames.

    Its beginning is looked at beforehand, so that the first frames are seen as the last.
    """
    if isinstance(region, Field):
        return FieldFinder(fixed=region)
    return None if region == "frame" else FieldFinder(known=_begins_with(spec))


def _begins_with(spec: SourceSpec) -> Field | None:
    """None for stills, and where nothing is found in the first seconds, or they cannot be read."""
    if spec.kind == "images":
        return None
    lock, until_s = Lock(), None
    try:
        # Opened for itself: a source tells of its end, and of what is missing, but once.
        with closing(open_source(spec, SourceOptions())) as source:
            while lock.field is None and (picture := source.read()) is not None:
                until_s = picture.pts_s + SCOUT_S if until_s is None else until_s
                if picture.pts_s > until_s:
                    break
                if lock.is_due(picture.pts_s) and not picture.damaged:
                    size = Size(picture.width_px, picture.height_px)
                    lock = after(lock, picture.rgb(small_size(size)), size, picture.pts_s)
    except FaultError:  # told to whoever reads it in earnest
        pass
    return lock.field


def whole(size: Size) -> Field:
    return Field(Rect(0, 0, size.width_px, size.height_px))


def inside(field: Field, size: Size) -> Field:
    """A field that may have been set on a picture of another size: what of it is in this one, else all."""
    box = field.box
    x, y = min(max(box.x, 0), size.width_px), min(max(box.y, 0), size.height_px)
    w, h = min(box.x + box.w, size.width_px) - x, min(box.y + box.h, size.height_px) - y
    if w < STEP_PX or h < STEP_PX:
        return whole(size)
    return Field(even(Rect(x, y, w, h), size), field.form, field.cut)
