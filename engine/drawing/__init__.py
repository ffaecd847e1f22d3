"""What a mask becomes on a picture: components, outlines, overlays."""
