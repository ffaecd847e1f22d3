"""The frames of a recording with what is found on them: the same whoever looks, and wherever he begins."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from importlib import resources
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame

from engine.analysis.judged import judged_frames, open_judge, open_recording
from engine.analysis.many.task import Options, Order, analyse_one, digest_of
from engine.analysis.one import analyse
from engine.analysis.results import RESULTS, result_line
from engine.analysis.tracked import watched
from engine.drawing.components import components_of, find_patches
from engine.drawing.rle import encode_patches
from engine.faults import FaultCode, FaultError
from engine.files.whole import json_line
from engine.model_folder import load_model_folder
from engine.runtime import open_runtime
from engine.runtime.base import RuntimeOptions
from engine.sources import open_source, parse_source
from engine.sources.base import SourceOptions, SourceSpec
from engine.types import Mask, OperatingPoint, Rect, Result, Size
from tests.fixtures.clips import constant, cut, made, variable
from tests.fixtures.damage import break_length
from tests.fixtures.models import red_model
from tests.fixtures.red_clips import red_stills

FRAMES = 30
DEMO = SourceSpec("demo", "")
POINT = OperatingPoint(threshold=0.02, min_area_frac=0.001)  # mucosa is not so red as the model's discs
MILLISECONDS = Fraction(1, 1000)
# Containers and codecs as recorders write them, of constant and of variable rate.
CONTAINERS = {
    "constant.mp4": ("libx264", constant(FRAMES), Fraction(1, 25), {}),
    "variable.mkv": ("libx264", variable(FRAMES), MILLISECONDS, {}),
    "packed.avi": ("mpeg4", constant(FRAMES), Fraction(1, 25), {}),
    "variable.ts": ("libx264", variable(FRAMES, start_ms=5000), MILLISECONDS, {}),
    "variable.webm": (
        "libvpx-vp9",
        variable(FRAMES),
        MILLISECONDS,
        {"deadline": "realtime", "cpu-used": "8"},
    ),
}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return load_model_folder(red_model(tmp_path_factory.mktemp("models"), threshold=POINT.threshold))


@pytest.fixture(scope="module")
def judge(model):
    with closing(open_judge(model, POINT, threads=2)) as judge:
        yield judge


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Frames of the demonstration in each container."""
    folder = tmp_path_factory.mktemp("clips")
    with av.open(str(resources.files("assets") / "demo" / "demo.mp4")) as container:
        pictures = [
            frame.reformat(320, 240, "yuv420p") for frame in islice(container.decode(video=0), 0, 300, 10)
        ]
    for name, (codec, times_ms, ticks, options) in CONTAINERS.items():
        with av.open(str(folder / name), "w") as container:
            stream = container.add_stream(codec, rate=25, options=options)
            stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
            context = stream.codec_context
            context.time_base, context.gop_size = ticks, 12
            context.max_b_frames = 0 if codec == "libvpx-vp9" else 2
            for picture, at_ms in zip(pictures, times_ms, strict=True):
                frame = VideoFrame.from_ndarray(picture.to_ndarray(), format="yuv420p")
                frame.pts, frame.time_base = round(Fraction(at_ms, 1000) / ticks), ticks
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
    return folder


def lines_of(spec, judge, start=0, most=None):
    """What `analyse` would write of the frames from `start` on."""
    with (
        closing(open_recording(spec)) as source,
        closing(judged_frames(source, judge, start=start)) as frames,
    ):
        return [
            json_line(
                result_line(
                    frame.result,
                    encode_patches(frame.patches, frame.result.size.width_px, frame.result.size.height_px),
                    frame.name,
                )
            )
            for frame in islice(frames, most)
        ]


