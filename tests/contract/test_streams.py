"""Network streams: real ones over this computer's own network."""

from __future__ import annotations

import functools
import http.server
import socket
import threading
from itertools import pairwise

import pytest

from engine.faults import FaultCode, FaultError
from engine.sources import open_source, parse_source
from tests.fixtures.clips import made, number_in
from tests.fixtures.senders import free_port, rtsp_server, udp_sender


@pytest.fixture(autouse=True)
def short_timeouts(monkeypatch):
    monkeypatch.setattr("engine.sources.live.stream.OPEN_S", 1.5)
    monkeypatch.setattr("engine.sources.live.stream.READ_S", 0.3)


@pytest.fixture(params=[udp_sender, rtsp_server], ids=["udp", "rtsp"])
def sender(request):
    with request.param() as url_and_pull:
        yield url_and_pull


def none_stays(threads):
    """A thread may still be on its way out on a busy computer."""
    for thread in threads:
        thread.join(5)
    return not any(thread.is_alive() for thread in threads)


def until_lost(source):
    try:
        for _ in range(1000):
            source.read()
    except FaultError as error:
        return error
    return None


def test_a_stream_gives_whole_pictures_in_order_and_is_lost_when_the_sender_falls_silent(sender):
    url, pull = sender
    source = open_source(parse_source(url))
    try:
        pictures = [source.read() for _ in range(25)]
        pull()
        lost = until_lost(source)
    finally:
        source.close()

    numbers = [number_in(picture.bgra()) for picture in pictures]
    assert all((later - earlier) % 256 in range(1, 20) for earlier, later in pairwise(numbers))
    assert all(later.pts_s > earlier.pts_s for earlier, later in pairwise(pictures))
    assert source.info.live
    assert lost.code is FaultCode.SOURCE_LOST


def test_a_picture_that_never_came_by_rtsp_damages_all_behind_it_until_the_next_keyframe():
    with rtsp_server(is_lost=lambda rank: rank % 10 == 4) as (url, _):
        source = open_source(parse_source(url))
        try:
            pictures = [source.read() for _ in range(40)]
        finally:
            source.close()

    good = [number_in(picture.bgra()) for picture in pictures if not picture.damaged]
    assert 10 < len(good) < 30
    assert {number % 10 for number in good} <= {0, 1, 2, 3}  # a keyframe every ten, and the fifth one is lost
    assert good == sorted(good)


def test_names_and_passwords_are_not_shown():
    with rtsp_server() as (url, _):
        source = open_source(parse_source(url))
        source.close()

    assert "secret" in url
    assert source.info.title.startswith("rtsp://127.0.0.1:")
    assert source.info.title.endswith("/main")
    assert source.info.id == source.info.title


def test_a_closed_stream_leaves_no_thread():
    with udp_sender() as (url, _):
        before = set(threading.enumerate())
        source = open_source(parse_source(url))

        source.close()

        assert none_stays(set(threading.enumerate()) - before)


@pytest.mark.parametrize("scheme", ["rtsp", "http", "tcp", "rtmp"])
def test_a_port_where_nobody_listens_is_unreachable(scheme):
    url = f"{scheme}://user:secret@127.0.0.1:{free_port(socket.SOCK_STREAM)}/main"

    with pytest.raises(FaultError) as caught:
        open_source(parse_source(url))

    assert caught.value.code is FaultCode.URL_UNREACHABLE
    assert caught.value.got == "a refused connection"
    assert "secret" not in str(caught.value)


def test_silence_is_unreachable(monkeypatch):
    monkeypatch.setattr("engine.sources.live.stream.OPEN_S", 0.2)

    with pytest.raises(FaultError) as caught:
        open_source(parse_source(f"udp://127.0.0.1:{free_port(socket.SOCK_DGRAM)}"))

    assert caught.value.code is FaultCode.URL_UNREACHABLE
    assert caught.value.got == "no answer in 0.2 s"
    assert caught.value.said.endswith(": no answer in 0.2 s. Check the address, the sender and the network.")


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def web_server(tmp_path_factory):
    handler = functools.partial(Quiet, directory=str(made("variable.mp4", tmp_path_factory).parent))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_recording_on_a_web_server_plays_every_picture_and_can_only_start_over(web_server):
    source = open_source(parse_source(f"{web_server}/variable.mp4"))
    try:
        first_round = [number_in(source.read().bgra()) for _ in range(120)]
        at_the_end = source.read()
        source.seek(0)
        again = number_in(source.read().bgra())
        with pytest.raises(FaultError) as caught:
            source.seek(5)
    finally:
        source.close()

    assert first_round == list(range(120))
    assert at_the_end is None
    assert again == 0
    assert caught.value.code is FaultCode.SEEK
    assert not source.info.live


def test_a_page_that_is_not_there_says_404(web_server):
    with pytest.raises(FaultError) as caught:
        open_source(parse_source(f"{web_server}/nothing.mp4"))

    assert "404" in caught.value.got
