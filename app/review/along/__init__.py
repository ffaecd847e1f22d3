"""Along the time of a recording: lanes over one axis, and what the mouse finds there."""
