"""What is right and what is wrong with this machine: `python -m engine.doctor [--json OUT]`."""
