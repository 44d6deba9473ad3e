"""Rules of thumb, held against a network and its text: those of `analysis`, and those on names."""
