"""`from pip._internal import main`, as many scripts have it."""

from pip import main

__all__ = ["main"]
