"""Importers: build a network from the formats of other tools, such as networkx graphs."""
