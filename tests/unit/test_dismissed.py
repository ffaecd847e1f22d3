"""What a person has dismissed in a recording stays away when one comes back to it; live, all is as it was."""

import numpy as np
import pytest

from engine.live.board import Status
from engine.live.findings import Findings
from engine.types import Frame, Mask, OperatingPoint, Rect, SourceInfo, SourceState
from tests.fixtures.tissue import mucosa

HZ = 25.0
W, H = 320, 240
POINT = OperatingPoint(0.5, 0.001, 0.9, keep=0.25, hit_peak=0.7, hit_s=0.165, window_s=0.265)
PICTURE = mucosa(4, side=96)


def info(name="one", live=False):
    return SourceInfo(name, name, W, H, HZ, None if live else 60.0, None, not live, live, "bt709")


class Player:
    """Shows frames of a recording, each visit behind a seek; a polyp stands at x = 80, from 5 s on at 200."""

    def __init__(self, findings=None, source=None):
        self.findings, self.source = findings or Findings(), source or info()
        self.number = self.serial = 0
        self.refused = frozenset()

    def play(self, from_s, to_s, state=SourceState.RUNNING):
        """What is drawn of the last frame, and the ids of all that was drawn on the way."""
        self.serial += 1
        ids, found = set(), None
        for index in range(round(from_s * HZ), round(to_s * HZ)):
            self.number += 1
            pts_s = index / HZ
            map_ = np.zeros((60, 80), np.uint8)
            column = 20 if pts_s < 5.0 else 50
            map_[20:32, column : column + 12] = 240
            frame = Frame(
                self.number, index, pts_s, self.number / HZ, 0.0, W, H, None, PICTURE, seek_serial=self.serial
            )
            status = Status(source_state=state, info=self.source, point=POINT)
            found = self.findings.of(frame, PICTURE, Mask(self.number, map_, Rect(0, 0, W, H)), status)
            ids |= {c.track for c in found.components}
            self.refused |= found.dismissed
        return found, ids

    def dismiss_shown(self, found):
        (finding,) = found.components
        self.findings.dismiss(finding.track)
        return finding.track


@pytest.fixture
def dismissed():
    """A recording whose finding was dismissed at 2 s."""
    player = Player()
    found, _ = player.play(1.0, 2.0)
    player.first = player.dismiss_shown(found)
    return player


def test_a_dismissed_finding_stays_away_when_one_comes_back_to_it(dismissed):
    dismissed.play(20.0, 21.0)

    found, ids = dismissed.play(1.0, 3.0)

    assert ids == set()
    assert found.components == ()
    assert dismissed.refused == {found.candidates[0].track}


def test_it_stays_away_as_long_as_it_is_followed_beyond_where_it_was_dismissed(dismissed):
    dismissed.play(2.0, 4.0)
    dismissed.play(20.0, 21.0)

    assert dismissed.play(3.0, 4.0)[1] == set()


def test_elsewhere_in_the_recording_a_finding_at_that_place_is_drawn(dismissed):
    assert dismissed.play(3.0, 4.0)[1] != set()


def test_another_finding_at_that_time_is_drawn(dismissed):
    found, _ = dismissed.play(6.0, 7.0)

    assert len(found.components) == 1


def test_on_a_picture_that_stands_at_that_time_it_is_not_drawn(dismissed):
    dismissed.play(20.0, 21.0)

    assert dismissed.play(1.52, 1.56, SourceState.PAUSED)[0].components == ()
    assert dismissed.play(3.52, 3.56, SourceState.PAUSED)[0].components != ()


def test_taken_back_by_its_first_id_it_is_drawn_again_under_its_new_one(dismissed):
    found, _ = dismissed.play(1.0, 1.8)
    new = found.candidates[0].track

    assert dismissed.findings.dismiss(dismissed.first, False) == {dismissed.first, new}

    assert dismissed.play(1.0, 2.0)[1] != set()


def test_another_network_does_not_bring_it_back(dismissed):
    later = Player(Findings(dismissed.findings))

    assert later.play(1.0, 2.0)[1] == set()


def test_another_recording_knows_nothing_of_it(dismissed):
    dismissed.source = info("another")

    assert dismissed.play(1.0, 2.0)[1] != set()


def test_live_nothing_comes_back_and_nothing_is_remembered_beyond_the_place():
    player = Player(source=info(live=True))
    player.dismiss_shown(player.play(0.0, 1.0)[0])

    assert player.play(0.0, 1.0)[1] != set()
    assert player.refused == frozenset()
