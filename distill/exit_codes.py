"""Exit codes of `python -m distill`: those of every program of ours."""

from engine.jobs.ended import BUG, CANCELLED, DATA_UNUSABLE, INPUT_UNUSABLE, OK

__all__ = ["BUG", "CANCELLED", "DATA_UNUSABLE", "INPUT_UNUSABLE", "OK"]
