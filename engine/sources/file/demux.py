"""Opening a video file, with one clear sentence for everything that can be wrong with it."""

from __future__ import annotations

import logging
import os
from functools import partial
from pathlib import Path

import av
from av.codec.hwaccel import HWAccel
from av.container import InputContainer
from av.video.stream import VideoStream

from engine.faults import FaultCode, FaultError
from engine.sources.file.breaks import Break, find_break, has_mp4_index, is_mp4
from engine.sources.file.hardware import OpenContainer
from engine.sources.file.transport import Part, PartFile, parts_of
from engine.sources.what_is_there import is_dicom, refuse_no_file

log = logging.getLogger(__name__)

_HEAD_BYTES = 512
# Titles and the like may be in any encoding, or damaged; nobody here reads them.
_TITLES = "replace"
# FFmpeg draws every text as a terminal, and opens single pictures as videos of one frame.
_NO_VIDEOS = ("tty", "image2", "_pipe", "bin", "concat", "hls", "dash", "webvtt", "srt", "ass", "lrc")


def open_file(path: Path, accel: HWAccel | None = None) -> InputContainer:
    """Open a video file for reading, to be decoded by the hardware of `accel`.

    Raises FaultError SOURCE_MISSING or SOURCE_UNREADABLE.
    """
    head = _head_of(path)
    try:
        # "file:" keeps a name such as "udp:1.mp4" or "a%3d.mp4" from being taken for a protocol or a pattern.
        container = av.open(f"file:{path}", mode="r", hwaccel=accel, metadata_errors=_TITLES)
    except av.FFmpegError as error:
        raise _unreadable(path, _what_it_is(path, head, error)) from error
    return container


def open_part(path: Path, part: Part, accel: HWAccel | None = None) -> InputContainer:
    """Open one part of a transport stream. Raises as `open_file`."""
    try:
        return av.open(
            PartFile(path, part), mode="r", format="mpegts", hwaccel=accel, metadata_errors=_TITLES
        )
    except OSError as error:  # FFmpeg's errors are such, too
        raise _unreadable(path, error.strerror or str(error)) from error


def openers_of(path: Path) -> tuple[OpenContainer, ...]:
    """How to open a file: once, or each part of a transport stream that changes on its way."""
    try:
        parts = parts_of(path) if path.is_file() else ()
    except OSError:  # `open_file` says what is wrong
        parts = ()
    if len(parts) < 2:
        return (partial(open_file, path),)
    return tuple(partial(open_part, path, part) for part in parts)


def video_stream_of(container: InputContainer, what: str) -> VideoStream:
    """The video stream that the file marks as its default, else the first one; cover pictures are none.

    Raises FaultError SOURCE_UNREADABLE, and closes the container, when there is none that can be decoded.
    """
    pictures = [
        stream
        for stream in container.streams.video
        if av.stream.Disposition.attached_pic not in stream.disposition
    ]
    for stream in sorted(pictures, key=lambda one: av.stream.Disposition.default not in one.disposition):
        # PyAV gives no codec context for a codec that it has no decoder for.
        if stream.codec_context is None:
            container.close()
            raise _unreadable(what, "video in a codec that this PyAV cannot decode", "convert it to H.264")
        return stream
    sound = bool(container.streams.audio)
    container.close()
    raise _unreadable(what, "a file with sound only" if sound else "a file without a picture track")


def is_video(path: Path) -> bool:
    """Whether FFmpeg finds a picture track that moves in a file, whatever its name says."""
    try:
        if is_dicom(path):
            return True
        with path.open("rb") as stream:
            if not stream.read(_HEAD_BYTES).strip(b"\0"):
                return False
        with av.open(f"file:{path}", mode="r", metadata_errors=_TITLES) as container:
            if any(word in container.format.name for word in _NO_VIDEOS):
                return False
            return any(
                stream.codec_context is not None
                and av.stream.Disposition.attached_pic not in stream.disposition
                and stream.width > 0
                for stream in container.streams.video
            )
    except (av.FFmpegError, OSError, ValueError) as error:
        log.debug("%s is no video: %s", path, error)
        return False


def holds_all_samples(container: InputContainer, size_bytes: int) -> bool:
    """Whether every sample of an MP4's own table lies within the file: then what is behind it is not its own.

    False for fragmented files and other formats: they have no such table.
    """
    if "mp4" not in container.format.name.split(","):
        return False
    for stream in container.streams:
        entries = stream.index_entries
        if not stream.frames or len(entries) != stream.frames:
            return False
        if any(entry.pos + entry.size > size_bytes for entry in entries):
            return False
    return bool(len(container.streams))


def _head_of(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise _unreadable(path, "a folder", "open it as a folder of pictures, or choose a file in it")
        refuse_no_file(path)
        with path.open("rb") as stream:
            size_bytes = os.fstat(stream.fileno()).st_size
            head = stream.read(_HEAD_BYTES)
    except FileNotFoundError as error:
        raise FaultError(
            FaultCode.SOURCE_MISSING,
            expected=f"a video file at {path}",
            got="no such file",
            remedy="check the name and that the drive is connected",
            said=f"There is no file {path}. Check the name and that the drive is connected.",
        ) from error
    except PermissionError as error:
        raise _unreadable(path, "no permission to read it", "ask its owner to allow it") from error
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error), "check the drive that it is on") from error
    if size_bytes == 0:
        raise _unreadable(path, "an empty file (0 bytes)", "copy or export the recording again")
    return head


def _what_it_is(path: Path, head: bytes, error: av.FFmpegError) -> str:
    if is_text(head):
        return "a text file"
    if is_mp4(head):
        whole = has_mp4_index(path)
        return (
            "a damaged MP4" if whole else "an MP4 without its index, as a recording that broke off leaves it"
        )
    if isinstance(error, av.error.InvalidDataError):
        return "data that is not in any known video format"
    return error.strerror or type(error).__name__


def is_text(head: bytes) -> bool:
    """Whether these bytes read as text: UTF-8 without control characters."""
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:  # not just a character cut at the end
            return False
        text = head[: error.start].decode("utf-8")
    return bool(text) and all(character.isprintable() or character in "\t\r\n\f" for character in text)


def _unreadable(
    what: Path | str, got: str, remedy: str = "choose a video (MP4, MKV, MOV, AVI, TS)"
) -> FaultError:
    name = what.name if isinstance(what, Path) else what
    return FaultError(
        FaultCode.SOURCE_UNREADABLE,
        expected=f"{name} to be a video file",
        got=got,
        remedy=remedy,
        said=f"{name} cannot be played: {got.rstrip('.')}. {remedy[:1].upper()}{remedy[1:]}.",
    )


def break_in(path: Path, container: InputContainer) -> Break | None:
    """Where an open file breaks off, None where nothing says that it does, or where nobody can tell."""
    try:
        found = find_break(path)
        whole = found is not None and holds_all_samples(container, path.stat().st_size)
        return None if whole else found
    except OSError as error:
        log.info("cannot tell whether %s is whole: %s", path.name, error)
        return None
