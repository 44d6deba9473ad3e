"""The commands, one file for each; each file has a `command`. `common` has what they share."""
