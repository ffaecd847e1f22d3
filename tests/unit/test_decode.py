"""Hardware decoding: what is chosen, whose colours are trusted, and that the video never stops for it."""

from __future__ import annotations

from contextlib import closing
from functools import partial

import av
import numpy as np
import pytest

from engine.faults import FaultCode, FaultError
from engine.sources import open_source, parse_source
from engine.sources.base import SourceOptions
from engine.sources.file import decode_choice
from engine.sources.file.decode_choice import colour_refusal, hardware_for
from engine.sources.file.decode_parity import MOST_LEVELS, check_clips, colour_difference, colours_of
from engine.sources.file.decoding import Decoder
from engine.sources.file.demux import open_file
from engine.sources.file.hardware import HardwareFailedError, PyAvHardware, listed
from engine.sources.file.video import VideoFile
from engine.sources.live.container_feed import ContainerFeed
from tests.fixtures.clips import CLIPS, made, number_in, sound_only
from tests.fixtures.hardware import FakeHardware

OWN = "engine.sources.file.decoding"


@pytest.fixture(scope="module")
def tagged(tmp_path_factory):
    return check_clips(tmp_path_factory.mktemp("tagged"))


def opened(name, factory, hardware):
    path = made(name, factory)
    return VideoFile(partial(open_file, path), path.name, str(path), SourceOptions(), path, hardware)


def numbers(source, count=1000):
    found = []
    while len(found) < count and (picture := source.read()) is not None:
        found.append((picture.index, number_in(picture.bgra())))
    return found


# Going on without it


@pytest.mark.parametrize("name", ["variable.mkv", "transport.ts", "untimed.avi", "hevc.mkv"])
@pytest.mark.parametrize("fails_after", [0, 1, 41, 119])
def test_every_frame_is_shown_once_when_the_hardware_fails_on_the_way(
    name, fails_after, tmp_path_factory, caplog
):
    frames = len(CLIPS[name].times_ms)

    with closing(opened(name, tmp_path_factory, FakeHardware(fails_after))) as source:
        seen = numbers(source)

    assert seen == [(number, number) for number in range(frames)]
    assert source.info.decoder.endswith("in software (fake: the device was unplugged)")
    assert "is decoded in software from here on" in caplog.text
    caplog.clear()


def test_a_failure_after_a_jump_goes_on_where_the_jump_went(tmp_path_factory, caplog):
    hardware = FakeHardware()
    with closing(opened("variable.mkv", tmp_path_factory, hardware)) as source:
        source.seek(60)
        before = numbers(source, 3)
        hardware._fails_after = hardware.packets

        after = numbers(source, 3)
        source.seek(10)
        jumped = numbers(source, 1)

    assert [number for _, number in before + after] == [60, 61, 62, 63, 64, 65]
    assert jumped == [(10, 10)]
    caplog.clear()


def test_a_failure_inside_a_jump_lands_in_software(tmp_path_factory, caplog):
    hardware = FakeHardware()
    with closing(opened("transport.ts", tmp_path_factory, hardware)) as source:
        numbers(source, 3)
        hardware._fails_after = hardware.packets

        source.seek(90)

        assert numbers(source, 2) == [(90, 90), (91, 91)]
    caplog.clear()


def test_while_it_works_the_hardware_decodes_and_is_named(tmp_path_factory):
    hardware = FakeHardware()

    with closing(opened("constant.mp4", tmp_path_factory, hardware)) as source:
        seen = numbers(source)

    assert len(seen) == 120
    assert hardware.packets >= 120
    assert source.info.decoder == "h264 on fake"


@pytest.mark.parametrize(
    ("hardware", "why"),
    [
        (FakeHardware(open_error=av.error.PermissionError(1, "no such device")), "no such device"),
        (FakeHardware(takes_stream=False), "not a stream that it decodes"),
    ],
    ids=["absent", "refuses the stream"],
)
def test_hardware_that_cannot_start_is_told_and_not_missed(hardware, why, tmp_path_factory, caplog):
    with closing(opened("constant.mp4", tmp_path_factory, hardware)) as source:
        seen = numbers(source)

    assert len(seen) == 120
    assert source.info.decoder == f"h264 in software (fake: {why})"
    caplog.clear()


def test_a_file_that_cannot_be_read_is_the_files_fault_not_the_hardwares(tmp_path):
    path = sound_only(tmp_path / "sound.mp4")

    with pytest.raises(FaultError) as caught:
        VideoFile(partial(open_file, path), "sound", "sound", SourceOptions(), path, FakeHardware())

    assert caught.value.code is FaultCode.SOURCE_UNREADABLE


@pytest.mark.parametrize(
    ("fails_after", "lost"), [(30, 2 * 4 + 2), (28, 3)], ids=["inside a group", "at a keyframe"]
)
def test_a_live_stream_goes_on_in_software_with_the_next_keyframe(
    fails_after, lost, tmp_path_factory, caplog
):
    path = made("short_gop.mp4", tmp_path_factory)
    feed = ContainerFeed("stream", partial(open_file, path), "", FakeHardware(fails_after))
    feed.open()

    seen = [number_in(frame.reformat(format="bgra").to_ndarray()) for frame, _, _ in feed.pictures()]
    decoder = feed.facts().decoder
    feed.close()

    assert decoder == "h264 in software (fake: the device was unplugged)"
    assert seen == sorted(set(seen))
    assert 119 in seen
    assert len(seen) >= 120 - lost  # what the device still held, and the rest of its group
    caplog.clear()


