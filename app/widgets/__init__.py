"""What every page is made of: theme, words, icons, controls, notices."""
