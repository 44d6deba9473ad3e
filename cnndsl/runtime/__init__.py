"""The modules that run torch: live networks, timing, weight files."""
