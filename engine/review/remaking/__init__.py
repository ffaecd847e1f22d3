"""Findings made again at another operating point, of the stored maps: no network is asked."""
