"""A network as PyTorch source."""
