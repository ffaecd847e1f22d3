"""The live path: reader, inferer and presenter, and what they share."""
