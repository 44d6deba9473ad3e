"""From what others built to a network: graphs of networkx."""
