"""The places of the window: the strip at its left edge, what keys mean in each, going to another."""
