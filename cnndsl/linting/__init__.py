"""Rules of thumb that check a network and its source: those of `analysis`, and those on names."""
