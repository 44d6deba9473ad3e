"""Run the command line with `python -m cnndsl`."""

from __future__ import annotations

from cnndsl.cli import main

if __name__ == "__main__":
    main()
