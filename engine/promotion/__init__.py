"""From a run or a model folder to the model in use: measured, compared, decided by a person, logged."""
