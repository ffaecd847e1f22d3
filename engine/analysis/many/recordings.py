"""Which recordings are meant: folders of videos are walked, lists are read."""

from __future__ import annotations

import codecs
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from engine.analysis.overlay_files import VIDEO
from engine.analysis.results import SUMMARY, read_summary
from engine.faults import FaultCode, FaultError
from engine.files.natural import natural
from engine.files.whole import shown
from engine.sources import IMAGE_SUFFIXES, VIDEO_SUFFIXES, parse_source
from engine.sources.file.demux import is_video
from engine.sources.what_is_there import exists, expanded, no_file

LIST_SUFFIX = ".txt"
_OF_THE_SYSTEM = frozenset({"Thumbs.db", "desktop.ini"})
COMMENT = "#"
_MOST_NAME_BYTES = 255


@dataclass(frozen=True, slots=True)
class Recording:
    """One to be analysed. `source` is absolute, as `parse_source` reads it; `place` the folder that it would
    like for its results, relative, with forward slashes. `fault` says why it cannot be, empty if it can.
    """

    source: str
    place: str
    fault: str = ""


Tell = Callable[[str], object]


def find_recordings(
    asked: Sequence[str], out: Path, left_out: Tell = lambda sentence: None
) -> tuple[Recording, ...]:
    """Every recording once, in the order asked for and by name and number inside a folder.

    A folder gives the videos in it and below, also through links, but neither hidden files nor results of
    ours; one with nothing but pictures is a recording itself. Files whose names say nothing are looked into;
    `left_out` is told what else lies there. A text file gives its lines. A line or a folder that cannot be
    read, and a pipe with a video's name, becomes a recording with a fault.
    Raises FaultError: something asked for is not there, or there is no recording in all of it.
    """
    found: list[Recording] = []
    for text in asked:
        path = expanded(text)
        if is_list(path):
            found += _listed(path, out, left_out)
        elif text.strip() and exists(path) and path.is_dir():
            found += _inside(path, out, left_out)
        else:
            spec = parse_source(text)
            if spec.kind in ("file", "images") and not exists(path):
                raise FaultError(
                    FaultCode.SOURCE_MISSING,
                    expected="a video, a folder of videos or a list of paths",
                    got=f"nothing at {path}",
                    remedy="check the path",
                    said=f"There is nothing at {path}. Name a video, a folder of videos or a list of paths.",
                )
            found.append(_one(text, Path.cwd()))
    if not found:
        raise FaultError(
            FaultCode.SOURCE_UNREADABLE,
            expected=f"videos in {' and '.join(asked)}",
            got="none",
            remedy="choose another folder, or write the paths into a text file",
            said=f"There are no videos in {' and '.join(asked)}. "
            "Choose another folder, or write the paths into a text file.",
        )
    return tuple(_once(found))


def is_list(path: Path) -> bool:
    """Whether it is a text file with a path a line."""
    return path.suffix.lower() == LIST_SUFFIX and exists(path) and path.is_file()


def holds_pictures(folder: Path) -> bool:
    """Whether pictures lie directly in it, so that it is a recording itself."""
    try:
        return any(entry.suffix.lower() in IMAGE_SUFFIXES for entry in folder.iterdir())
    except OSError:
        return False


def holds_videos(folder: Path, out: Path) -> bool:
    """Whether there is a video in it or below."""
    return any(not recording.fault for recording in _walk(folder, out, lambda sentence: None))


def fingerprint(source: str) -> str:
    """Tells whether a recording is the one it was: size and time of the file, or of every picture in it.

    Raises FaultError SOURCE_MISSING, and ARGUMENT for what is no source.
    """
    spec = parse_source(source)
    if spec.kind not in ("file", "images"):
        return spec.kind
    path = Path(spec.address)
    try:
        if not path.is_dir():
            return _size_and_time(path)
        pictures = sorted(entry for entry in path.iterdir() if entry.suffix.lower() in IMAGE_SUFFIXES)
        lines = [f"{picture.name}:{_size_and_time(picture)}" for picture in pictures]
        return hashlib.sha256("\n".join(lines).encode(errors="surrogateescape")).hexdigest()
    except OSError as error:
        raise FaultError(
            FaultCode.SOURCE_MISSING,
            expected=f"a recording at {path}",
            got=error.strerror or str(error),
            remedy="check the name and that the drive is connected",
        ) from error


def _size_and_time(path: Path) -> str:
    facts = path.stat()
    return f"{facts.st_size}:{facts.st_mtime_ns}"


def lines_of(data: bytes) -> list[str]:
    """The lines of a list as Windows and Linux write it: UTF-8, UTF-16 or UTF-32, with a byte order mark or
    without, paths in quotes or not. Raises UnicodeDecodeError.
    """
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):  # the first begins as UTF-16's does
        text = data.decode("utf-32")
    elif data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = data.decode("utf-16")
    elif b"\0" in data:  # of UTF-16 without a mark, every other byte of a path is 0
        text = data.decode("utf-16-le" if data[1:2] == b"\0" else "utf-16-be")
    else:
        text = data.decode("utf-8-sig")
    lines = (line.strip() for line in text.replace("\r\n", "\n").split("\n"))
    return [
        line[1:-1] if len(line) > 1 and line[0] == line[-1] and line[0] in "\"'" else line for line in lines
    ]


