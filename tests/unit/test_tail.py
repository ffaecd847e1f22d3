"""Whoever follows a run meets a file that another process writes, and that may have been through a lot."""

import os
import random
import time

import pytest

from engine.jobs.events import Checkpoint, RunFolder
from engine.jobs.folder import EVENTS
from engine.jobs.tail import LOOK_BYTES, THINNED, Tail


def line(number, kind="checkpoint", at_s=100.0, **fields):
    more = "".join(f',"{name}":{value}' for name, value in (fields or {"step": number}).items())
    return f'{{"v":1,"n":{number},"t":{at_s},"kind":"{kind}"{more}}}\n'.encode()


def beat(number):
    return line(number, "heartbeat", done=number, total=9)


def numbers(news):
    return [event.number for event in news.events]


@pytest.fixture
def path(tmp_path):
    return tmp_path / EVENTS


@pytest.fixture
def tail(path):
    return Tail(path)


def append(path, data):
    with path.open("ab") as stream:
        stream.write(data)


def everything(tail):
    """All events until nothing is left to read, and how many looks that took."""
    found, looks = [], 1
    while (news := tail.look()).behind:
        found, looks = [*found, *news.events], looks + 1
    return [*found, *news.events], looks


def test_what_a_job_tells_arrives_typed_and_once(tmp_path, path, tail):
    run = RunFolder(tmp_path)
    run.event("checkpoint", step=10)
    first = tail.look()
    run.event("checkpoint", step=20)

    assert [event.step for event in first.events] == [10]
    assert isinstance(first.events[0], Checkpoint)
    assert [event.step for event in tail.look().events] == [20]
    assert tail.look().events == ()


def test_a_file_that_is_not_there_yet_has_no_news(path, tail):
    assert tail.look().events == ()
    append(path, line(1))

    assert numbers(tail.look()) == [1]


def test_a_last_line_is_waited_for_until_it_is_whole(path, tail):
    whole = line(2)
    append(path, line(1) + whole[:20])
    first = tail.look()
    append(path, whole[20:-1])
    half = tail.look()
    append(path, b"\n")

    assert (numbers(first), first.torn) == ([1], 0)
    assert (numbers(half), half.torn) == ([], 0)
    assert numbers(tail.look()) == [2]


@pytest.mark.parametrize("seed", range(4))
def test_in_whatever_pieces_a_file_grows_each_event_comes_once(path, tail, seed):
    draw = random.Random(seed)
    data = b"".join(line(number, "warn", text=f'"{"é" * draw.randrange(9)}"') for number in range(1, 200))
    found = []
    while data:
        cut = draw.choice([1, 2, 30, 300, 3000])
        append(path, data[:cut])
        data = data[cut:]
        if draw.random() < 0.5:
            found += numbers(tail.look())

    assert [*found, *numbers(tail.look())] == list(range(1, 200))


def test_a_line_that_never_became_whole_is_counted_and_the_next_one_read(path, tail):
    append(path, line(1) + beat(2) + beat(3)[:-8] + b"\n" + b"\0" * 40 + b"\n" + line(5))
    news = tail.look()

    assert (numbers(news), news.torn, news.missing) == ([1, 2, 5], 2, 2)


def test_a_line_longer_than_a_look_is_passed_over_in_little_memory(path, tail):
    append(path, line(1) + b"x" * (3 * LOOK_BYTES) + b"\n" + line(2))
    torn, found = 0, []
    while True:
        news = tail.look()
        torn, found = torn + news.torn, [*found, *numbers(news)]
        if not news.behind:
            break

    assert (found, torn) == ([1, 2], 1)


@pytest.mark.parametrize("after", [line(1, step=7), line(1, step=7) + line(2, step=8) + line(3) + line(4)])
def test_another_file_in_its_place_is_begun_anew(path, tail, after):
    append(path, line(1) + line(2))
    tail.look()
    other = path.with_name("other")
    other.write_bytes(after)
    other.replace(path)
    news = tail.look()

    assert news.anew
    assert news.events[0].step == 7
    assert not tail.look().anew


def test_a_file_that_was_cut_is_begun_anew(path, tail):
    append(path, line(1) + line(2))
    tail.look()
    os.truncate(path, len(line(1)))
    news = tail.look()

    assert (news.anew, numbers(news)) == (True, [1])


def test_the_same_file_copied_back_goes_on(path, tail):
    append(path, line(1) + line(2))
    tail.look()
    path.unlink()
    gone = tail.look()
    append(path, line(1) + line(2) + line(3))
    news = tail.look()

    assert (gone.anew, gone.events) == (False, ())
    assert (news.anew, numbers(news)) == (False, [3])


def test_times_that_go_back_change_no_order_and_no_silence(path):
    now_s = [50.0]
    tail = Tail(path, lambda: now_s[0])
    append(path, line(1, at_s=2000.0) + line(2, at_s=1000.0))
    os.utime(path, (time.time() + 9999,) * 2)  # the clock stood in the future
    assert numbers(tail.look()) == [1, 2]
    assert tail.silent_s() == 0.0

    now_s[0] = 57.0
    append(path, line(3, at_s=3000000.0))
    tail.look()
    now_s[0] = 60.0
    tail.look()

    assert tail.silent_s() == 3.0


def test_a_run_that_has_long_been_silent_is_so_at_the_first_look(path):
    append(path, line(1))
    os.utime(path, (time.time() - 500,) * 2)
    tail = Tail(path)
    assert tail.silent_s() == 0.0
    tail.look()

    assert 499 < tail.silent_s() < 510


def test_numbers_that_no_line_has_are_counted(path, tail):
    append(path, line(1) + line(4) + beat(5) + beat(9) + beat(10))
    news = tail.look()

    assert (numbers(news), news.missing) == ([1, 4, 10], 5)


def test_of_signs_of_life_in_a_row_only_the_last_is_given(path, tail):
    append(path, b"".join(map(beat, range(1, 50))) + line(50) + beat(51) + beat(52))
    news = tail.look()

    assert (numbers(news), news.missing) == ([49, 50, 52], 0)


def test_points_of_a_curve_are_all_given_unless_a_long_file_is_caught_up_with(path, tail, monkeypatch):
    monkeypatch.setattr("engine.jobs.tail.LOOK_BYTES", look_bytes := 1 << 16)

    def point(number):
        return line(number, "metric", name='"loss"', step=number, value=0.5)

    count = 3 * look_bytes // len(point(10_000))
    append(path, b"".join(point(number) for number in range(1, count)) + line(count))
    found, looks = everything(tail)
    append(path, point(count + 1) + point(count + 2))

    assert looks >= 3
    assert len(found) < look_bytes / len(point(10_000)) + 3 * count / THINNED
    assert found[-1].number == count
    assert len(tail.look().events) == 2


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["heartbeat", "metric"])
def test_a_million_lines_are_attached_to_in_a_second(path, kind):
    """Of processor time: the file is written first, by hand."""
    often = b',"kind":"' + kind.encode() + b'","step":1,"done":1,"total":2,"eta_s":12345}\n'
    rows = (
        b'{"v":1,"n":%d,"t":%d.5' % (number, number) + often if number % 50 else line(number)
        for number in range(1, 1_000_001)
    )
    path.write_bytes(b"".join(rows))
    tail = Tail(path)
    before_s = time.process_time()
    found, _ = everything(tail)

    assert time.process_time() - before_s < 1.0
    assert found[-1].number == 1_000_000
    assert sum(isinstance(event, Checkpoint) for event in found) == 20_000