def one_after_the_other(spec, model):
    """The same said plainly: no thread, no reading ahead."""
    size = Size(model.card.input.width_px, model.card.input.height_px)
    with (
        closing(open_source(spec, SourceOptions())) as source,
        closing(open_runtime("openvino", model, RuntimeOptions(streams=2))) as runtime,
    ):
        while (picture := source.read()) is not None:
            width_px, height_px = picture.width_px, picture.height_px
            mask = Mask(0, runtime.infer(picture.rgb(size)), Rect(0, 0, width_px, height_px))
            patches = find_patches(mask, width_px, height_px, POINT)
            result = Result(
                number=0,
                index=picture.index,
                pts_s=picture.pts_s,
                seek_serial=0,
                size=Size(width_px, height_px),
                mask=mask,
                components=components_of(patches),
                point=POINT,
                captured_s=0.0,
                model_id="",
                runtime="",
            )
            yield json_line(result_line(result, encode_patches(patches, width_px, height_px), picture.name))


@pytest.mark.parametrize("name", CONTAINERS)
def test_every_container_gives_what_a_plain_loop_over_its_pictures_gives(name, clips, model, judge):
    spec = SourceSpec("file", str(clips / name))

    lines = lines_of(spec, judge)

    assert len(lines) == FRAMES
    assert any('"counts"' in line for line in lines)
    assert lines == list(one_after_the_other(spec, model))


def test_the_demonstration_gives_what_a_plain_loop_over_its_pictures_gives(model, judge):
    assert lines_of(DEMO, judge, most=24) == list(islice(one_after_the_other(DEMO, model), 24))


@pytest.mark.parametrize("name", ["variable.mkv", "variable.ts"])
def test_a_recording_gives_the_same_tracks_bit_for_bit_however_fast_and_in_how_many_threads(
    name, clips, model, judge
):
    spec = SourceSpec("file", str(clips / name))
    point = replace(POINT, keep=0.01, hit_peak=0.02, hit_s=0.05, window_s=0.2)

    def tracks_of(judge, pause_s=0.0):
        with (
            closing(open_recording(spec)) as source,
            closing(watched(source, replace(judge, point=point), spec, "frame")) as frames,
        ):
            for frame in frames:
                time.sleep(pause_s)
                found = (*frame.result.components, *frame.result.candidates)
                lines = [b"".join(line.tobytes() for line in one.contours) for one in found]
                yield [(one.track, one.state, one.box, one.peak) for one in found], lines

    with closing(open_judge(model, POINT, threads=1)) as alone:
        slowly = list(tracks_of(alone, pause_s=0.002))

    assert list(tracks_of(judge)) == slowly
    assert {state for found, _ in slowly for _, state, _, _ in found} >= {"candidate", "confirmed"}


@pytest.mark.parametrize("name", CONTAINERS)
def test_begun_at_any_frame_it_gives_what_the_whole_recording_gives_from_there(name, clips, judge):
    spec = SourceSpec("file", str(clips / name))
    whole = lines_of(spec, judge)

    for start in (1, 12, 13, FRAMES - 1):  # at a keyframe and behind it, too
        assert lines_of(spec, judge, start) == whole[start:]
    assert lines_of(spec, judge, FRAMES) == []


@pytest.mark.parametrize("name", ["short_gop.mp4", "hevc.mkv"])
def test_behind_damaged_packets_too_it_goes_on_from_any_frame_as_the_whole_does(
    name, judge, tmp_path, tmp_path_factory
):
    spec = SourceSpec("file", str(break_length(made(name, tmp_path_factory), 20, tmp_path / name)))

    def seen(start=0):
        with (
            closing(open_recording(spec)) as source,
            closing(judged_frames(source, judge, start=start)) as them,
        ):
            return [(frame.result.index, frame.result.pts_s, frame.damaged) for frame in them]

    whole = seen()

    assert any(damaged for _, _, damaged in whole) == (name == "hevc.mkv")  # of the other, pictures are gone
    for start in (22, 24, 30):
        assert seen(start) == [frame for frame in whole if frame[0] >= start]


