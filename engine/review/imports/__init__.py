"""What others made of a recording is taken in: results of `analyse`, labels of other tools."""
