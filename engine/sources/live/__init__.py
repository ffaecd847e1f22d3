"""Sources that do not wait: capture cards, streams."""
