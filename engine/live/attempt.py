"""One try to open a live source, in a thread of its own: whoever wants another one never waits for it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from engine.sources.base import Source

log = logging.getLogger(__name__)


class Attempt:
    """`answer` is the source or what went wrong, None until then; `bell` is called when it is there."""

    def __init__(self, open_source: Callable[[], Source], bell: Callable[[], None]) -> None:
        self._open_source = open_source
        self._bell = bell
        self._lock = threading.Lock()
        self._given_up = False
        self.answer: Source | Exception | None = None
        self._thread = threading.Thread(target=self._run, name="opening a live source", daemon=True)
        self._thread.start()

    def give_up(self) -> None:
        """Nobody wants it any more: what is opened all the same is closed. Never waits; from any thread."""
        with self._lock:
            self._given_up = True
            answer, self.answer = self.answer, None
        if answer is not None and not isinstance(answer, Exception):
            answer.close()

    def _run(self) -> None:
        answer: Source | Exception
        try:
            answer = self._open_source()
        except Exception as error:  # told by whoever asked for the source
            answer = error
        with self._lock:
            wanted = not self._given_up
            self.answer = answer if wanted else None
        if wanted:
            self._bell()
        elif not isinstance(answer, Exception):
            log.info("a source that nobody waits for any more has opened and is closed")
            answer.close()
