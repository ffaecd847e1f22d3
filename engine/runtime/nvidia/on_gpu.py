"""What the runtimes cuda and tensorrt share: a network in its lane as a `Runtime`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from engine.faults import FaultCode, FaultError
from engine.runtime.base import check_image
from engine.runtime.nvidia.lane import Lane
from engine.types import U8, RuntimeInfo, Size


class LaneRuntime:
    """`infer` may be called by several threads; they wait for each other."""

    def __init__(
        self, lane: Lane, size: Size, info: RuntimeInfo, release: Callable[[], None] = lambda: None
    ) -> None:
        self._lane: Lane | None = lane
        self._size = size
        self._info = info
        self._release = release

    @property
    def info(self) -> RuntimeInfo:
        return self._info

    def infer(self, image: U8) -> U8:
        """As `Runtime.infer`."""
        check_image(image, self._size)
        lane = self._lane
        if lane is None:
            raise _fault("one that has been closed", "open the model again")
        try:
            return lane.run(image)
        except RuntimeError as error:
            raise _fault(str(error).splitlines()[0], "choose another runtime") from error

    def close(self) -> None:
        """As `Runtime.close`."""
        if self._lane is not None:
            self._lane = None
            self._release()


@contextmanager
def opening(runtime: str, model_id: str) -> Iterator[None]:
    """Make what torch throws while a network is put on a GPU (no memory left, mostly) a fault MODEL_LOAD."""
    try:
        yield
    except RuntimeError as error:
        raise FaultError(
            FaultCode.MODEL_LOAD,
            expected=f"{model_id} to open in {runtime}",
            said=f"{model_id} does not open in {runtime} "
            f"({next(iter(str(error).splitlines()), type(error).__name__)}). "
            "Choose another runtime.",
            got=next(iter(str(error).splitlines()), type(error).__name__),
            remedy="choose another runtime",
            detail=str(error),
        ) from error


def _fault(got: str, remedy: str) -> FaultError:
    return FaultError(
        FaultCode.INFERENCE,
        expected="the network to run",
        got=got,
        remedy=remedy,
        said=f"The network failed ({got}). {remedy[:1].upper()}{remedy[1:]}.",
    )