# Whose colours


def test_all_decoders_that_keep_tags_have_the_same_colours(tagged):
    for clip in tagged.values():
        found = colour_difference(colours_of(clip), colours_of(clip, FakeHardware()))

        assert found.is_parity, (clip, found)
        assert found.pictures == 8


@pytest.mark.parametrize(
    ("one", "other", "least"),
    [
        ("bt601 limited", "bt709 limited", 5),
        ("bt601 full", "bt709 full", 5),
        ("bt709 limited", "bt709 full", 10),
        ("bt601 limited", "bt601 full", 10),
    ],
)
def test_a_wrong_matrix_or_range_is_seen(tagged, one, other, least):
    found = colour_difference(colours_of(tagged[one]), colours_of(tagged[other]))

    assert found.levels > max(least, MOST_LEVELS)
    assert not found.is_parity


def test_the_clips_are_tagged_as_they_are_called(tagged):
    for name, clip in tagged.items():
        with closing(open_source(parse_source(str(clip)))) as source:
            assert source.info.colour == name


def test_hardware_that_loses_the_tags_is_refused_with_the_number_of_levels():
    assert colour_refusal(FakeHardware()) == ""
    assert "levels off in bt" in colour_refusal(FakeHardware(keeps_tags=False))


def test_hardware_that_fails_its_check_is_refused_with_its_reason():
    assert colour_refusal(FakeHardware(fails_after=2)) == "the device was unplugged"
    assert colour_refusal(FakeHardware(takes_stream=False)) == "not a stream that it decodes"


def test_no_pictures_are_no_parity():
    assert not colour_difference([], []).is_parity


def test_colours_of_another_number_or_size_cannot_be_compared():
    small, large = np.zeros((4, 4, 3), np.uint8), np.zeros((8, 8, 3), np.uint8)

    with pytest.raises(ValueError, match="cannot be compared"):
        colour_difference([small], [large])
    with pytest.raises(ValueError):
        colour_difference([small], [small, small])


# What is chosen


@pytest.fixture
def machine(monkeypatch):
    """A machine whose PyAV lists these devices, of which some are refused."""

    def make(names, refused=()):
        monkeypatch.setattr(decode_choice, "listed", lambda: names)
        monkeypatch.setattr(
            decode_choice, "refusal", lambda name: "no such device" if name in refused else ""
        )

    return make


def test_software_is_the_default_and_asks_no_device(machine, monkeypatch):
    machine(("cuda",))
    monkeypatch.setattr(decode_choice, "refusal", lambda name: pytest.fail("asked"))

    assert hardware_for(SourceOptions().decode) == (None, "")


def test_auto_takes_the_first_that_passes_and_says_nothing_of_the_others(machine):
    machine(("vaapi", "drm", "cuda"), refused=("cuda",))

    hardware, why = hardware_for("auto")

    assert isinstance(hardware, PyAvHardware)
    assert (hardware.name, why) == ("vaapi", "")


def test_auto_without_any_is_software(machine):
    machine(("cuda", "qsv"), refused=("cuda", "qsv"))

    assert hardware_for("auto") == (None, "")


def test_a_decoder_asked_for_by_name_that_is_not_there_is_a_warning(machine, caplog):
    machine(("cuda",), refused=("cuda",))

    assert hardware_for("cuda") == (None, "cuda: no such device")
    assert "no such device" in caplog.text
    caplog.clear()


def test_a_word_that_is_no_decoder_is_a_fault_that_names_them(machine):
    machine(("cuda",))

    with pytest.raises(FaultError, match="software, auto, cuda"):
        hardware_for("cudda")


def test_every_device_that_pyav_lists_here_is_used_or_refused_with_a_reason():
    for name in listed():
        hardware, why = hardware_for(name) if not decode_choice.refusal(name) else (None, "refused")

        assert (hardware is not None) != bool(why)


def test_a_device_that_is_not_there_fails_as_hardware_not_as_a_file(tmp_path_factory, caplog):
    absent = [name for name in listed() if decode_choice.refusal(name)]
    if not absent:
        pytest.skip("every device that PyAV lists is here")

    with pytest.raises(HardwareFailedError):
        list(colours_of(made("constant.mp4", tmp_path_factory), PyAvHardware(absent[0])))
    assert "in software from here on" in caplog.text
    assert "MP4" not in caplog.text.partition("(")[2]
    caplog.clear()


@pytest.mark.gpu
def test_an_nvidia_gpu_decodes_with_softwares_colours(tmp_path_factory):
    assert decode_choice.refusal("cuda") == ""
    path = made("constant.mp4", tmp_path_factory)

    with closing(open_source(parse_source(str(path)), SourceOptions(decode="cuda"))) as source:
        seen = numbers(source)

        assert source.info.decoder == "h264 on cuda"
    assert seen == [(number, number) for number in range(120)]


def test_a_file_that_has_lost_its_pictures_when_it_is_opened_again_is_asked_for_nothing_that_was_freed(
    tmp_path_factory, tmp_path
):
    opens = iter((made("variable.mkv", tmp_path_factory), sound_only(tmp_path / "sound.mp4")))
    decoder = Decoder(lambda accel: open_file(next(opens), accel), "a recording", False, 1)

    with pytest.raises(FaultError):
        decoder.rewind()

    assert decoder.rate_hz == 25.0  # of the stream that is still open: a closed one ended the process
    decoder.close()
