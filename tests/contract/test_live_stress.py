"""Live sources are opened again and again while their senders end, in a process of its own: it must live."""

from __future__ import annotations

import subprocess
import sys

import pytest

STRESS = """
import io, socket, sys, threading
from fractions import Fraction
import av, numpy as np
from av.video.frame import VideoFrame
import engine.sources.live.grabber, engine.sources.live.stream as stream
from engine.faults import FaultError
from engine.sources import open_source, parse_source

sys.setswitchinterval(1e-6)
stream.OPEN_S, stream.READ_S, stream.FIRST_PICTURE_S = 1.0, 0.3, 0.5
small = np.random.default_rng(0).integers(0, 255, (30, 40, 3), dtype=np.uint8)
picture = small.repeat(8, 0).repeat(8, 1)
film = io.BytesIO()
with av.open(film, "w", format="mpegts") as out:
    track = out.add_stream("libx264", rate=25, options={"tune": "zerolatency", "preset": "ultrafast"})
    track.width, track.height, track.pix_fmt = 320, 240, "yuv420p"
    track.codec_context.gop_size = 5
    for number in range(40):
        frame = VideoFrame.from_ndarray(np.roll(picture, number, 1), format="rgb24")
        frame.pts, frame.time_base = number, Fraction(1, 25)
        out.mux(track.encode(frame))
    out.mux(track.encode(None))
data = film.getvalue()
http = b"HTTP/1.0 200 OK\\r\\nContent-Type: video/mp2t\\r\\n\\r\\n"

def serve(listener, served=0):
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            try:
                if scheme == "http":
                    connection.recv(4096)
                served += 1
                end = len(data) * (50 + served % 50) // 100
                connection.sendall((http if scheme == "http" else b"") + data[:end])
            except OSError:
                pass

opened = 0
for scheme in ("tcp", "http"):
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=serve, args=(listener,), daemon=True).start()
    for _ in range(int(sys.argv[1])):
        try:
            source = open_source(parse_source(f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"))
        except FaultError:
            continue
        opened += 1
        try:
            while source.read() is not None:
                source.info.decoder
        except FaultError:
            pass
        source.close()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
print(opened)
"""


def opens(times_each: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", STRESS, str(times_each)], capture_output=True, text=True, timeout=550
    )


def test_a_sender_that_ends_right_after_its_first_pictures_does_not_end_the_program():
    done = opens(30)

    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 0


@pytest.mark.slow
def test_hundreds_of_such_senders_do_not_end_the_program_either():
    done = opens(200)

    assert done.returncode == 0, done.stderr
