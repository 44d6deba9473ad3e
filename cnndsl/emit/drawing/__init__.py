"""Converts graphs to drawings. Nothing here writes files."""
