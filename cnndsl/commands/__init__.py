"""The commands, one file for each; each file has a `command`. Shared functions are in `common`."""
