"""What makes a training fast on a CPU."""
