"""Graph -> text and pictures: PyTorch source, DOT, drawings, charts. Nothing here prints or writes files."""
