"""Work in processes of their own, and the run folder that tells of it."""
