"""Files that are whole or not there, and readers that bound what they read."""
