"""Clicks answered by a SAM that runs beside the window: begun by the first click, one embedding a picture."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from engine.faults import FaultCode, FaultError
from engine.jobs.ended import ended
from engine.jobs.process import environment, python
from engine.review.editing.clicks import Click, as_clicked
from engine.review.sam.talk import hear, say
from engine.types import U8

SOURCE = (
    "the folder of a SamModel (https://huggingface.co/facebook/sam-vit-base) or sam_vit_b_01ec64.pth "
    "(https://github.com/facebookresearch/segment-anything), 375 MB, Apache-2.0"
)
SETTING = "review.sam_weights"
ENDS_WITHIN_S = 5.0


class AskedSam:
    """A way to make a mask of clicks. One thread asks; `close` may be called from another one.

    Raises FaultError: no weights, or others than a SAM's, a package is missing, its process is gone.
    """

    def __init__(self, weights: str) -> None:
        path = Path(weights).expanduser()
        if not weights or not path.exists():
            raise _no_weights(weights)
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the process)
        command = python("-m", "engine.review.sam.serve", str(path))
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            env=environment(),
        )
        self._picture: U8 | None = None  # that it has looked at
        self._is_ready = False

    @property
    def pid(self) -> int:
        return self._process.pid

    def __call__(self, picture: U8, before: U8 | None, clicks: Sequence[Click]) -> U8:
        high, wide = picture.shape[:2]
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            if not self._is_ready:
                words, _ = hear(self._process.stdout)
                if "fault" in words:
                    raise _refused(words)
                self._is_ready = True
            rough = b"" if before is None else (before != 0).view(np.uint8).tobytes()
            pixels = b"" if picture is self._picture else _rgb(picture)
            asked = {
                "size": [high, wide],
                "before": before is not None,
                "clicks": [[one.x, one.y, one.inside] for one in clicks],
            }
            say(self._process.stdin, asked, rough + pixels)
            _, data = hear(self._process.stdout)
        except (OSError, EOFError, ValueError) as error:
            raise self._gone() from error
        self._picture = picture
        mask = np.frombuffer(data, np.uint8).reshape(high, wide).copy()
        return as_clicked(mask, clicks)

    def close(self) -> None:
        """It is gone when this returns. Idempotent."""
        self._process.kill()
        self._process.wait(ENDS_WITHIN_S)
        for stream in (self._process.stdin, self._process.stdout, self._said):
            if stream is not None:
                with contextlib.suppress(OSError):  # what was not heard any more
                    stream.close()

    def _gone(self) -> FaultError:
        try:
            code, killed = self._process.wait(ENDS_WITHIN_S), False
        except subprocess.TimeoutExpired:
            self._process.kill()
            code, killed = self._process.wait(), True
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        how = ended(code, lines[-1].strip() if lines else "", asked=killed, killed=killed)
        return FaultError(
            FaultCode.REVIEW,
            expected="an answer of the SAM model",
            got=how.reason,
            remedy="choose it again",
            fatal=False,
            said=f"The SAM model has ended ({how.reason}). Clicks go on by the outline; choose it again for "
            "another try.",
        )


def _rgb(picture: U8) -> bytes:
    return cv2.cvtColor(np.ascontiguousarray(picture[..., :3]), cv2.COLOR_BGR2RGB).tobytes()


def _no_weights(given: str) -> FaultError:
    found = f"there is nothing at {given}" if given else "no weights are given"
    return FaultError(
        FaultCode.REVIEW,
        expected=f"weights of a SAM model ({SETTING})",
        got=found,
        remedy="name them in the settings",
        fatal=False,
        said=f"Clicks go by the outline: for a SAM model {found}. Settings, Weights for clicks: {SOURCE}.",
    )


def _refused(words: dict[str, str]) -> FaultError:
    return FaultError(
        FaultCode.REVIEW,
        expected=words["expected"],
        got=words["got"],
        remedy="name other weights in the settings",
        fatal=False,
        said=f"Clicks go by the outline: {words['said']}",
    )
