"""Exit codes of `python -m distill`."""

OK, BUG, INPUT_UNUSABLE, DATA_UNUSABLE, CANCELLED = 0, 1, 2, 3, 4
