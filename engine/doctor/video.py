"""Where pictures come from: decoders and capture devices."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from engine.doctor.check_result import CheckResult, Level
from engine.doctor.computing import Steps, probe

_NEEDED = ("h264", "hevc", "mjpeg")  # recorders, newer recorders, USB grabbers
_WANTED = ("mpeg4", "mpeg2video", "vp9", "av1", "prores", "rawvideo")


def decoders(ask_probe: Callable[[], Steps] = lambda: probe("decoders")) -> CheckResult:
    """Which codecs PyAV reads."""
    steps, answer = ask_probe()
    if not steps:
        return CheckResult(
            "decoders", Level.FAIL, f"PyAV does not work: {answer.reason}", "pip install 'av>=17,<19'"
        )
    facts = steps[0]
    there = set(facts["codecs"])
    text = f"PyAV {facts['version']} (FFmpeg {facts['ffmpeg']}): " + ", ".join(
        name for name in (*_NEEDED, *_WANTED) if name in there
    )
    for names, level in ((_NEEDED, Level.FAIL), (_WANTED, Level.WARN)):
        if missing := [name for name in names if name not in there]:
            return CheckResult(
                "decoders",
                level,
                f"{text}; without {', '.join(missing)}",
                "install PyAV from its own wheel: pip install --force-reinstall --only-binary av av",
            )
    return CheckResult("decoders", Level.OK, text)


def hardware_decoders(ask_probe: Callable[[], Steps] = lambda: probe("decoders")) -> CheckResult:
    """Which hardware decodes H.264 here, in software's colours; none is no failure."""
    steps, answer = ask_probe()
    told = [step for step in steps if "hardware" in step]
    text = "; ".join(
        f"{step['hardware']}: {step['refusal'] or 'works, in the colours of software'}" for step in told
    )
    if answer.code != 0:
        return CheckResult(
            "hardware decoding",
            Level.WARN,
            f"{text}; the next one: {answer.reason}" if text else answer.reason,
            "stay with --decode software, or install that hardware's driver again",
        )
    default = "software decodes unless --decode says otherwise"
    return CheckResult("hardware decoding", Level.OK, f"{text}; {default}" if text else f"none; {default}")


def capture(devices: Callable[[], Sequence[tuple[str, str]]] | None = None) -> CheckResult:
    """Capture devices, none of them opened: (address, title)."""
    found = (devices or _devices)()
    if not found:
        return CheckResult("capture devices", Level.OK, "none is connected")
    text = ", ".join(f"{address} ({title})" for address, title in found)
    refused = [address for address, _ in found if not _may_use(address)]
    if refused:
        return CheckResult(
            "capture devices",
            Level.WARN,
            f"{text}; no permission to use {', '.join(refused)}",
            "add this user to the group video and log in again",
        )
    return CheckResult("capture devices", Level.OK, text)


def _devices() -> list[tuple[str, str]]:
    from engine.sources.live.devices import list_devices

    return [(device.address, device.title) for device in list_devices()]


def _may_use(address: str) -> bool:
    node = Path(address.removeprefix("v4l2:"))
    if not sys.platform.startswith("linux") or not address.startswith("v4l2:"):
        return True
    return os.access(node, os.R_OK | os.W_OK)
