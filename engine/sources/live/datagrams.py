"""A stream over UDP: one thread takes datagrams from the socket, the demuxer reads them like a file."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections import deque
from ipaddress import ip_address
from urllib.parse import parse_qs, urlsplit

from engine.sources.live.continuity import Continuity

_BUFFER_BYTES = 4 * 2**20  # of the socket, as much of it as the system allows
_KEPT = 8192  # datagrams: some ten seconds of 8 Mb/s; after that the oldest go, and are missed
_DATAGRAM_BYTES = 65536
_LOOK_S = 0.1


class Datagrams:
    """What `av.open` reads. `stop` may come from any thread; all but that is for the one that opens it.

    `silent_s`: `read` gives the end of the stream after so long without a datagram.
    """

    def __init__(self, address: str, silent_s: float) -> None:
        self.continuity = Continuity()
        self._address = address
        self._silent_s = silent_s
        self._stopped = threading.Event()
        self._changed = threading.Condition()
        self._waiting: deque[bytes] = deque(maxlen=_KEPT)
        self._rest = b""
        self._offset = 0
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        """Listen from now on. Raises OSError where the port cannot be listened to."""
        if self._thread is None:
            sock = _listening(self._address)
            name = f"datagrams of port {sock.getsockname()[1]}"
            self._thread = threading.Thread(target=self._receive, args=(sock,), name=name, daemon=True)
            self._thread.start()

    def wait(self, timeout_s: float) -> bool:
        """Whether something came within `timeout_s`."""
        ends_s = time.monotonic() + timeout_s
        with self._changed:
            while not self._waiting and not self._stopped.is_set():
                if (left_s := ends_s - time.monotonic()) <= 0:
                    return False
                self._changed.wait(min(left_s, _LOOK_S))
            return bool(self._waiting)

    def read(self, size_bytes: int) -> bytes:
        """What comes next, at most `size_bytes`; empty at the end."""
        if not self._rest:
            if not self.wait(self._silent_s) or self._stopped.is_set():
                return b""
            with self._changed:
                self._rest = self._waiting.popleft()
            self.continuity.take(self._rest, self._offset, time.monotonic())
            self._offset += len(self._rest)
        data, self._rest = self._rest[:size_bytes], self._rest[size_bytes:]
        return data

    def stop(self) -> None:
        """Let `wait` and `read` come back, and the thread close its socket."""
        self._stopped.set()

    def close(self) -> None:
        """Free the port."""
        self.stop()
        if self._thread is not None:
            self._thread.join()

    def _receive(self, sock: socket.socket) -> None:
        with sock:
            sock.settimeout(_LOOK_S)
            while not self._stopped.is_set():
                try:
                    datagram = sock.recv(_DATAGRAM_BYTES)
                except (TimeoutError, ConnectionError):
                    continue
                except OSError:
                    return
                with self._changed:
                    self._waiting.append(datagram)
                    self._changed.notify()


def _listening(address: str) -> socket.socket:
    """A socket bound to the address's port, and a member of its group where it names one."""
    parts = urlsplit(address)
    host, port = (parts.hostname or "").lstrip("@"), parts.port or 0
    local = parse_qs(parts.query).get("localaddr", [""])[0]
    group = None
    with contextlib.suppress(ValueError):
        group = ip_address(host)
    is_v6 = group is not None and group.version == 6
    sock = socket.socket(socket.AF_INET6 if is_v6 else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        if group is not None and group.is_multicast:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(("", port))
            if is_v6:
                member = group.packed + struct.pack("@I", 0)
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, member)
            else:
                member = group.packed + ip_address(local or "0.0.0.0").packed
                sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        else:
            sock.bind((local, port))
    except OSError:
        sock.close()
        raise
    return sock
