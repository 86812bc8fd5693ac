"""What can go wrong with declared and with written data."""

from __future__ import annotations

from mlvalidate.core.errors import UsageError


class UnsatisfiableSchema(UsageError):  # noqa: N818
    """No table of that many rows satisfies the declared dataset."""


class UnreadableFile(Exception):  # noqa: N818
    """A file is not the table that it should be; the text is a reason of one line."""


class Impossible(ValueError):  # noqa: N818
    """A column can't be generated. The caller knows its name and raises UnsatisfiableSchema."""
