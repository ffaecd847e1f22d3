"""A file that one process holds: the system lets go of it when the process ends, however it ends."""

from __future__ import annotations

import contextlib
import errno
import os
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from engine.faults import FaultCode, FaultError
from engine.files.whole import output_fault

HELD = frozenset({errno.EACCES, errno.EAGAIN, errno.EDEADLK})
TRY_EVERY_S = 0.02
SIGN_BYTES = 200
LOOKING_S = 0.05  # somebody asks for the `holder`


@contextmanager
def held(path: Path, busy: FaultError | None = None) -> Iterator[None]:
    """Hold the file for as long as the context lasts; then it is gone.

    Raises `busy`, by default FaultError OUTPUT of a run that writes into the folder, when another process
    holds it, and FaultError OUTPUT when it cannot be made.
    """
    try:
        stream = _hold_within(path, LOOKING_S)
    except OSError as error:
        if error.errno not in HELD:
            raise output_fault(path.parent, error) from error
        raise (busy or _busy(path)) from error
    with _until_the_end(stream, path):
        yield


@contextmanager
def held_within(path: Path, wait_s: float) -> Iterator[None]:
    """Hold the file, waiting for others that hold it for a moment. Raises OSError, also after `wait_s`."""
    stream = _hold_within(path, wait_s)
    with _until_the_end(stream, path):
        yield


def holder(path: Path) -> int | None:
    """The process that holds the file; None: nobody, 0: somebody who cannot be named. Raises OSError."""
    try:
        with path.open("rb" if sys.platform != "win32" else "r+b") as stream:
            try:
                _lock(stream, shared=True)
            except OSError as error:
                if error.errno not in HELD:
                    raise
                told = b"" if sys.platform == "win32" else stream.read(SIGN_BYTES)
                number, _, host = told.strip().partition(b" ")
                return int(number) if number.isdigit() and host == _host() else 0
            return None  # one who was killed left it
    except FileNotFoundError:
        return None


def _busy(path: Path) -> FaultError:
    with contextlib.suppress(OSError):
        if number := holder(path):
            return _busy_with(path, f" (process {number})")
    return _busy_with(path, "")


def _busy_with(path: Path, who: str) -> FaultError:
    return FaultError(
        FaultCode.OUTPUT,
        expected=f"to be the only run that writes into {path.parent}",
        got=f"another one that is still at it{who}",
        remedy="wait until it is through, or choose another folder",
        said=f"Another run is writing into {path.parent}{who}. "
        "Wait until it is through, or choose another folder.",
    )


def _hold_within(path: Path, wait_s: float) -> IO[bytes]:
    give_up_s = time.monotonic() + wait_s
    while True:
        try:
            return _hold(path)
        except OSError as error:
            if error.errno not in HELD or time.monotonic() > give_up_s:
                raise
        time.sleep(TRY_EVERY_S)


@contextmanager
def _until_the_end(stream: IO[bytes], path: Path) -> Iterator[None]:
    try:
        yield
    finally:
        if sys.platform != "win32":  # while it is held: nobody else's can be removed
            path.unlink(missing_ok=True)
        stream.close()
        if sys.platform == "win32":  # an open file cannot be removed there, and one that is held neither
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


def _hold(path: Path) -> IO[bytes]:
    while True:
        stream = path.open("ab")
        try:
            _lock(stream)
            # The one who held it before may have removed it between the two lines above.
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(stream.fileno()), path.stat()):
                    _sign(stream)
                    return stream
        except BaseException:
            stream.close()
            raise
        stream.close()


def _lock(stream: IO[bytes], shared: bool = False) -> None:
    """`shared`: with others who only look, where the system knows that."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(stream, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)


def _sign(stream: IO[bytes]) -> None:
    """Who holds it; not on Windows, where the byte that is locked depends on what stands before it."""
    if sys.platform != "win32":
        with contextlib.suppress(OSError):  # a full disk: it is held all the same
            os.ftruncate(stream.fileno(), 0)
            os.write(stream.fileno(), b"%d %s\n" % (os.getpid(), _host()))


def _host() -> bytes:
    """On a network drive the number is that of a process elsewhere."""
    return platform.node().encode()[: SIGN_BYTES - 20]
