"""One changed byte in a recording: it is read whole, its faults are said, or it is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter

import pytest

from tests.fixtures.clips import Clip, constant, write
from tests.fixtures.models import red_model

FRAMES = 60
FLIPS = 200
AT_ONCE = 20
LIMIT_S = 300
RIGHT = {"whole", "incomplete, said", "refused"}
# The byte is one of the edit list or of a time beside it: a sound file that shows less looks the same.
SAYS_SO = {("flipped.mp4", 37), ("flipped.mp4", 188)}
# Lost and not told: two pictures at the end of a Matroska cluster, one chunk of an AVI with B-frames.
KNOWN_MISSES = {("flipped.mkv", 188), ("flipped.avi", 3)}
CLIPS = (
    Clip("flipped.mp4", constant(FRAMES)),
    Clip("flipped.mkv", constant(FRAMES)),
    Clip("flipped.ts", constant(FRAMES)),
    Clip("flipped.avi", constant(FRAMES), codec="mpeg4"),
)

pytestmark = pytest.mark.fuzz


@pytest.mark.parametrize("clip", CLIPS, ids=lambda clip: clip.name)
def test_a_changed_byte_is_survived_and_nothing_is_missing_in_silence(clip, tmp_path, capsys):
    path, model = write(clip, tmp_path), red_model(tmp_path / "models")
    answers = []
    for first in range(0, FLIPS, AT_ONCE):
        span = (str(first), str(min(first + AT_ONCE, FLIPS)), str(FRAMES))
        command = [sys.executable, "-m", "tests.fuzz.flips", path, model, tmp_path, *span]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LIMIT_S)
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        if done.returncode:
            lines.append(
                {"seed": first + len(lines), "kind": f"crash {done.returncode}", "error": done.stderr}
            )
        answers += lines

    counts = Counter(answer["kind"] for answer in answers)
    with capsys.disabled():
        print(f"\n{clip.name}: " + ", ".join(f"{kind} {count}" for kind, count in counts.most_common()))
    wrong = [answer for answer in answers if answer["kind"] not in RIGHT]
    assert [one for one in wrong if (clip.name, one["seed"]) not in SAYS_SO | KNOWN_MISSES] == []
    assert len(answers) == FLIPS
