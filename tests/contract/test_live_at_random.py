"""Whatever a person does, in any order: no mark of another picture, none outside the field, no error."""

from __future__ import annotations

import random
import threading
import time

import av
import cv2
import numpy as np
import pytest

from engine.faults import FaultCode
from engine.live.mask_choice import MASK_AGE_LIMIT_S
from engine.live.pipeline import Pipeline
from engine.model_folder import load_model_folder
from engine.sources.base import SourceOptions, SourceSpec
from engine.types import AiState, Field, Form, Loop, Pacing, Rect, TrackState
from engine.view.outline import silhouette
from tests.fixtures.recorder import RATE_HZ, following_model, recorder_clip

SECONDS = 20.0
FRAMES = 100
TOLERANCE_PX = 9  # two cells of a small map on the picture
LEAST_RED_FRAC = 0.35

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """A recorder's screen as MP4 and as a transport stream, and one whose size changes in the middle."""
    folder = tmp_path_factory.mktemp("clips")
    made = [recorder_clip(folder / name, FRAMES, range(10, 60), flash=70) for name in ("a.mp4", "a.ts")]
    small = folder / "small.ts"
    with av.open(str(made[0])) as source, av.open(str(small), "w") as target:
        stream = target.add_stream("libx264", rate=RATE_HZ, options={"crf": "10", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 480, 270, "yuv420p"
        for frame in source.decode(video=0):
            target.mux(stream.encode(frame.reformat(480, 270)))
        target.mux(stream.encode())
    both = folder / "both.ts"
    both.write_bytes(made[1].read_bytes() + small.read_bytes())
    return [*made, both]


class Person:
    """Looks at everything that is shown, and does what chance tells."""

    def __init__(self, clips, models, seed):
        self.chance = random.Random(seed)
        self.clips, self.models = clips, models
        self.points = list(load_model_folder(models[0]).card.points.values())
        self.bell = threading.Event()
        self.pipeline = Pipeline(self.bell.set)
        self.wrong = []
        self.marked = 0
        self.last = None

    def look(self):
        self.bell.wait(0.02)
        self.bell.clear()
        snapshot = self.pipeline.snapshot()
        self.wrong += [fault.detail for fault in snapshot.faults if fault.code is FaultCode.INTERNAL]
        shown = snapshot.presentation
        if shown is None or shown is self.last:
            return
        self.last = shown
        if shown.result is not None:
            self.marked += bool(shown.result.components)
            self.wrong += wrong_in(shown)
        now_s = time.monotonic()
        self.pipeline.painted(shown, now_s, now_s)

    def act(self):
        chance, pipeline = self.chance, self.pipeline
        at_s = chance.uniform(-1.0, FRAMES / RATE_HZ + 1.0)
        by_hand = Field(Rect(chance.randrange(500), chance.randrange(300), 200, 160), Form.OCTAGON, 0.2)
        clip = SourceSpec("file", str(chance.choice(self.clips)))
        actions = {
            "open": lambda: pipeline.open(clip, SourceOptions(), chance.choice([None, Pacing.EVERY])),
            "play": pipeline.play,
            "play on": pipeline.play,
            "pause": pipeline.pause,
            "seek": lambda: pipeline.seek(at_s),
            "step": lambda: pipeline.step(chance.choice([1, -1, 6])),
            "speed": lambda: pipeline.set_speed(chance.choice([1.0, 1.0, -1.0, 4.0, 0.3])),
            "loop": lambda: pipeline.set_loop(chance.choice([None, Loop(at_s, at_s + 0.5)])),
            "region": lambda: pipeline.set_region(chance.choice([None, "field", "frame", by_hand])),
            "point": lambda: pipeline.set_operating_point(chance.choice(self.points)),
            "model": lambda: pipeline.set_model(chance.choice(self.models)),
            "ai": lambda: pipeline.set_ai(chance.random() < 0.8),
        }
        actions[chance.choice(list(actions))]()


def wrong_in(shown):
    """What is wrong with a picture and its marks, in words."""
    frame, result = shown.frame, shown.result
    found = []
    if result.seek_serial != frame.seek_serial or result.size != frame.size or result.field != frame.field:
        found.append(f"frame {frame.number} has a mask of another picture: {result.number}")
    if not 0.0 <= shown.mask_age_s <= MASK_AGE_LIMIT_S + 1e-9 or frame.damaged:
        found.append(f"frame {frame.number} has a mask that is not to be drawn")
    inside = on_picture(result.field)
    for component in result.components:
        box = component.box
        if any(
            not inside[y - result.field.box.y + TOLERANCE_PX, x - result.field.box.x + TOLERANCE_PX]
            for line in component.contours
            for x, y in line
        ):
            found.append(f"frame {frame.number}: {component.state} at {box}, outside of {result.field}")
        own = shown.mask_age_s == 0.0 and component.state is not TrackState.HELD
        if own and red_frac(frame.image, box) < LEAST_RED_FRAC:
            found.append(f"frame {frame.number}: {component.state} at {box}, where nothing is red")
    return found


def on_picture(field):
    """bool [h, w] of the field's box and a margin around it: the outline, grown by that margin."""
    padded = np.pad(silhouette(field.form, field.cut, field.box.w, field.box.h), TOLERANCE_PX)
    reach = np.ones((2 * TOLERANCE_PX + 1,) * 2, np.uint8)
    return cv2.dilate(padded, reach) > 0


def red_frac(image, box):
    part = image[box.y : box.y + box.h, box.x : box.x + box.w].astype(int)
    return float(((part[..., 2] > 150) & (part[..., :2].max(2) < 110)).mean())


@pytest.mark.parametrize("seed", range(3))
def test_at_random_no_mark_is_on_another_picture_or_outside_of_its_field(clips, tmp_path, seed):
    person = Person(clips, [following_model(tmp_path / "one"), following_model(tmp_path / "two")], seed)
    person.pipeline.set_model(person.models[0])
    person.pipeline.open(SourceSpec("file", str(clips[0])))
    ends_s, next_s = time.monotonic() + SECONDS, time.monotonic() + 2.0
    try:
        while (now_s := time.monotonic()) < ends_s:
            person.look()
            if now_s >= next_s:
                person.act()
                next_s = now_s + person.chance.choice([0.0, 0.02, 0.1, 0.4, 1.0])
        assert person.wrong == []

        person.pipeline.set_ai(True)  # it still works
        person.pipeline.set_region(None)
        person.pipeline.set_operating_point(person.points[0])
        person.pipeline.open(SourceSpec("file", str(clips[0])))
        before, ends_s = person.marked, time.monotonic() + 15.0
        while person.marked < before + 5 and time.monotonic() < ends_s:
            person.look()
        assert person.pipeline.snapshot().ai_state is AiState.ON
        assert person.marked >= before + 5
    finally:
        person.pipeline.close()
