"""The commands, one file each; each has a `command`. `common` holds what they share."""
