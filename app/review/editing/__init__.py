"""Masks corrected by hand: tools over the picture, and what they did kept at once (docs/adr/0034)."""
