"""Figures that anybody can make again: `python -m engine.bench --help`, docs/benchmarks.md."""
