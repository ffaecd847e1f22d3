"""`python -m engine.bench.sender CLIP URL`: sends a clip again and again in real time, as an encoder does."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import av

from engine.bench.clips import repeated_packets


def send(clip: Path, url: str) -> None:
    """H.264 of `clip` as MPEG-TS to `url` (udp://host:port), packet by packet when it is due. Never returns.

    The clip has no B-frames. Raises OSError and av.FFmpegError.
    """
    with av.open(f"{url}?pkt_size=1316", "w", format="mpegts") as output:
        target = None
        started_s = time.monotonic()
        for stream, packet in repeated_packets(clip, None):
            assert packet.dts is not None
            due_s = started_s + float(packet.dts * packet.time_base)
            packet.stream = target = target or output.add_stream_from_template(stream)
            time.sleep(max(0.0, due_s - time.monotonic()))
            output.mux(packet)


if __name__ == "__main__":
    send(Path(sys.argv[1]), sys.argv[2])
