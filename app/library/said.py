"""What the library says of a recording, in words. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from app.library.listing import Column, Row, Shown
from app.widgets import words
from engine.files.whole import shown
from engine.review.library.kept import Kept

NOTHING = "–"


def said(row: Row, column: Column) -> str:
    """What stands in a column."""
    match column:
        case Column.TITLE:
            return row.title
        case Column.LENGTH:
            return words.duration(row.length_s) if row.length_s else NOTHING
        case Column.FINDINGS:
            return str(row.findings) if row.findings or row.length_s else NOTHING
        case Column.VERIFIED:
            return str(row.verified) if row.verified else NOTHING
        case Column.MODEL:
            return row.model
        case Column.OPENED:
            return when(row.opened_utc)
        case Column.STATE:
            return state(row)


def state(row: Row) -> str:
    if row.state is Shown.WORKING and row.share is not None:
        return f"{Shown.WORKING} {100 * row.share:.0f} %"
    return row.state.value


def when(utc: str) -> str:
    """A moment as the user's clock has it: "2026-11-30 14:05"; an en dash for none."""
    try:
        at = datetime.fromisoformat(utc)
    except ValueError:
        return NOTHING
    return at.replace(tzinfo=at.tzinfo or UTC).astimezone().strftime("%Y-%m-%d %H:%M")


def second_line(row: Row) -> str:
    """Under the title: why it cannot be analysed, or where it lies."""
    if row.why:
        return row.why
    place = shown(str(row.paths[0].parent))
    return f"{len(row.paths)} files in {place}" if len(row.paths) > 1 else place


def tip(row: Row) -> str:
    """All that has no room in the row."""
    lines = [shown(str(path)) for path in row.paths]
    if row.state is Shown.MISSING:
        lines.append("It is not there any more: say where it is now.")
    return "\n".join([*lines, row.why] if row.why else lines)


def counted(listed: int, all_of_them: int) -> str:
    """How many rows there are: "12 of 5,000 recordings"."""
    if listed == all_of_them:
        return f"{listed:,} recording{'' if listed == 1 else 's'}"
    return f"{listed:,} of {all_of_them:,} recordings"


def really(row: Row, kept: Kept) -> str:
    """The question before something is deleted, with what that is."""
    acts = f", {kept.acts} of your entries" if kept.acts else ""
    verified = f", {row.verified} verified frames" if row.verified else ""
    return (
        f"Delete what is known of {row.title}? That is {row.findings} findings{verified}{acts} "
        f"({kept.size_bytes / 1e6:.1f} MB in {row.folder}). The recording itself stays."
    )


def queued(waiting: int, failed: int, working: Row | None, *, paused: bool) -> str:
    """The line over the list while something is queued."""
    parts = []
    if paused and (waiting or working):
        parts.append("The analysis is paused")
    elif working is not None:
        parts.append(f"{state(working)}: {working.title}")
    if waiting:
        parts.append(f"{waiting} more" if working is not None else f"{waiting} to be analysed")
    if failed:
        parts.append(f"{failed} cannot be analysed")
    return " · ".join(parts)
