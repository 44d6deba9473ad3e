"""Graph -> facts. A fact is a plain function of the graph; nothing here writes to it, prints, or runs torch."""
