"""Layouts of others, read into samples."""
