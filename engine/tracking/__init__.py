"""Findings over time: from the blobs of single frames to tracks, and from tracks to alarms. Pure."""
