"""Which network runs: loads beside, swaps between two frames, gives up one that hangs."""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.faults import fault_of
from engine.live.board import Board
from engine.live.loading import Loaded, Loading, overdue
from engine.live.network import Network, hang, kept
from engine.live.pacing import NetworkPace
from engine.live.slot import LatestSlot
from engine.live.state import ai_state
from engine.live.stats import StatsRecorder
from engine.live.upgrade import Upgrade
from engine.live.watch import Watch, watched
from engine.model_card import ModelCard
from engine.runtime.live import Live, OpenLive
from engine.runtime.order import NextRuntime, key_of, next_runtime
from engine.types import AiState, Chosen, Frame, OperatingPoint, Result, SourceState

log = logging.getLogger(__name__)

PLACE = "AI"
WATCH_EVERY_S = 0.2
LEAVE_S = 1.0  # a window that closes waits at most so long for a network
PLAYING = frozenset({SourceState.OPENING, SourceState.RUNNING})


class Inferer:
    """Commands and `tick` run in the inferer's thread, which never waits for a network.

    A fault costs the masks, never the picture. `post` runs a function in the inferer's thread.
    """

    def __init__(
        self,
        board: Board,
        stats: StatsRecorder,
        frames: LatestSlot[Frame],
        offer_result: Callable[[Result], None],
        open_live: OpenLive,
        post: Callable[[Callable[[], None]], None],
        next_runtime: NextRuntime = next_runtime,
    ) -> None:
        self._board = board
        self._stats = stats
        self._frames = frames
        self._offer_result = offer_result
        self._open_live = open_live
        self._post = post
        self._next_runtime = next_runtime
        self._network: Network | None = None
        self._left: list[Network] = []  # those that another one has replaced
        self._loading: Loading | None = None
        self._upgrade: Upgrade | None = None
        self._watch = Watch()
        self._hung: frozenset[str] = frozenset()  # runtimes that were given up, since a person chose
        self._on = True
        self._expected = False
        self._failure = ""
        self._asked: Chosen | None = None
        self._own_point = False

    @property
    def pace(self) -> NetworkPace:
        """What the network is doing; from any thread."""
        network = self._network
        return NetworkPace() if network is None else network.pace

    def ring(self) -> None:
        """There is a new frame; from any thread."""
        if (network := self._network) is not None:
            network.ring()

    def expect_model(self, expected: bool) -> None:
        """A model will be chosen in a moment, or none will after all."""
        self._expected = expected
        self._tell()

    def set_model(self, model_dir: Path, runtime: str, precision: str) -> None:
        """Load a model folder; what runs goes on until it is ready. Of several wishes the last counts."""
        self._asked = Chosen(model_dir, runtime, precision)
        self._on, self._expected = True, False
        self._failure, self._hung = "", frozenset()
        self._board.clear_faults(PLACE)
        self._load(self._asked)

    def set_ai(self, on: bool) -> None:
        """Switch the masks on or off; off keeps the network, on loads it again after a fault."""
        self._on = on
        if on and self._network is None and self._loading is None and self._asked is not None:
            self.set_model(*dataclasses.astuple(self._asked))
            return
        self._tell()
        self._again()

    def set_operating_point(self, point: OperatingPoint) -> None:
        self._own_point = True
        self._board.change(point=point)

    def dismiss_finding(self, track_id: int, dismissed: bool) -> None:
        """As `Pipeline.dismiss_finding`."""
        if self._network is not None:
            self._network.dismiss(track_id, dismissed)
        self._board.dismiss({track_id}, dismissed)

    def close(self) -> None:
        """At most `LEAVE_S` for each of what is under way."""
        if self._loading is not None:
            self._loading.cancel(LEAVE_S)
        self._end_upgrade()
        for network in (self._network, *self._left):
            if network is not None:
                network.close(LEAVE_S)
        self._network = None

    def tick(self) -> float | None:
        """Whether the network still answers."""
        now_s = time.monotonic()
        if self._loading is not None and self._loading.is_overdue(now_s):
            self._loading.cancel()
            self._loaded(self._loading, overdue(self._loading.chosen))
        if self._network is not None:
            self._watch = watched(self._watch, self._network.pace.since_s, now_s)
            if self._watch.hangs:
                self._give_up(self._network)
        busy = self._network is not None or self._loading is not None
        return WATCH_EVERY_S if busy else None

    # Loading

    def _load(self, chosen: Chosen) -> None:
        if self._loading is not None:
            self._loading.cancel()
        self._loading = Loading(
            chosen,
            self._open_live,
            lambda loading, answer: self._post(lambda: self._loaded(loading, answer)),
            tries=self._network is not None,
        )
        self._tell()

    def _loaded(self, loading: Loading, answer: Loaded | Exception) -> None:
        if loading is not self._loading:  # another wish has come meanwhile
            if isinstance(answer, Loaded):
                answer.live.runtime.close()
            return
        self._loading = None
        if isinstance(answer, Loaded):
            self._use(answer)
        elif self._network is not None:
            self._board.add_fault(kept(fault_of(answer, PLACE), loading.chosen, self._network))
            self._tell()
        elif not self._hung or not self._load_next(loading.chosen):
            self._fail(answer)

    def _use(self, loaded: Loaded) -> None:
        """The next frame goes to this one."""
        self._end_upgrade()
        self._replace(loaded)
        if loaded.live.later is not None:
            upgrade = self._upgrade = Upgrade(
                loaded.live.later,
                self._at_rest,
                lambda answer: self._post(lambda: self._upgraded(upgrade, loaded, answer)),
            )

    def _upgraded(self, upgrade: Upgrade, loaded: Loaded, answer: Live | Exception) -> None:
        """A better runtime is ready. One that another model has overtaken is closed."""
        wanted = upgrade is self._upgrade and self._network is not None
        if isinstance(answer, Exception):
            if wanted:
                self._board.add_fault(fault_of(answer, PLACE))
            return
        if not wanted or (self._network is not None and answer.runtime.info == self._network.info):
            answer.runtime.close()
            if wanted:
                self._warn(answer)
        else:
            self._replace(dataclasses.replace(loaded, live=answer))

    def _replace(self, loaded: Loaded) -> None:
        card, old = loaded.model.card, self._network
        self._watch = Watch()
        self._failure = ""
        network = Network(
            loaded, self._board, self._stats, self._frames, self._offer_result, self._network_failed, old
        )
        self._network = network
        self._tell(
            model_id=card.id,
            runtime=network.info,
            running=loaded.chosen,
            network_size=network.size,
            network_region=card.region,
            point=self._point_for(card),
        )
        network.start()
        if old is not None:
            self._leave(old)
        self._again()
        self._warn(loaded.live)

    def _point_for(self, card: ModelCard) -> OperatingPoint:
        """What is in force for this model: of another one, its own preset of that name."""
        status = self._board.status
        if status.model_id == card.id or (status.model_id is None and self._own_point):
            return status.point
        return card.points.get(status.point.preset, card.points["standard"])

    def _warn(self, live: Live) -> None:
        if live.warning is not None:
            self._board.add_fault(live.warning.as_fault(PLACE))

    # Faults

    def _network_failed(self, network: Network, error: Exception) -> None:
        self._post(lambda: self._fail(error) if network is self._network else None)

    def _fail(self, error: Exception) -> None:
        self._drop()
        fault = fault_of(error, PLACE)
        self._failure = fault.sentence
        self._board.add_fault(fault)
        self._tell()

    def _give_up(self, network: Network) -> None:
        """It does not answer: left behind with its thread, and the next runtime of the order starts."""
        loaded = network.loaded
        self._hung |= {key_of(loaded.chosen.runtime, network.info, loaded.model)}
        self._fail(hang(network))
        self._load_next(loaded.chosen)

    def _load_next(self, chosen: Chosen) -> bool:
        name = self._next_runtime(chosen.model_dir, self._hung)
        if name is None:
            return False
        log.info("%s is tried instead", name)
        self._hung |= {name}
        self._load(Chosen(chosen.model_dir, name, "auto"))
        return True

    def _drop(self) -> None:
        self._end_upgrade()
        if (network := self._network) is not None:
            self._network = None
            self._leave(network)

    def _leave(self, network: Network) -> None:
        network.leave()
        self._left = [one for one in self._left if not one.has_ended] + [network]

    def _end_upgrade(self) -> None:
        if self._upgrade is not None:
            upgrade, self._upgrade = self._upgrade, None
            upgrade.cancel()

    # What is told

    def _at_rest(self) -> bool:
        return self._board.status.source_state not in PLAYING

    def _again(self) -> None:
        """The picture on the screen gets its mask, too: a paused one is followed by no other."""
        if self._network is not None and (shown := self._board.status.presentation) is not None:
            self._network.look_at(shown.frame)

    def _tell(self, **changes: Any) -> None:
        state, reason = self._state()
        if self._network is None:
            changes |= {"runtime": None, "running": None, "network_size": None}
        preparing = None if self._loading is None else self._loading.chosen
        self._board.change(ai_state=state, ai_reason=reason, preparing=preparing, **changes)

    def _state(self) -> tuple[AiState, str]:
        return ai_state(
            on=self._on,
            runs=self._network is not None,
            failure=self._failure,
            loading=self._loading is not None,
            expected=self._expected,
        )
