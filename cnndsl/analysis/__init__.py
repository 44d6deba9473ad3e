"""Compute properties of a graph by plain functions; nothing here modifies it, prints, or runs torch."""
