"""Figures that anybody can make again: `python -m engine.bench pipeline|runtimes|analyse|startup|soak`."""
