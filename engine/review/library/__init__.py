"""All recordings that have a side-car, and those that wait to be analysed."""
