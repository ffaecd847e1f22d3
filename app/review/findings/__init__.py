"""The findings of a recording: listed, and made again at another operating point."""
