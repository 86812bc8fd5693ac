"""Where the `pip` program of an environment looks for pip."""

from pip import main

__all__ = ["main"]
