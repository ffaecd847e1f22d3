"""Where the operator page's parts lie: round the picture in a window, over it in full screen. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRect

from app.widgets import theme


@dataclass(frozen=True, slots=True)
class Wanted:
    """What there is to place. `status_px` is (width, height) of the row over the picture; 0: not there."""

    page_px: tuple[int, int]
    status_px: tuple[int, int]
    notice_px: int = 0  # width in full screen
    panel_px: int = 0
    transport_px: int = 0
    research_px: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Places:
    """Rectangles on the page."""

    status: QRect
    notice: QRect
    hatches: tuple[QRect, QRect]
    canvas: QRect
    panel: QRect
    transport: QRect
    research: QRect


def beside(wanted: Wanted) -> Places:
    """In a window: nothing covers the picture, and it keeps its size whatever is said above it."""
    width, height = wanted.page_px
    top, bottom = wanted.status_px[1], height - wanted.transport_px
    wide = width - wanted.panel_px
    upper = top + theme.NOTICE_ROW_PX
    picture = upper + theme.HATCH_PX
    lower = bottom - theme.HATCH_PX
    return Places(
        status=QRect(0, 0, width, top),
        notice=QRect(0, top, wide, theme.NOTICE_ROW_PX),
        hatches=(QRect(0, upper, wide, theme.HATCH_PX), QRect(0, lower, wide, theme.HATCH_PX)),
        canvas=QRect(0, picture, wide, max(1, lower - picture)),
        panel=QRect(wide, top, wanted.panel_px, bottom - top),
        transport=QRect(0, bottom, width, wanted.transport_px),
        research=QRect(),
    )


def over(wanted: Wanted, *, rests: bool) -> Places:
    """In full screen: the picture has all of it, the parts lie over its edges and never over its middle.

    `rests`: only the word stays of the row, so that the strips go to the very edges.
    """
    width, height = wanted.page_px
    bottom = height - wanted.transport_px
    strip = theme.HATCH_PX
    upper = 0 if rests else wanted.status_px[1]
    status_width = min(wanted.status_px[0], width) if rests else width
    below = max(wanted.status_px[1], upper + strip)
    research_w, research_h = wanted.research_px
    return Places(
        status=QRect(0, 0, status_width, wanted.status_px[1]),
        notice=QRect(0, below, min(wanted.notice_px, width - wanted.panel_px), theme.NOTICE_ROW_PX),
        hatches=(QRect(0, upper, width, strip), QRect(0, bottom - strip, width, strip)),
        canvas=QRect(0, 0, width, height),
        panel=QRect(width - wanted.panel_px, below, wanted.panel_px, bottom - strip - below),
        transport=QRect(0, bottom, width, wanted.transport_px),
        research=QRect(0, bottom - strip - research_h, research_w, research_h),
    )
