"""Clicks by a SAM (Kirillov 2023), in a process of its own: the window never meets torch."""
