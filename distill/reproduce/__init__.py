"""The paper's tables, made again: what is published, the plan of runs, the runs, the filled table."""
