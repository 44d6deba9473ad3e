"""The few files that run torch: live modules, timing, files of weights."""
