"""Graph -> text: PyTorch source, DOT. Nothing here prints or writes files."""
