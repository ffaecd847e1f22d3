"""Network streams by PyAV with as little buffering as the protocol allows, and recordings behind http."""

from __future__ import annotations

from urllib.parse import urlsplit

import av
from av.codec.hwaccel import HWAccel
from av.container import InputContainer

from engine.faults import FaultCode, FaultError
from engine.sources.base import Source, SourceOptions, without_secrets
from engine.sources.file.decode_choice import hardware_for
from engine.sources.file.video import VideoFile
from engine.sources.live.container_feed import ContainerFeed
from engine.sources.live.datagrams import Datagrams
from engine.sources.live.grabber import LiveSource

OPEN_S = 3.0
READ_S = 1.0
# Joining in the middle, the first picture comes with the next keyframe: senders make one every 1-10 s.
FIRST_PICTURE_S = 10.0

# Everything a demuxer holds back to look better is late here. "low_delay" is left out on purpose: it gives
# B-frames in the wrong order, and slice threads hold nothing back without it.
_LOW_LATENCY = {"fflags": "nobuffer", "max_delay": "0"}
_OPTIONS = {
    "rtsp": {
        **_LOW_LATENCY,
        "rtsp_transport": "tcp",
        "reorder_queue_size": "0",
        "probesize": "32768",
        "analyzeduration": "0",
    },
}
_OPTIONS["rtsps"] = _OPTIONS["rtsp"]
# A transport stream says what it carries only every 100 ms: at 10 Mb/s 32 KB would end before that.
_OTHER = {**_LOW_LATENCY, "probesize": "1000000", "analyzeduration": "500000"}


def open(address: str, options: SourceOptions) -> Source:
    """Open a URL: a live stream, or a recording behind http (played like a file, without seek).

    Raises FaultError URL_UNREACHABLE, SOURCE_UNREADABLE, SOURCE_LOST (connected, but no picture came).
    """
    scheme = urlsplit(address).scheme.lower()
    title = without_secrets(address)
    if scheme in ("http", "https"):
        container = _connect(address, title, _OTHER)
        if container.duration:
            container.close()
            return VideoFile(lambda accel: _connect(address, title, {}, accel), title, title, options, None)
        container.close()
    hardware, refusal = hardware_for(options.decode)
    datagrams = Datagrams(address, READ_S) if scheme == "udp" else None
    feed = ContainerFeed(
        title,
        lambda accel: _connect(address, title, _OPTIONS.get(scheme, _OTHER), accel, datagrams),
        remedy="check the sender and the network",
        hardware=hardware,
        left=refusal,
        datagrams=datagrams,
        lossy=scheme in ("rtsp", "rtsps"),
    )
    silent = FaultError(
        FaultCode.SOURCE_LOST,
        expected=f"a picture from {title} within {FIRST_PICTURE_S:g} s",
        got="a connection without one",
        remedy="check that the sender sends H.264 or H.265 with a keyframe at least every 10 s",
        said=f"{title} is connected, but no picture came within {FIRST_PICTURE_S:g} s. Check that the "
        "sender sends "
        "H.264 or H.265 with a keyframe at least every 10 s.",
    )
    return LiveSource(feed, title, options.colour, OPEN_S + FIRST_PICTURE_S, silent)


def _connect(
    address: str,
    title: str,
    options: dict[str, str],
    accel: HWAccel | None = None,
    datagrams: Datagrams | None = None,
) -> InputContainer:
    where: str | Datagrams = address
    if datagrams is not None:
        _await_first(datagrams, title)
        where = datagrams
    try:
        return av.open(where, mode="r", container_options=options, timeout=(OPEN_S, READ_S), hwaccel=accel)
    except av.FFmpegError as error:
        got, remedy = _reason(error, urlsplit(address).scheme)
        raise FaultError(
            FaultCode.URL_UNREACHABLE,
            expected=f"a video stream at {title}",
            got=got,
            remedy=remedy,
            said=f"No video from {title}: {got}. {remedy[:1].upper()}{remedy[1:]}.",
        ) from error


def _await_first(datagrams: Datagrams, title: str) -> None:
    remedy = "check the address, the sender and the network"
    try:
        datagrams.open()
    except OSError as error:
        got = error.strerror or str(error)
        remedy = "choose another port, or close the program that listens on this one"
    else:
        if datagrams.wait(OPEN_S):
            return
        got = f"no answer in {OPEN_S:g} s"
    raise FaultError(
        FaultCode.URL_UNREACHABLE,
        expected=f"a video stream at {title}",
        got=got,
        remedy=remedy,
        said=f"No video from {title}: {got}. {remedy[:1].upper()}{remedy[1:]}.",
    )


def _reason(error: av.FFmpegError, scheme: str) -> tuple[str, str]:
    match error:
        case av.error.ExitError() | av.error.TimeoutError():
            return f"no answer in {OPEN_S:g} s", "check the address, the sender and the network"
        case av.error.ConnectionRefusedError():
            return "a refused connection", "check the port and that the sender is running"
        case av.error.ProtocolNotFoundError():
            return f"a PyAV that was built without {scheme}", "use rtsp:// or udp://"
        case av.error.HTTPUnauthorizedError() | av.error.HTTPForbiddenError():
            return "a refused login", f"put user and password into the address: {scheme}://user:password@host"
        case av.error.HTTPNotFoundError():
            return "a server that knows no such stream (404)", "check the part after the host"
        case av.error.InvalidDataError():
            return "data that is no video", "check the part after the host"
    return error.strerror or type(error).__name__, "check the address and the network"
