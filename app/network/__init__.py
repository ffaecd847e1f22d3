"""What runs: model, runtime, preset, faults, latency."""
