"""Recordings: every frame exactly once, in order, by its time stamp."""
