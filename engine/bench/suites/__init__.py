"""What `python -m engine.bench SUITE` measures, a suite a file."""
