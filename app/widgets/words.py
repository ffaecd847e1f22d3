"""How times, rates and states are said. Pure."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable

from engine.live.mask_choice import MASK_AGE_LIMIT_S
from engine.types import AiState, Incident, Presentation, RuntimeInfo, Snapshot, SourceInfo, SourceState

RESEARCH_ONLY = "Research use only. Not a medical device."
RUNTIME_NAMES = {
    "openvino": "OpenVINO",
    "tensorrt": "TensorRT",
    "cuda": "CUDA",
    "eager": "PyTorch (eager)",
    "auto": "Automatic",
}


def clock(seconds: float) -> str:
    """Media time as h:mm:ss.mmm."""
    millis = max(0, round(seconds * 1000))
    whole, rest = divmod(millis, 1000)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}.{rest:03}"


def duration(seconds: float) -> str:
    """A length as h:mm:ss."""
    whole = max(0, round(seconds))
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def short_clock(seconds: float) -> str:
    """Media time for a word over the picture: "1:02.5", "1:00:00.0"."""
    tenths = max(0, round(seconds * 10))
    whole, rest = divmod(tenths, 10)
    hours = f"{whole // 3600}:{whole // 60 % 60:02}" if whole >= 3600 else f"{whole // 60}"
    return f"{hours}:{whole % 60:02}.{rest}"


def speed(value: float) -> str:
    """Such as "1x", "0.5x", "−2x"."""
    return f"{'−' if value < 0 else ''}{abs(value):g}x"


def jump(by_s: float) -> str:
    """Such as "+5 s", "−1 min"."""
    amount = f"{abs(by_s) / 60:g} min" if abs(by_s) >= 60 else f"{abs(by_s):g} s"
    return f"{'−' if by_s < 0 else '+'}{amount}"


def source_line(info: SourceInfo | None, *, named: bool = True) -> str:
    """Title, size, rate: "clip.mp4 · 1920×1080 · 25 Hz"; and the decoder where it is not plain software."""
    if info is None:
        return ""
    parts = [info.title] if named else []
    parts.append(f"{info.width_px}×{info.height_px}")
    if info.rate_hz:
        parts.append(f"{info.rate_hz:.4g} Hz")
    if " on " in info.decoder or "(" in info.decoder:
        parts.append(info.decoder)
    return " · ".join(parts)


def stage_p50_ms(snapshot: Snapshot, stage: str) -> float | None:
    """Median of one stage, None before its first sample."""
    return next((s.p50_ms for s in snapshot.stats.stages if s.name == stage), None)


def numbers_line(snapshot: Snapshot) -> str:
    """What runs now: "OpenVINO bf16 · 9 ms · 25.0 fps · 0 dropped"; empty while nothing does."""
    stats = snapshot.stats
    if snapshot.presentation is None or not stats.shown:
        return ""
    parts = []
    if snapshot.runtime is not None and snapshot.ai_state is AiState.ON:
        parts.append(executing(snapshot.runtime))
    lag_ms = stage_p50_ms(snapshot, "due to painted")
    if snapshot.source_state is SourceState.RUNNING:  # a picture that stands has no rate
        if lag_ms is not None:
            parts.append(f"{lag_ms:.0f} ms")
        if stats.shown_hz:
            parts.append(f"{stats.shown_hz:.1f} fps")
    parts.append(f"{stats.dropped} dropped")
    return " · ".join(parts)


def executing(runtime: RuntimeInfo) -> str:
    """What executes the network, and how: "OpenVINO bf16"."""
    return f"{RUNTIME_NAMES.get(runtime.name, runtime.name)} {runtime.precision}"


def runtime_line(runtime: RuntimeInfo | None) -> str:
    """What executes the network: "OpenVINO bf16 · AMD EPYC · 2 threads"."""
    if runtime is None:
        return ""
    parts = [executing(runtime), runtime.device]
    if runtime.threads:
        parts.append(f"{runtime.threads} thread{'s' if runtime.threads != 1 else ''}")
    return " · ".join(parts)


def readiness(snapshot: Snapshot | None) -> tuple[str, str]:
    """One line for the start page, and its tone: "good", "attention", "fault" or "secondary"."""
    if snapshot is None or snapshot.ai_state is AiState.LOADING:
        return "Preparing the model…", "secondary"
    if snapshot.ai_state is AiState.ON:
        return f"Ready: {snapshot.model_id} · {runtime_line(snapshot.runtime)}", "good"
    if snapshot.ai_state is AiState.FAULT:
        return f"No marks will be drawn: {snapshot.ai_reason}", "fault"
    return f"AI is off: {snapshot.ai_reason}", "attention"


FROZEN = ("Picture frozen by you; the stream goes on", "attention")
LATE = ("The mask of this picture is not there yet, or too old to be drawn", "attention")


def unmarked(snapshot: Snapshot) -> tuple[str, str] | None:
    """Why no marks are drawn, and its tone; None while they would be. Never like "nothing found"."""
    if snapshot.ai_state is AiState.FAULT:
        return "AI fault: nothing is marked in this picture", "fault"
    if snapshot.ai_state is AiState.OFF:
        return "AI is off: nothing is marked in this picture", "attention"
    if snapshot.ai_state is AiState.LOADING:
        return "AI is starting: nothing is marked yet", "attention"
    shown = snapshot.presentation
    if shown is not None and shown.frame.damaged:
        return "Parts of this picture are missing: it is not marked", "attention"
    if shown is not None and shown.result is None:
        return LATE
    return None


def beside_the_word(shown: Presentation | None) -> str:
    """What is wrong just now: "Marks 80 ms late · View: too dark"; empty when nothing is."""
    if shown is None:
        return ""
    view = shown.result.view if shown.result is not None else ()
    parts = [late(shown.late_s), f"View: {', '.join(view)}" if view else ""]
    return " · ".join(part for part in parts if part)


def late(late_s: float | None) -> str:
    """What stands beside the word while masks are late: "Marks 90 ms late"; empty while they are on time."""
    if late_s is None:
        return ""
    if math.isinf(late_s):
        return f"Marks over {MASK_AGE_LIMIT_S * 1000:.0f} ms late"
    return f"Marks {math.ceil(late_s * 100 - 1e-6) * 10} ms late"


def preparing(snapshot: Snapshot) -> str:
    """What is being made ready: "polyp-accurate-6 is being made ready…"; empty while nothing is."""
    chosen, running = snapshot.preparing, snapshot.running
    if chosen is None:
        return ""
    name = chosen.model_dir.name
    if running is not None and running.model_dir == chosen.model_dir:
        parts = [runtime_name(chosen.runtime)] + ([chosen.precision] if chosen.precision != "auto" else [])
        name = " ".join(parts)
    return f"{name} is being made ready…"


def runtime_name(name: str) -> str:
    """Of a runtime, with its device: "OpenVINO on GPU"."""
    known, _, device = name.partition(":")
    return RUNTIME_NAMES.get(known, known) + (f" on {device}" if device else "")


def joined(hints: Iterable[tuple[str, str] | None]) -> tuple[str, str] | None:
    """Several hints as one line; a fault's tone comes before the others."""
    said = [hint for hint in hints if hint is not None]
    if not said:
        return None
    tones = [tone for _, tone in said]
    return ". ".join(text for text, _ in said), "fault" if "fault" in tones else tones[0]


def incident(happened: Incident) -> str:
    """A line of the session's log: "14:03:12 to 14:03:27 (15.0 s): No signal from capture:0"."""
    ahead_s = time.time() - time.monotonic()

    def at(monotonic_s: float) -> str:
        return time.strftime("%H:%M:%S", time.localtime(ahead_s + monotonic_s))

    if happened.to_s is None:
        return f"Since {at(happened.from_s)}: {happened.what}"
    lasted_s = happened.to_s - happened.from_s
    return f"{at(happened.from_s)} to {at(happened.to_s)} ({lasted_s:.1f} s): {happened.what}"
