"""The model card: every figure of the bundled models, measured again from their weights, as one document."""
