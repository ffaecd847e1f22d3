"""Many recordings at once: what is found, what is still to be done, and who does it."""
