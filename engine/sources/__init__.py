"""Where pictures come from. To add a kind: one module with `open(address, options)`, one line in SOURCES."""
