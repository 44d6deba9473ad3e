"""Converts metrics to charts, as display lists: memory over a step, the receptive field of a unit."""
