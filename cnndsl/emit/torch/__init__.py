"""Emit a network as PyTorch source."""
