"""How good a network is, and which of two is better."""
