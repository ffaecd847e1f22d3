"""What teachers said, kept on disk."""
