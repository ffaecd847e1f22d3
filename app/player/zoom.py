"""Where the picture lies on the canvas: exact aspect, zoom about a point, never off the screen. Pure."""

from __future__ import annotations

from dataclasses import dataclass

MAX_ZOOM = 16.0


@dataclass(frozen=True, slots=True)
class View:
    """`zoom` 1 shows the whole picture; `centre_x, centre_y` is the picture's point (0..1) in the middle."""

    zoom: float = 1.0
    centre_x: float = 0.5
    centre_y: float = 0.5


@dataclass(frozen=True, slots=True)
class Placement:
    """The picture's rectangle on the canvas, device pixels; it may reach beyond the canvas when zoomed."""

    x: float
    y: float
    width: float
    height: float


def place(
    frame_px: tuple[int, int], pixel_aspect: float, canvas_px: tuple[int, int], view: View = View()
) -> Placement:
    """The largest whole-pixel rectangle of the picture's shape in the canvas, times the zoom."""
    width, height = frame_px[0] * pixel_aspect, float(frame_px[1])
    scale = min(canvas_px[0] / width, canvas_px[1] / height) * view.zoom
    shown_w, shown_h = max(1, round(width * scale)), max(1, round(height * scale))
    return Placement(
        _offset(canvas_px[0], shown_w, view.centre_x),
        _offset(canvas_px[1], shown_h, view.centre_y),
        shown_w,
        shown_h,
    )


def zoomed(
    view: View,
    factor: float,
    at: tuple[float, float],
    frame_px: tuple[int, int],
    aspect: float,
    canvas_px: tuple[int, int],
) -> View:
    """Zoom by `factor`, keeping the picture's point under `at` (device pixels) where it is."""
    zoom = min(max(view.zoom * factor, 1.0), MAX_ZOOM)
    if zoom == 1.0:
        return View()
    before = place(frame_px, aspect, canvas_px, view)
    u, v = (at[0] - before.x) / before.width, (at[1] - before.y) / before.height
    after = place(frame_px, aspect, canvas_px, View(zoom))
    return View(
        zoom,
        u + (canvas_px[0] / 2 - at[0]) / after.width,
        v + (canvas_px[1] / 2 - at[1]) / after.height,
    )


def panned(view: View, dx_px: float, dy_px: float, placement: Placement) -> View:
    """The view after the picture was dragged by that many device pixels."""
    return View(
        view.zoom,
        min(max(view.centre_x - dx_px / placement.width, 0.0), 1.0),
        min(max(view.centre_y - dy_px / placement.height, 0.0), 1.0),
    )


def _offset(canvas: int, shown: int, centre: float) -> float:
    """Left (or upper) edge: centred while it fits, else never showing more black than needed."""
    if shown <= canvas:
        return float((canvas - shown) // 2)
    return float(round(min(0.0, max(canvas - shown, canvas / 2 - centre * shown))))
