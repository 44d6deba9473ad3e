"""Compute properties of a graph. Each is a plain function of the graph; nothing here modifies it, prints, or runs
torch."""