def test_the_demonstration_begun_in_its_middle_goes_on_as_the_whole_does(judge):
    assert lines_of(DEMO, judge, 20, most=10) == lines_of(DEMO, judge, most=30)[20:]


def test_stills_begun_at_the_second_are_the_second_and_third(tmp_path, judge):
    spec = SourceSpec("images", str(red_stills(tmp_path / "stills")))

    assert lines_of(spec, judge, 1) == lines_of(spec, judge)[1:]


def test_a_worker_of_many_recordings_writes_what_one_alone_writes_byte_for_byte(clips, model, tmp_path):
    name = "variable.ts"
    options = Options(str(model.path), digest_of(model), None, None, "openvino", "f32")

    result = analyse_one(Order(0, str(clips / name), str(tmp_path), options, sharers=1))
    spec = SourceSpec("file", str(clips / name))
    analyse(spec, tmp_path / "one", model=model, runtime="openvino", precision="f32")

    assert (Path(result.results) / RESULTS).read_bytes() == (tmp_path / "one" / RESULTS).read_bytes()


def test_closed_in_the_middle_it_leaves_no_thread_and_gives_the_source_back(clips, judge):
    before = set(threading.enumerate())
    with closing(open_recording(SourceSpec("file", str(clips / "variable.mkv")))) as source:
        index_and_ours = set(threading.enumerate())
        frames = judged_frames(source, judge)
        first = next(frames)
        busy = set(threading.enumerate()) - index_and_ours
        frames.close()

        assert first.result.index == 0
        assert any(thread.name == "polyplive-read-ahead" for thread in busy)
        assert not busy & set(threading.enumerate())
        source.seek(5)
        assert source.read().index == 5
    assert set(threading.enumerate()) <= before


def test_a_frame_carries_its_pixels_where_they_are_asked_for(clips, judge):
    with closing(open_recording(SourceSpec("file", str(clips / "constant.mp4")))) as source:
        with closing(judged_frames(source, judge, with_pixels=True)) as frames:
            frame = next(frames)
        source.seek(0)
        picture = source.read()

        assert np.array_equal(frame.bgra, picture.bgra())
    assert frame.result.mask.probability.shape == (96, 96)
    assert not frame.damaged


def test_where_a_recording_breaks_off_its_frames_are_given_and_the_fault_is_told(clips, judge, tmp_path):
    broken = cut(clips / "variable.ts", 0.6, tmp_path / "broken.ts")
    faults = []

    with closing(open_recording(SourceSpec("file", str(broken)))) as source:
        indices = [frame.result.index for frame in judged_frames(source, judge, tell=faults.append)]

    assert indices == list(range(len(indices)))
    assert 0 < len(indices) < FRAMES
    assert [fault.code for fault in faults] == [FaultCode.SOURCE_TRUNCATED]


class Stream:
    """A source that cannot jump, and fails behind its tenth picture."""

    def __init__(self, source):
        self._source, self._left = source, 10
        self.info = source.info

    def read(self):
        if not self._left:
            raise FaultError(FaultCode.SOURCE_LOST, "the server to go on", "silence", "connect it again")
        self._left -= 1
        return self._source.read()

    def seek(self, index):
        raise FaultError(FaultCode.SEEK, "a file", "a stream", "download it", fatal=False)


def test_what_came_before_a_failure_is_given_first_and_without_jumping_all_is_read(clips, judge):
    with closing(open_recording(SourceSpec("file", str(clips / "constant.mp4")))) as source:
        frames = judged_frames(Stream(source), judge, start=4)

        assert [next(frames).result.index for _ in range(6)] == [4, 5, 6, 7, 8, 9]
        with pytest.raises(FaultError, match="silence"):
            next(frames)


def test_a_live_source_is_no_recording():
    with pytest.raises(FaultError) as raised:
        open_recording(parse_source("v4l2:/dev/video0"))

    assert raised.value.code is FaultCode.ARGUMENT
