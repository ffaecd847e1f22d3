"""Frames to BGRA for the screen, in buffers that are used again.

A fresh buffer for each picture costs more than its conversion: the system has to clear its 8 MB (1080p) page
by page, 2 to 4 ms. A filter graph of FFmpeg keeps a pool: what nobody holds any longer is written again.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from av.filter import Graph
from av.video.frame import VideoFrame

from engine.sources.colour import Colour
from engine.types import U8

_TICKS = Fraction(1, 1000)  # a graph wants a time base; nothing here reads time


class ScreenPixels:
    """Used by one thread. The graph is made anew when frames of another kind come."""

    def __init__(self) -> None:
        self._kind: tuple[int, int, str, Colour, bool] | None = None
        self._graph = Graph()

    def bgra(self, frame: VideoFrame, colour: Colour, woven: bool = False) -> U8:
        """uint8 [H, W, 4] at the frame's own size; nobody else writes to it while it is held.

        `woven`: of two fields that show different moments, so that only the upper one is shown.
        """
        kind = (frame.width, frame.height, frame.format.name, colour, woven)
        if kind != self._kind:
            self._graph = _graph(frame, colour, woven)
            self._kind = kind
        self._graph.vpush(frame)
        converted = self._graph.vpull()
        array = converted.to_ndarray()
        # Lines are padded to whole SIMD words: a copy only where the width makes that show, and where there
        # was nothing to convert and the pixels are still the decoder's.
        own = array.flags.c_contiguous and frame.format.name != "bgra"
        return (array if own else array.copy(order="C")).view(np.uint8)


def _graph(frame: VideoFrame, colour: Colour, woven: bool) -> Graph:
    graph = Graph()
    # Beside decoder and network, two threads that wait for each other take twice as long as one.
    graph.threads = 1
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base or _TICKS
    )
    size = {"w": str(frame.width), "h": str(frame.height)}
    scale = graph.add("scale", ":".join(f"{key}={value}" for key, value in (size | _options(colour)).items()))
    to_bgra = graph.add("format", "bgra")
    sink = graph.add("buffersink")
    upper = [graph.add("field", "type=top")] if woven else []
    graph.link_nodes(source, *upper, scale, to_bgra, sink).configure()
    return graph


def _options(colour: Colour) -> dict[str, str]:
    options = {"flags": "bilinear", "out_range": "full"}
    if colour.word is not None:
        options |= {"in_color_matrix": colour.word, "in_range": "full" if colour.full else "limited"}
    return options
