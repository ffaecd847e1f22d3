"""What a person does to the masks of a frame: tools, clicks, propagation; pure (docs/adr/0034)."""
