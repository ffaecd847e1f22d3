"""Two analyses of one recording side by side: where they disagree, and figures of each."""
