"""A second analysis of the recording under review: how it differs from the first, seen and in figures."""
