"""Which capture devices this computer has."""

from __future__ import annotations

import logging
import re
import sys
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger(__name__)

# What a grabber may be asked for. Uncompressed first: no decoding, no blocks. USB 2 carries 1080p only as
# MJPG, and its rate tells.
PIXEL_FORMATS = ("NV12", "YUYV", "MJPG")

_LINUX_DEVICES = Path("/sys/class/video4linux")


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """`address` is what `parse_source` reads ("v4l2:/dev/video0"), `title` what the maker calls it."""

    address: str
    title: str


def list_devices(
    platform: str = sys.platform, linux_devices: Path = _LINUX_DEVICES
) -> tuple[DeviceInfo, ...]:
    """The devices that give pictures, in the system's order. Opens none of them."""
    if platform.startswith("linux"):
        return _linux(linux_devices)
    scheme = {"win32": "dshow", "darwin": "avfoundation"}.get(platform)
    return _enumerated(scheme) if scheme else ()


def _linux(folder: Path) -> tuple[DeviceInfo, ...]:
    if not folder.is_dir():
        return ()
    devices: list[tuple[int, DeviceInfo]] = []
    for entry in folder.iterdir():
        match = re.fullmatch(r"video(\d+)", entry.name)
        # A camera's second node carries its metadata, not pictures.
        if match is None or _text(entry / "index", "0") != "0":
            continue
        title = _text(entry / "name", entry.name)
        devices.append((int(match[1]), DeviceInfo(f"v4l2:/dev/{entry.name}", title)))
    return tuple(device for _, device in sorted(devices, key=lambda numbered: numbered[0]))


def _text(path: Path, otherwise: str) -> str:
    try:
        return path.read_text(errors="replace").strip() or otherwise
    except OSError:
        return otherwise


def _enumerated(scheme: str) -> tuple[DeviceInfo, ...]:
    import av.device  # not while the window opens

    try:
        found = av.device.enumerate_input_devices(scheme)
    except (av.FFmpegError, ValueError, NotImplementedError) as error:
        log.info("%s cannot list its devices: %s", scheme, error)
        return ()
    return tuple(
        # AVFoundation takes a device's description for its name; DirectShow's name may be an opaque path.
        DeviceInfo(f"{scheme}:{device.description or device.name}", device.description or device.name)
        for device in found
        if not device.media_types or "video" in device.media_types
    )
