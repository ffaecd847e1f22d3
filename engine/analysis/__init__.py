"""A recording looked at as fast as the machine can: one, and many."""
