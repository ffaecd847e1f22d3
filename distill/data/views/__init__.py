"""One picture, seen in many ways."""
