"""From what a network was shown of a frame to a mask that lies where that was: one way for every runtime."""

from __future__ import annotations

from engine.runtime.base import Runtime
from engine.types import U8, Field, Mask
from engine.view.outline import within


def region_mask(runtime: Runtime, shown: U8, field: Field, number: int) -> Mask:
    """What the network says of frame `number`, with its place in the frame; nothing outside the field.

    `shown`: uint8 [h, w, 3] RGB, the field's box alone, squashed to the network's size straight from the
    decoder's planes (`Picture.rgb(size, field.box)`). No runtime, on a GPU neither, is given the whole frame:
    a cut of 300 KB goes up instead of 1080p's 6 MB, and there is nothing to be cut a second way.
    Raises FaultError as `Runtime.infer`.
    """
    return Mask(number, within(runtime.infer(shown), field), field.box)
