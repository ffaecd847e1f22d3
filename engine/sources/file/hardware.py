"""Hardware decoders as PyAV offers them: the only file that talks to `av.codec.hwaccel`.

Never run on hardware of ours so far: tested up to this file with a stand-in, and ready for `make test-gpu`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import av
from av.codec import Codec
from av.codec.hwaccel import HWAccel, hwdevices_available
from av.container import InputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from engine.faults import FaultError

OpenContainer = Callable[[HWAccel | None], InputContainer]

NOT_THIS_STREAM = "not a stream that it decodes"


class HardwareFailedError(Exception):
    """The hardware gave up, in one line why. Never leaves the sources: they go on in software."""


class Hardware(Protocol):
    """One kind of hardware decoder. Used by one thread."""

    @property
    def name(self) -> str:
        """FFmpeg's word: "cuda", "vaapi", "d3d11va", "videotoolbox"."""

    def accel(self) -> HWAccel | None:
        """What a container is opened with."""

    def decode(self, packet: av.Packet[VideoStream]) -> list[VideoFrame]:
        """Frames in ordinary memory. Raises HardwareFailedError for whatever goes wrong."""

    def decodes(self, context: VideoCodecContext) -> bool:
        """Whether the frames of this context really come from the hardware; known after the first one."""


class PyAvHardware:
    """A device type of PyAV. Frames are copied into ordinary memory: what follows is as in software."""

    def __init__(self, name: str) -> None:
        self.name = name

    def accel(self) -> HWAccel:
        return HWAccel(self.name, allow_software_fallback=True)

    def decode(self, packet: av.Packet[VideoStream]) -> list[VideoFrame]:
        """As `Hardware.decode`. A packet that is damaged fails, too: software is asked about it then."""
        try:
            return packet.decode()
        except av.FFmpegError as error:
            raise HardwareFailedError(reason_of(error)) from error

    def decodes(self, context: VideoCodecContext) -> bool:
        # libavcodec changes to software by itself where the device refuses a profile or a size; only the
        # format that it settled on tells.
        if not context.is_hwaccel:
            return False
        formats = {config.format.name for config in context.codec.hardware_configs if config.format}
        return context.pix_fmt in formats


def listed() -> tuple[str, ...]:
    """The device types that this PyAV was built with; whether one of them is there is another question."""
    return tuple(hwdevices_available())


def device_refusal(name: str) -> str:
    """Why no H.264 decoder of this kind can be made here; empty when it can."""
    try:
        HWAccel(name).create(Codec("h264", "r"))
    except NotImplementedError:
        return "PyAV has no such decoder for H.264"
    except (av.FFmpegError, ValueError) as error:
        return reason_of(error)
    return ""


def open_with(
    open_container: OpenContainer, hardware: Hardware | None
) -> tuple[InputContainer, HardwareFailedError | None]:
    """The container, opened for the hardware; without it, and why, where that cannot be.

    Raises what `open_container(None)` raises.
    """
    if hardware is None:
        return open_container(None), None
    try:
        return open_container(hardware.accel()), None
    except (FaultError, av.FFmpegError) as error:  # what cannot be read at all says so again
        return open_container(None), HardwareFailedError(reason_of(error))


def reason_of(error: Exception) -> str:
    """An error of FFmpeg's in a few words; of one that became a fault of the file, the first words."""
    if isinstance(error, FaultError):
        return reason_of(error.__cause__) if isinstance(error.__cause__, av.FFmpegError) else error.got
    said: Any = getattr(error, "strerror", None)
    return str(said or error or type(error).__name__)


def running_text(codec: str, hardware: Hardware | None, left: str) -> str:
    """Which decoder runs, for people: "h264 on cuda", "h264 in software (cuda: no such device)"."""
    if hardware is not None:
        return f"{codec} on {hardware.name}"
    return f"{codec} in software ({left})" if left else f"{codec} in software"
