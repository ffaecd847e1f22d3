"""What a person makes of the masks of frames: tools, states, undo and redo, what is kept (docs/adr/0034)."""
