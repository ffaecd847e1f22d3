"""The picture, its marks, and the transport below it."""
