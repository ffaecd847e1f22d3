"""The frames of a recording with what the network says of each: any part of it, in order, none left out.

Whoever looks at a recording as a whole does it by `judged_frames`: `analyse`, its many-recordings runner,
`engine.bench`, the figures over time (docs/adr/0022).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import islice

import cv2

from engine.analysis.read_ahead import Item, ReadAhead, VideoTags
from engine.drawing.components import Patch, components_of, find_patches
from engine.faults import FaultCode, FaultError
from engine.model_folder import ModelFolder
from engine.runtime import AUTO, open_runtime
from engine.runtime.base import Runtime, RuntimeOptions
from engine.runtime.host import default_threads
from engine.runtime.masks import region_mask
from engine.runtime.self_check import check_runtime
from engine.sources import LIVE_KINDS, open_source
from engine.sources.base import Source, SourceOptions, SourceSpec
from engine.sources.field_finder import FieldFinder
from engine.sources.file.decode_choice import SOFTWARE
from engine.types import U8, OperatingPoint, Result, Size

AT_ONCE = 4

Tell = Callable[[FaultError], object]


@dataclass(frozen=True, slots=True)
class JudgedFrame:
    """A frame and what was found on it. `result`: rank, time stamp, size, probability map and components.

    `patches` hold the pixels of `result.components`; both are empty where findings are to be followed over
    time (`tracked`). `shown`: what the network was given, uint8 [h, w, 3]. `damaged`: parts of the picture
    are missing (what is shown live then gets no marks). `name`: of a still. `bgra`, uint8 [H, W, 4], and
    `tags` are there where pixels were asked for.
    """

    result: Result
    patches: tuple[Patch, ...]
    damaged: bool
    shown: U8
    name: str | None = None
    bgra: U8 | None = None
    tags: VideoTags | None = None


@dataclass(frozen=True, slots=True)
class Judge:
    """A network that is open, and the point at which its maps are looked at.

    `streams` threads may call it at once; `size` is that of the pictures it takes.
    """

    runtime: Runtime
    model_id: str
    size: Size
    point: OperatingPoint
    streams: int

    def __call__(self, item: Item) -> JudgedFrame:
        """Raises FaultError INFERENCE."""
        width_px, height_px = item.width_px, item.height_px
        mask = region_mask(self.runtime, item.rgb, item.field, item.index)
        followed = self.point.follows and item.name is None
        patches = () if followed else find_patches(mask, width_px, height_px, self.point)
        result = Result(
            number=item.index,
            index=item.index,
            pts_s=item.pts_s,
            seek_serial=0,
            size=Size(width_px, height_px),
            mask=mask,
            components=components_of(patches),
            point=self.point,
            captured_s=math.nan,
            model_id=self.model_id,
            runtime=self.runtime.info.name,
            field=item.field,
        )
        return JudgedFrame(result, patches, item.damaged, item.rgb, item.name, item.bgra, item.tags)

    def close(self) -> None:
        """Free the network. Idempotent."""
        self.runtime.close()


def open_judge(
    model: ModelFolder,
    point: OperatingPoint,
    *,
    runtime: str = AUTO,
    precision: str = AUTO,
    threads: int | None = None,
) -> Judge:
    """Open the network; `threads` None: what suits a machine of one's own.

    Raises FaultError: a runtime that does not load, or does not give the mask that comes with the model.
    """
    cv2.setNumThreads(1)  # its pool would fight with the network for the same cores
    streams = threads or default_threads()
    network = open_runtime(runtime, model, RuntimeOptions(precision, threads or 0, streams))
    try:
        check_runtime(model.card, network)
    except BaseException:
        network.close()
        raise
    size = Size(model.card.input.width_px, model.card.input.height_px)
    return Judge(network, model.id, size, point, streams)


def open_recording(spec: SourceSpec, decode: str = SOFTWARE) -> Source:
    """Open it to be read as fast as it goes. Raises FaultError: it is live (ARGUMENT), or cannot be read."""
    if spec.kind not in LIVE_KINDS:
        source = open_source(spec, SourceOptions(throughput=True, decode=decode))
        if not source.info.live:
            return source
        source.close()
    raise FaultError(
        FaultCode.ARGUMENT,
        expected="a recording: a video file, a folder of pictures or the demonstration",
        got=f"{spec.text}, which is live",
        remedy="record it first, or watch it without analyse",
        said=f"{spec.text} is live and has no end to analyse. Record it first, or watch it without analyse.",
    )


def judged_frames(
    source: Source,
    judge: Judge,
    *,
    start: int = 0,
    finder: FieldFinder | None = None,
    with_pixels: bool = False,
    tell: Tell = lambda fault: None,
) -> Generator[JudgedFrame, None, None]:
    """Every frame from rank `start` on, in order: what the whole recording gives from there.

    Pictures are read ahead and judged side by side in threads of the generator's own; they have ended when it
    is exhausted, has raised or was closed (`contextlib.closing`: also in the middle, at once). Until then
    nobody else uses `source`; `judge` and `source` stay open.
    `finder`: tells what of each picture the network is given; None: all of it.
    `tell` hears each fault that is not fatal (the file breaks off, a still that is none) when it is met,
    perhaps before the frames in front of it have been given.
    Where the source cannot jump to `start`, it is read up to there.
    Raises FaultError: INFERENCE, the source's fatal ones behind the frames in front of them, and
    SOURCE_UNREADABLE for a recording without a picture.
    """
    # Pictures with their pixels are megabytes each: few of them are under way.
    at_once = 1 if with_pixels else AT_ONCE
    with (
        ReadAhead(source, judge.size, start, with_pixels, 2 * at_once, tell, finder) as ahead,
        closing(_in_order(judge, iter(ahead), at_once)) as frames,
    ):
        given = False
        for frame in frames:
            given = True
            yield frame
    if ahead.failure is not None:
        raise ahead.failure
    if not (given or start):
        raise FaultError(
            FaultCode.SOURCE_UNREADABLE,
            expected=f"pictures in {source.info.id}",
            got="none",
            remedy="choose another recording",
            said=f"There are no pictures in {source.info.id}. Choose another recording.",
        )


def _in_order(judge: Judge, items: Iterator[Item], at_once: int) -> Generator[JudgedFrame, None, None]:
    """The items judged side by side and given in their order.

    `at_once` of them go to a thread together: waking one costs a tenth of what a picture costs it.
    """

    def judge_all(some: list[Item]) -> list[JudgedFrame]:
        return [judge(item) for item in some]

    under_way: deque[Future[list[JudgedFrame]]] = deque()
    pool = ThreadPoolExecutor(judge.streams, thread_name_prefix="polyplive-infer")
    try:
        while some := list(islice(items, at_once)):
            under_way.append(pool.submit(judge_all, some))
            if len(under_way) >= 2 * judge.streams:
                yield from under_way.popleft().result()
        while under_way:
            yield from under_way.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
