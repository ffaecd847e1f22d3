"""Where one begins: sources, recent ones, what is dropped."""
