"""Convert the graph to a drawing model: stem, cards with their rows, panels, head. Nothing here depends on
positions."""
