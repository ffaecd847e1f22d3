"""Where pictures come from. To add a kind: one module with `open(address, options)`, one line in SOURCES."""

from __future__ import annotations

import re
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from engine.faults import FaultCode, FaultError
from engine.sources.base import Source, SourceOptions, SourceSpec
from engine.sources.what_is_there import exists, expanded
from engine.table import Entry, load_named

SOURCES: dict[str, Entry] = {
    "file": Entry("engine.sources.recording:open", summary="a video file"),
    "images": Entry("engine.sources.images:open", summary="a folder of pictures, or one picture"),
    "capture": Entry("engine.sources.live.capture:open", summary="a capture card, grabber or camera"),
    "stream": Entry("engine.sources.live.stream:open", summary="a network stream"),
    "joined": Entry("engine.sources.joined:open", summary="files of one recording, one after another"),
    "demo": Entry("engine.sources.demo:open", summary="the demonstration that comes with the program"),
}
LIVE_KINDS = frozenset({"capture", "stream"})  # what can be told before it is open

# Files with other names are opened as videos as well when they are named; a folder looks into them.
VIDEO_SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".qt", ".mkv", ".mk3d", ".webm", ".avi", ".divx", ".xvid", ".3gp", ".3g2"}
    | {".ts", ".m2t", ".mts", ".m2ts", ".trp", ".mpg", ".mpeg", ".mpe", ".m2p", ".m1v", ".m2v", ".mpv"}
    | {".vob", ".mod", ".tod", ".dv", ".asf", ".wmv", ".wm", ".flv", ".f4v", ".ogv", ".ogm", ".mxf", ".gxf"}
    | {".h264", ".264", ".avc", ".h265", ".265", ".hevc", ".ivf", ".obu", ".mjpg", ".mjpeg", ".y4m", ".nut"}
    | {".gif", ".apng", ".rm", ".rmvb", ".dcm", ".dicom"}
)
IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".png", ".tif", ".tiff", ".bmp", ".webp"})
STREAM_SCHEMES = frozenset({"rtsp", "rtsps", "rtmp", "rtmps", "http", "https", "udp", "srt", "tcp"})
_NEED_PORT = frozenset({"udp", "srt", "tcp"})  # the others have a usual one
# "capture:0" is a number that OpenCV counts; "lavfi:" draws its own pictures, for tests without a device.
CAPTURE_SCHEMES = frozenset({"v4l2", "dshow", "avfoundation", "capture", "lavfi"})

SEPARATOR = "\n"  # between the files of one recording
# Two letters at least: "C:" is a drive.
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(.*)", re.DOTALL)


def parse_source(text: str) -> SourceSpec:
    """What a person typed, dropped or picked, as kind and address. Looks at the disk only to tell a folder.

    Whether a file, device or server exists is found out by `open_source`.
    Raises FaultError ARGUMENT for what cannot be any source.
    """
    text = text if text.strip() and exists(Path(text)) else text.strip()
    if SEPARATOR in text and all(exists(Path(part)) for part in text.split(SEPARATOR)):
        return SourceSpec("joined", text)
    if not text:
        raise _nonsense("an empty text", "name a video file, a folder, a device or a URL")
    match = _SCHEME.fullmatch(text)
    if match and not exists(Path(text)):
        scheme, rest = match[1].lower(), match[2]
        if scheme == "demo":
            return SourceSpec("demo", "")
        if scheme == "file":
            return _path_spec(Path(unquote(urlsplit(text).path)))
        if scheme in CAPTURE_SCHEMES:
            if not rest:
                raise _nonsense(f"{text!r} without a device", _DEVICE_EXAMPLES[scheme])
            return SourceSpec("capture", f"{scheme}:{rest}")
        if rest.startswith("//"):
            return _stream_spec(text, scheme)
    if re.fullmatch(r"/dev/video\d+", text):
        return SourceSpec("capture", f"v4l2:{text}")
    return _path_spec(expanded(text))


def open_source(spec: SourceSpec, options: SourceOptions | None = None) -> Source:
    """Open what `parse_source` understood. Raises FaultError."""
    opened: Source = load_named(SOURCES, spec.kind, "source")(spec.address, options or SourceOptions())
    return opened


_DEVICE_EXAMPLES = {
    "v4l2": "write v4l2:/dev/video0",
    "dshow": "write dshow: and the device's name, such as dshow:USB Video",
    "avfoundation": "write avfoundation:0, or the device's name",
    "capture": "write capture:0 for the first device",
    "lavfi": "write a filter graph",
}


def _path_spec(path: Path) -> SourceSpec:
    is_pictures = (exists(path) and path.is_dir()) or path.suffix.lower() in IMAGE_SUFFIXES
    return SourceSpec("images" if is_pictures else "file", str(path))


def _stream_spec(text: str, scheme: str) -> SourceSpec:
    if scheme not in STREAM_SCHEMES:
        raise _nonsense(f"{scheme}:// in {text!r}", f"use one of {', '.join(sorted(STREAM_SCHEMES))}")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise _nonsense(f"{text!r} ({error})", "write the address as rtsp://host:port/path") from error
    if not parts.hostname and not (scheme == "udp" and port):
        raise _nonsense(f"{text!r} without a host", f"write the address as {scheme}://host:port/path")
    if not port and scheme in _NEED_PORT:
        raise _nonsense(f"{text!r} without a port", f"write the address as {scheme}://host:port")
    if scheme == "udp" and (local := parse_qs(parts.query).get("localaddr")):
        try:
            ip_address(local[0])
        except ValueError as error:
            raise _nonsense(f"{text!r} ({error})", "write this computer's own address there") from error
    return SourceSpec("stream", text)


def _nonsense(got: str, remedy: str) -> FaultError:
    return FaultError(
        FaultCode.ARGUMENT,
        expected="a video file, a folder of pictures, a device (v4l2:/dev/video0) or a URL (rtsp://...)",
        got=got,
        remedy=remedy,
        said=f"{got[0].upper() + got[1:] if got.startswith('an ') else got} is no source: {remedy}. "
        "A source is a video file, a folder of pictures, a device (v4l2:/dev/video0) or a URL (rtsp://...).",
    )
