"""A seal that only this user can set: whoever may write into the cache cannot make what is loaded from it."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
import stat
from pathlib import Path

from engine.files.whole import user_data

KEY_BYTES = 32
OTHERS_WRITE = 0o022
OTHERS = 0o077


def seal_of(data: bytes) -> str:
    """HMAC-SHA256 under this user's key, which is made when there is none that is private.

    Raises OSError where none can be kept.
    """
    return hmac.new(_key(), data, hashlib.sha256).hexdigest()


def is_sealed(data: bytes, seal: object) -> bool:
    """Whether `seal` is of this data and of this user."""
    return isinstance(seal, str) and hmac.compare_digest(seal_of(data).encode(), seal.encode())


def make_private(folder: Path) -> None:
    """Make the folder, for this user alone. Raises OSError where it is another user's."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.name == "posix" and not is_private(folder, OTHERS):
        folder.chmod(0o700)


def is_private(path: Path, others: int = OTHERS_WRITE) -> bool:
    """Whether it is this user's, no link, and others have none of these rights; on Windows, always."""
    if os.name != "posix":
        return True
    status = path.lstat()
    return not stat.S_ISLNK(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & others


def _key() -> bytes:
    path = user_data() / "private" / "cache.key"
    make_private(path.parent)
    with contextlib.suppress(FileNotFoundError):
        if is_private(path, OTHERS) and len(key := path.read_bytes()) == KEY_BYTES:
            return key
        path.unlink()  # known to others, or cut: what it sealed is made again
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(secrets.token_bytes(KEY_BYTES))
    try:
        os.link(aside, path)
    except FileExistsError:
        pass  # another process was first: its key holds
    except OSError:
        aside.replace(path)  # a file system without hard links
    finally:
        aside.unlink(missing_ok=True)
    return path.read_bytes()
