"""The settings page: made of the table of settings, and keys by pressing them."""