def _listed(path: Path, out: Path, left_out: Tell) -> Iterator[Recording]:
    try:
        lines = lines_of(path.read_bytes())
    except (OSError, UnicodeDecodeError) as error:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected=f"{path.name} to be a text file (UTF-8 or UTF-16) with a path a line",
            got=str(error),
            remedy="save it as such",
        ) from error
    for line in lines:
        if not line or line.startswith(COMMENT):
            continue
        inside = path.parent / expanded(line)
        if exists(inside) and inside.is_dir():
            yield from _inside(inside, out, left_out)
        else:
            yield _one(line, path.parent)


def _one(text: str, base: Path) -> Recording:
    """A source by its text; a relative path is meant from `base`."""
    if "\0" in text or any(len(os.fsencode(part)) > _MOST_NAME_BYTES for part in Path(text).parts):
        name = text.replace("\0", "?")[:80]
        return Recording(name, "unknown", f"No file can have the name {name}. Write one path a line.")
    if exists(base / text):  # "capture:0.mp4" beside a list
        return _recording(_absolute(base / text), Path(text).name)
    try:
        spec = parse_source(text)
    except FaultError as error:
        return Recording(text, "unknown", str(error))
    if spec.kind not in ("file", "images"):
        return Recording(spec.text, spec.kind)
    return _recording(_absolute(base / spec.address), Path(spec.address).name)


def _inside(folder: Path, out: Path, left_out: Tell) -> Sequence[Recording]:
    if out.exists() and out.samefile(folder):
        raise FaultError(
            FaultCode.ARGUMENT,
            expected="a folder of its own for the results",
            got=f"{out}, where the videos are",
            remedy="choose another one with --out; it may be inside that folder",
        )
    others: list[str] = []
    found = tuple(_walk(folder, out, others.append))
    if all(recording.fault for recording in found) and holds_pictures(folder):
        return (_recording(_absolute(folder), folder.name),)
    for sentence in others:
        left_out(sentence)
    return found


def _walk(folder: Path, out: Path, left_out: Tell) -> Iterator[Recording]:
    base = _absolute(folder)
    yield from _below(base, base, Path(os.path.realpath(out)), set(), left_out)


def _below(folder: Path, base: Path, out: Path, seen: set[str], left_out: Tell) -> Iterator[Recording]:
    real = os.path.realpath(folder)
    if real in seen or Path(real) == out:  # a link that leads round in a circle; our own results
        return
    seen.add(real)
    try:
        entries = sorted(folder.iterdir(), key=lambda entry: natural(entry.name))
    except OSError as error:
        place = folder.relative_to(base).as_posix()
        sentence = f"The folder {folder} cannot be read: {error.strerror}. Check who may read it."
        yield Recording(str(folder), place, sentence)
        return
    pictures = 0
    for entry in entries:
        if entry.name.startswith(".") or entry.name in _OF_THE_SYSTEM:
            continue  # also "._name.mp4", which macOS leaves on foreign drives
        if entry.is_dir():
            yield from _below(entry, base, out, seen, left_out)
        elif _is_ours(entry):
            continue
        elif fault := _why_not(entry):
            if entry.suffix.lower() in VIDEO_SUFFIXES:
                yield replace(_recording(entry, entry.relative_to(base).as_posix()), fault=fault)
            else:
                left_out(fault)
        elif entry.suffix.lower() in IMAGE_SUFFIXES:
            pictures += 1
        elif entry.suffix.lower() in VIDEO_SUFFIXES or is_video(entry):
            yield _recording(entry, entry.relative_to(base).as_posix())
        else:
            left_out(f"{shown(str(entry))} is no video.")
    if pictures:
        left_out(
            f"{pictures} pictures in {shown(str(folder))}: a folder of pictures is analysed by its name."
        )


def _why_not(entry: Path) -> str:
    """Why nobody may open it, in a sentence; empty for a file."""
    try:
        words = no_file(entry)
    except OSError as error:
        words = "a link that leads nowhere" if entry.is_symlink() else error.strerror or str(error)
    return f"{shown(entry.name)} is {words}, not a file that can be read." if words else ""


def _is_ours(entry: Path) -> bool:
    return _is_overlay(entry) or (entry.name == SUMMARY and read_summary(entry.parent) is not None)


def _is_overlay(path: Path) -> bool:
    if path.name != VIDEO:
        return False
    summary = read_summary(path.parent)
    return summary is not None and VIDEO in summary.files


def _recording(path: Path, place: str) -> Recording:
    try:
        str(path).encode()
    except UnicodeEncodeError:  # bytes of another code page: no JSON file could hold the name
        shown = os.fsencode(path).decode("utf-8", "backslashreplace")
        return Recording(shown, "unknown", f"The name {shown} is not UTF-8. Give the file another name.")
    return Recording(str(path), place)


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 -- ".." is taken out, links are kept


def _once(recordings: Iterable[Recording]) -> Iterator[Recording]:
    seen: set[str] = set()
    for recording in recordings:
        real = os.path.realpath(recording.source)
        if real not in seen:
            seen.add(real)
            yield recording
