"""`python -m cnndsl` is the command line."""

from __future__ import annotations

from cnndsl.cli import main

if __name__ == "__main__":
    main()
