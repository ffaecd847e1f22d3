"""Transport streams whose programme, PID, codec or picture size changes on the way: read on to their end."""

from __future__ import annotations

import itertools
from fractions import Fraction

import pytest

from engine.sources import open_source, parse_source
from engine.sources.base import SourceOptions
from engine.sources.file import transport
from tests.fixtures.clips import CLIPS, Clip, constant, made, number_in, write

HALF = 30
NEXT = {
    "another PID": Clip("b.ts", constant(HALF), mux_options={"mpegts_start_pid": "0x200"}),
    "another programme": Clip(
        "b.ts",
        constant(HALF, start_ms=1200),
        mux_options={"mpegts_service_id": "7", "mpegts_pmt_start_pid": "0x1100"},
    ),
    "another codec": Clip("b.ts", constant(HALF), codec="mpeg2video", time_base=Fraction(1, 25)),
    "hours later": Clip(
        "b.ts", constant(HALF, start_ms=5_000_000), mux_options={"mpegts_start_pid": "0x300"}
    ),
}


@pytest.fixture(params=NEXT)
def joined(request, tmp_path):
    """A second of one stream with another behind it; pictures 0..29 and again 0..29."""
    first = write(Clip("a.ts", constant(HALF), gop=10), tmp_path).read_bytes()
    path = tmp_path / "joined.ts"
    path.write_bytes(first + write(NEXT[request.param], tmp_path).read_bytes())
    return path


@pytest.mark.parametrize("throughput", [False, True])
def test_both_parts_are_read_and_numbered_on(joined, throughput):
    source = open_source(parse_source(str(joined)), SourceOptions(throughput=throughput))
    seen = []
    while (picture := source.read()) is not None:
        seen.append((picture.index, number_in(picture.bgra()), picture.pts_s))
    source.close()

    assert [index for index, *_ in seen] == list(range(2 * HALF))
    assert [number for _, number, _ in seen] == [*range(HALF), *range(HALF)]
    steps = [after[2] - before[2] for before, after in itertools.pairwise(seen)]
    assert min(steps) > 0
    assert max(steps) < 2


def test_a_seek_finds_every_frame_of_both_parts(joined, monkeypatch):
    monkeypatch.setattr("engine.sources.file.cursor.SEEK_RING_BYTES", 0)
    source = open_source(parse_source(str(joined)), SourceOptions())

    for index in (7, 45, 29, 30, 3, 59, 31, 0):
        source.seek(index)
        picture = source.read()
        assert (picture.index, number_in(picture.bgra())) == (index, index % HALF)
    assert source.info.frames == 2 * HALF
    assert source.info.duration_s == pytest.approx(2 * HALF / 25, abs=1.5)
    source.close()


def test_a_part_in_the_middle_of_a_large_file_is_found_by_samples(tmp_path, monkeypatch):
    monkeypatch.setattr(transport, "_WHOLE_BYTES", 40_000)
    monkeypatch.setattr(transport, "_SCAN_BYTES", 20_000)
    first = write(Clip("a.ts", constant(400)), tmp_path).read_bytes()
    path = tmp_path / "joined.ts"
    path.write_bytes(first + write(NEXT["another PID"], tmp_path).read_bytes())

    parts = transport.parts_of(path)

    assert [part.start for part in parts] == [0, len(first) + 188]  # behind the name of the service


@pytest.mark.parametrize("name", ["transport.ts", "open_gop.ts"])
def test_a_stream_that_stays_as_it_is_has_one_part(tmp_path_factory, name):
    assert len(transport.parts_of(made(name, tmp_path_factory))) == 1


@pytest.mark.parametrize("name", sorted(set(CLIPS) - {"transport.ts", "open_gop.ts"}))
def test_other_files_have_none(tmp_path_factory, name):
    assert transport.parts_of(made(name, tmp_path_factory)) == ()
