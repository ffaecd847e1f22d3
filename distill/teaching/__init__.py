"""What a teacher knows, in the form a student can learn from."""
