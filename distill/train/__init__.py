"""One readable loop and what it is made of."""
