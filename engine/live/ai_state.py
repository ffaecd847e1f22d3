"""Why the AI is on or off, in words. Pure."""

from __future__ import annotations

from engine.types import AiState


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
