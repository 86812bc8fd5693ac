"""`python -m mlvalidate`."""

from __future__ import annotations

from mlvalidate.cli import main

if __name__ == "__main__":
    main()
