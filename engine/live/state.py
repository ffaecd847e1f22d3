"""The state of the source and of the AI, why, and the one word for both. Pure."""

from __future__ import annotations

from enum import StrEnum

from engine.types import AiState, SourceState, StateWord


class SourceEvent(StrEnum):
    OPEN = "open"
    FRAME = "frame"  # a picture reached the screen
    PLAY = "play"
    PAUSE = "pause"
    SEEK = "seek"
    OVERDUE = "overdue"  # the next picture should have been there 400 ms ago
    LOST = "lost"  # a live source has gone; it is being opened again
    END = "end"
    FAULT = "fault"
    CLOSE = "close"


_S = SourceState
_E = SourceEvent

TRANSITIONS: dict[tuple[SourceState, SourceEvent], SourceState] = {
    (_S.OPENING, _E.FRAME): _S.RUNNING,
    (_S.OPENING, _E.PAUSE): _S.PAUSED,
    (_S.RUNNING, _E.PAUSE): _S.PAUSED,
    (_S.RUNNING, _E.OVERDUE): _S.NO_SIGNAL,
    (_S.RUNNING, _E.LOST): _S.NO_SIGNAL,
    (_S.OPENING, _E.LOST): _S.NO_SIGNAL,
    (_S.PAUSED, _E.LOST): _S.NO_SIGNAL,
    (_S.PAUSED, _E.OVERDUE): _S.NO_SIGNAL,  # behind a frozen live picture
    (_S.RUNNING, _E.END): _S.ENDED,
    (_S.OPENING, _E.END): _S.ENDED,
    (_S.NO_SIGNAL, _E.END): _S.ENDED,
    (_S.NO_SIGNAL, _E.FRAME): _S.RUNNING,
    (_S.NO_SIGNAL, _E.PAUSE): _S.PAUSED,
    (_S.PAUSED, _E.PLAY): _S.RUNNING,
    (_S.ENDED, _E.PLAY): _S.RUNNING,
    # A seek never starts the video by itself: scrubbing a paused recording leaves it paused.
    (_S.ENDED, _E.SEEK): _S.PAUSED,
}


def next_state(state: SourceState, event: SourceEvent) -> SourceState:
    """The state after `event`; an event that means nothing in a state leaves it as it is."""
    if event is SourceEvent.OPEN:
        return SourceState.OPENING
    if event is SourceEvent.CLOSE:
        return SourceState.IDLE
    if event is SourceEvent.FAULT:
        return SourceState.FAILED if state is not SourceState.IDLE else state
    return TRANSITIONS.get((state, event), state)


def state_word(
    source: SourceState,
    ai: AiState,
    *,
    live: bool,
    stale: bool,
    frozen: bool = False,
    damaged: bool = False,
) -> StateWord:
    """The one word that is always visible.

    What stops the picture comes before what stops the masks: NO SIGNAL > FROZEN > FAILED > OPENING >
    ENDED > PAUSED > AI FAULT > AI STARTING > AI OFF > DAMAGED > STALE > LIVE / PLAYING. `stale`: the AI is on
    but the newest mask is too old to be drawn; `frozen`: a live sender sends the same picture again and
    again; `damaged`: parts of the picture did not arrive.
    """
    words = {
        SourceState.NO_SIGNAL: StateWord.NO_SIGNAL,
        SourceState.FAILED: StateWord.FAILED,
        SourceState.OPENING: StateWord.OPENING,
        SourceState.ENDED: StateWord.ENDED,
        SourceState.PAUSED: StateWord.PAUSED,
        SourceState.IDLE: StateWord.IDLE,
    }
    if frozen and live and source is SourceState.RUNNING:
        return StateWord.FROZEN
    if source in words:
        return words[source]
    ai_words = {
        AiState.FAULT: StateWord.AI_FAULT,
        AiState.LOADING: StateWord.AI_LOADING,
        AiState.OFF: StateWord.AI_OFF,
    }
    if ai in ai_words:
        return ai_words[ai]
    if damaged:
        return StateWord.DAMAGED
    if stale:
        return StateWord.STALE
    return StateWord.LIVE if live else StateWord.PLAYING


def ai_state(*, on: bool, runs: bool, failure: str, loading: bool, expected: bool) -> tuple[AiState, str]:
    """The state and its reason. `on`: as a person wants it; `runs`: there is a network.

    `failure`: the sentence of what went wrong, "" when nothing did; `loading`: one is being opened;
    `expected`: one will be chosen in a moment.
    """
    if not on:
        return AiState.OFF, "switched off"
    if runs:
        return AiState.ON, ""
    if failure:
        return AiState.FAULT, failure
    if loading:
        return AiState.LOADING, "the model is being loaded"
    if expected:
        return AiState.LOADING, "the model is being looked for"
    return AiState.OFF, "no model has been chosen"
