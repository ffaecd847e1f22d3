"""What of a source's pictures the network is shown: found anew in stills, locked on over time in video."""

from __future__ import annotations

from contextlib import closing

from engine.faults import FaultError
from engine.sources import open_source
from engine.sources.base import Picture, SourceOptions, SourceSpec
from engine.types import U8, Field, Rect, Region, Size
from engine.view.lock_on import LONG_SIDE_PX, MOVED_IOU, Lock, after, field_in, iou

STEP_PX = 16  # swscale leaves columns out where a side is none of its whole steps
SCOUT_S = 3.0
PART_ROOM_FRAC = 0.02  # of a side, by which a part of a field may seem to reach over it


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
        self._at_s: float | None = None  # of the picture before
        self._gone_back_s = 0.0  # by loops and played backwards: for the lock, time never goes back
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
        self._lock, self._known, self._at_s, self._jumped = Lock(), None, None, False

    def jumped(self) -> None:
        """The next picture is from elsewhere in the recording: the field is most likely where it was."""
        self._known = self._lock.field or self._known
        self._lock, self._at_s, self._jumped = Lock(), None, True

    def field_of(self, picture: Picture, at_s: float, made_for: Region = "field") -> Field:
        """The endoscope's picture in this one, or all of it; `at_s`: the picture's own time.

        `made_for`: what the network is used to, where nobody asked for anything else.
        """
        size = Size(picture.width_px, picture.height_px)
        if self._fixed is not None:
            return inside(self._fixed, size)
        if (self._asked or made_for) == "frame":
            return whole(size)
        if picture.name is not None:
            return even(field_in([picture.rgb(small_size(size))], size), size)
        if self._jumped and not picture.damaged:
            self._jumped = False
            self._known = _arrived(self._known, picture.rgb(small_size(size)), size)
        if self._at_s is not None and at_s < self._at_s:
            self._gone_back_s += self._at_s - at_s
        self._at_s = at_s
        looks_s = max(at_s + self._gone_back_s, self._lock.looked_s or at_s)
        if self._lock.is_due(looks_s) and not picture.damaged:
            self._lock = after(self._lock, picture.rgb(small_size(size)), size, looks_s)
        if self._lock.size == size and self._lock.field is not None:
            return even(self._lock.field, size)
        return inside(self._known, size) if self._known is not None else whole(size)


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


def _arrived(known: Field | None, small: U8, size: Size) -> Field | None:
    """The field behind a jump, by one look: a paused picture gets no other.

    `known` stays where the look agrees with it, or sees a part of it alone: the rest may be dark.
    """
    seen = field_in([small], size)
    if seen == whole(size):
        return known
    if known is None or known == whole(size):
        return seen
    agrees = iou(seen.box, known.box) >= MOVED_IOU or _is_part(seen.box, known.box)
    return known if agrees else seen


def _is_part(part: Rect, of: Rect) -> bool:
    wide, high = PART_ROOM_FRAC * of.w, PART_ROOM_FRAC * of.h
    across = of.x - wide <= part.x and part.x + part.w <= of.x + of.w + wide
    return across and of.y - high <= part.y and part.y + part.h <= of.y + of.h + high


def small_size(size: Size) -> Size:
    """The size of a look, about: its longer side is `LONG_SIDE_PX`."""
    scale = LONG_SIDE_PX / max(size.width_px, size.height_px)
    sides = (
        max(STEP_PX, round(side * scale / STEP_PX) * STEP_PX) for side in (size.width_px, size.height_px)
    )
    return Size(*sides)


def whole(size: Size) -> Field:
    return Field(Rect(0, 0, size.width_px, size.height_px))


def inside(field: Field, size: Size) -> Field:
    """A field that may have been set on a picture of another size: what of it is in this one, else all."""
    box = field.box
    x, y = min(max(box.x, 0), size.width_px), min(max(box.y, 0), size.height_px)
    w, h = min(box.x + box.w, size.width_px) - x, min(box.y + box.h, size.height_px) - y
    if w < STEP_PX or h < STEP_PX:
        return whole(size)
    return even(Field(Rect(x, y, w, h), field.form, field.cut), size)


def even(field: Field, size: Size) -> Field:
    """The same with a box on even pixels, as chroma is stored; to the frame's end where it reaches that."""
    box = field.box
    x, y = box.x // 2 * 2, box.y // 2 * 2
    right = size.width_px if box.x + box.w >= size.width_px - 1 else -(-(box.x + box.w) // 2) * 2
    low = size.height_px if box.y + box.h >= size.height_px - 1 else -(-(box.y + box.h) // 2) * 2
    return Field(Rect(x, y, right - x, low - y), field.form, field.cut)
