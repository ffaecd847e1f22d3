"""From a run to a model folder that the window can use."""
