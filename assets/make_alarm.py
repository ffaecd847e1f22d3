"""Makes assets/sounds/alarm.wav: `python -m assets.make_alarm`. Two soft notes, a fifth of a second."""

from __future__ import annotations

import math
import struct
import wave
from pathlib import Path

OUT = Path(__file__).parent / "sounds" / "alarm.wav"
RATE_HZ = 22_050
NOTES = ((880.0, 0.09), (1174.7, 0.12))  # Hz, s
FADE_S = 0.012  # at both ends of a note: no click
LOUDNESS = 0.35


def samples() -> list[int]:
    """16 bits, one channel."""
    out: list[int] = []
    for pitch_hz, length_s in NOTES:
        count = round(length_s * RATE_HZ)
        for i in range(count):
            edge_s = min(i, count - 1 - i) / RATE_HZ
            loud = LOUDNESS * min(edge_s / FADE_S, 1.0)
            out.append(round(32767 * loud * math.sin(2 * math.pi * pitch_hz * i / RATE_HZ)))
    return out


def main() -> None:
    OUT.parent.mkdir(exist_ok=True)
    made = samples()
    with wave.open(str(OUT), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(struct.pack(f"<{len(made)}h", *made))


if __name__ == "__main__":
    main()
