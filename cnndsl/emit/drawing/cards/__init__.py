"""From the graph to what is drawn: stem, cards with their rows, panels, head. Nothing here knows a position."""
