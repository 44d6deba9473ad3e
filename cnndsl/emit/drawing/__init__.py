"""Graph -> drawing. Nothing here writes files."""
