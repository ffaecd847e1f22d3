"""Whether teaching reaches a student at all, on a task of minutes."""
