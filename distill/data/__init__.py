"""Images and masks on their way to the network."""
