"""`python -m engine.bench.sender CLIP URL`: sends a clip again and again in real time, as an encoder does."""

from __future__ import annotations

import sys
import time

import av


def send(clip: str, url: str) -> None:
    """H.264 of `clip` as MPEG-TS to `url` (udp://host:port), packet by packet when it is due. Never returns.

    The clip has no B-frames. Raises av.FFmpegError.
    """
    with av.open(clip) as source, av.open(f"{url}?pkt_size=1316", "w", format="mpegts") as output:
        stream = source.streams.video[0]
        target = output.add_stream_from_template(stream)
        started_s, offset = time.monotonic(), 0
        while True:
            end = 0
            for packet in source.demux(stream):
                if packet.pts is None or packet.dts is None:
                    continue
                end = max(end, packet.pts + (packet.duration or 0))
                packet.pts, packet.dts = packet.pts + offset, packet.dts + offset
                due_s = started_s + float(packet.dts * packet.time_base)
                time.sleep(max(0.0, due_s - time.monotonic()))
                packet.stream = target
                output.mux(packet)
            offset += end
            source.seek(0)


if __name__ == "__main__":
    send(*sys.argv[1:])
