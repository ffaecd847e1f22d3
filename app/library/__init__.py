"""The place Library: every recording that was reviewed or analysed, and those that wait for it."""
