"""What the endoscope shows, and where in the frame."""
