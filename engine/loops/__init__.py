"""The three loops of the live path, each in a thread of its own: reader, inferer, presenter."""
