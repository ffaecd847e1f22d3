"""A file that one process holds: the system lets go of it when the process ends, however it ends."""

from __future__ import annotations

import contextlib
import errno
import os
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


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the file for as long as the context lasts; then it is gone.

    Raises FaultError OUTPUT when another process holds it, or when it cannot be made.
    """
    try:
        stream = _hold(path)
    except OSError as error:
        if error.errno not in HELD:
            raise output_fault(path.parent, error) from error
        raise FaultError(
            FaultCode.OUTPUT,
            expected=f"to be the only run that writes into {path.parent}",
            got="another one that is still at it",
            remedy="wait until it is through, or choose another folder",
            said=f"Another run is writing into {path.parent}. "
            "Wait until it is through, or choose another folder.",
        ) from error
    with _until_the_end(stream, path):
        yield


@contextmanager
def held_within(path: Path, wait_s: float) -> Iterator[None]:
    """Hold the file, waiting for others that hold it for a moment. Raises OSError, also after `wait_s`."""
    give_up_s = time.monotonic() + wait_s
    while True:
        try:
            stream = _hold(path)
            break
        except OSError as error:
            if error.errno not in HELD or time.monotonic() > give_up_s:
                raise
        time.sleep(TRY_EVERY_S)
    with _until_the_end(stream, path):
        yield


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
                    return stream
        except BaseException:
            stream.close()
            raise
        stream.close()


def _lock(stream: IO[bytes]) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
