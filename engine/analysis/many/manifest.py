"""`manifest.json`: what is to be done with which recording, and how far it has come."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from engine.analysis.many.places import Places
from engine.analysis.many.recordings import Recording
from engine.faults import FaultCode, FaultError
from engine.files.json_reader import read_json
from engine.files.whole import write_text

SCHEMA = 1
MANIFEST = "manifest.json"
TOTALS = "summary.csv"
State = Literal["queued", "running", "done", "failed"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Row(_Part):
    """One recording. `folder` is where its results are, relative to the manifest; `asked` stands for model
    and options, `fingerprint` for the file as it was. `fault` is one sentence: why it failed, or what was
    wrong with one that is done and not `complete`. What follows is known once it is done.
    """

    source: str
    folder: str
    state: State
    fingerprint: str = ""
    asked: str = ""
    tries: int = 0
    fault: str = ""
    complete: bool = False
    frames: int = 0
    frames_with_findings: int = 0
    duration_s: float = 0.0
    seconds: float = 0.0
    model: str = ""
    threshold: float | None = None
    host: str = ""

    @field_validator("folder")
    @classmethod
    def _is_inside(cls, folder: str) -> str:
        path = PurePosixPath(folder)
        if path.is_absolute() or ".." in path.parts or not path.parts:
            raise ValueError("folder is not inside the output folder")
        return folder


class Manifest(_Part):
    """The file."""

    schema_: Annotated[int, Field(alias="schema")] = SCHEMA
    rows: tuple[Row, ...] = ()


def plan(
    earlier: Sequence[Row],
    found: Sequence[Recording],
    asked: str,
    *,
    has_results: Callable[[Row], bool],
    is_unchanged: Callable[[Row], bool],
) -> tuple[Row, ...]:
    """A row for each recording found, then those done before that were not asked for now.

    Done stays what was done as `asked`, still has its results and is the file that it was. Everything else is
    queued, what failed before as well. A recording keeps the folder it had; two never share one.
    """
    known = {row.source: row for row in earlier}
    sources = {recording.source for recording in found}
    others = [
        row for row in earlier if row.source not in sources and row.state == "done" and has_results(row)
    ]
    places = Places((MANIFEST, TOTALS, *(row.folder for row in (*others, *_of(known, sources)))))
    rows: list[Row] = []
    for recording in found:
        source, before = recording.source, known.get(recording.source)
        folder = before.folder if before else places.take(recording.place)
        if recording.fault:
            rows.append(Row(source=source, folder=folder, state="failed", fault=recording.fault))
        elif (
            before
            and (before.state, before.asked) == ("done", asked)
            and has_results(before)
            and is_unchanged(before)
        ):
            rows.append(before)
        else:
            rows.append(Row(source=source, folder=folder, state="queued", asked=asked))
    return (*rows, *others)


def _of(known: Mapping[str, Row], sources: Iterable[str]) -> Iterator[Row]:
    return (known[source] for source in sources if source in known)


def read_manifest(out: Path) -> tuple[Row, ...]:
    """The rows of a folder of results, none where there is no manifest.

    Raises FaultError OUTPUT for one that cannot be read: it is never taken for an empty one.
    """
    path = out / MANIFEST
    try:
        values = read_json(path)
        if isinstance(values, dict) and isinstance(values.get("schema"), int) and values["schema"] > SCHEMA:
            raise _unreadable(path, f"schema {values['schema']}", "update the program")
        return Manifest.model_validate(values).rows
    except FileNotFoundError:
        return ()
    except ValidationError as error:
        first = error.errors()[0]
        got = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise _unreadable(path, got, _REMEDY) from error
    except (OSError, ValueError) as error:
        raise _unreadable(path, str(error), _REMEDY) from error


def write_manifest(out: Path, rows: Iterable[Row]) -> None:
    """The whole file or nothing. Raises OSError."""
    manifest = Manifest(rows=tuple(rows))
    write_text(out / MANIFEST, manifest.model_dump_json(by_alias=True, indent=1) + "\n")


def totals(rows: Sequence[Row]) -> str:
    """`summary.csv`: a line a recording."""
    names = [name for name in Row.model_fields if name not in ("fingerprint", "asked")]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        values = row.model_dump()
        writer.writerow(["" if values[name] is None else values[name] for name in names])
    return text.getvalue()


_REMEDY = "choose another folder with --out, or delete the file to do everything again"


def _unreadable(path: Path, got: str, remedy: str) -> FaultError:
    return FaultError(FaultCode.OUTPUT, expected=f"{path} as this program writes it", got=got, remedy=remedy)
