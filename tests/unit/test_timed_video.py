"""A video that is written with the times of its source: what becomes of it when the disk is full."""

from __future__ import annotations

import sys
from contextlib import suppress

import numpy as np
import pytest

from engine.analysis.overlay_files import TimedVideo
from engine.faults import FaultError
from engine.types import Size


@pytest.mark.skipif(sys.platform != "linux", reason="has no /dev/full")
def test_a_full_disk_is_told_and_the_process_lives_on(tmp_path):
    path = tmp_path / "clip.mp4"
    path.symlink_to("/dev/full")
    video = TimedVideo(path, Size(64, 48), None, 25.0, 1.0)
    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 4), np.uint8)

    def write() -> None:
        for number in range(1000):
            video.add(number / 25, noise)

    with pytest.raises(FaultError, match=r"clip\.mp4 .*No space left"):
        write()
    with suppress(FaultError):
        video.close()
