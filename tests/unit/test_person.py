"""What a person marks because the network missed it."""

from engine.live.board import Board
from engine.tracking.person import MOST, missed_at, with_missed, without_missed
from engine.types import Rect, Size

SIZE = Size(320, 240)


def test_a_mark_is_cut_to_the_picture_and_one_beside_it_is_none():
    (one,) = with_missed((), Rect(300, -10, 50, 40), 1.5, SIZE)

    assert (one.box, one.pts_s, one.kind) == (Rect(300, 0, 20, 30), 1.5, "person")
    assert with_missed((one,), Rect(330, 10, 50, 40), 1.5, SIZE) == (one,)
    assert with_missed((one,), Rect(10, 10, 2, 40), 1.5, SIZE) == (one,)


def test_marks_are_told_apart_and_found_by_their_frame():
    missed = ()
    for i in range(4):
        missed = with_missed(missed, Rect(10 * i, 10, 20, 20), i / 25, SIZE)

    assert [one.number for one in missed] == [1, 2, 3, 4]
    assert [one.number for one in missed_at(missed, 2 / 25, within_s=0.02)] == [3]
    assert [one.number for one in without_missed(missed, 2)] == [1, 3, 4]


def test_the_oldest_leave_where_there_are_too_many():
    missed = ()
    for i in range(MOST + 1):
        missed = with_missed(missed, Rect(0, 0, 20, 20), float(i), SIZE)

    assert (len(missed), missed[0].number, missed[-1].number) == (MOST, 2, MOST + 1)


def test_the_board_tells_of_a_mark_at_once():
    rang = []
    board = Board(lambda: rang.append(board.status.missed))

    board.mark_missed(Rect(10, 10, 20, 20), 0.5, SIZE)
    board.take_back_missed(1)

    assert [len(missed) for missed in rang] == [1, 0]
