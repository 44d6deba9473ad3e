"""Parameterised networks: their parameters, the domains of these, and the metrics of each configuration."""
