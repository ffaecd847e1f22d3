"""Which runtime is used here: measured, then remembered."""
