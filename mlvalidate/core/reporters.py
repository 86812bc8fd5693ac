"""What writers of files are given: the frozen results of a run, and what belongs to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mlvalidate.core.suite import SuiteResult


@dataclass(frozen=True)
class Report:
    """What all formats are made from; secrets are masked in it.

    ``root`` is the folder of the project, ``repository`` the folder above it that CI services tell
    paths from. ``log_tails`` has the last lines of what failed steps printed, by run id and node.
    ``source_url`` is where a CI service shows the files of this commit, or ''.
    """

    result: SuiteResult
    root: Path
    repository: Path
    log_tails: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    source_url: str = ""


# Makes the text of a file; it is written in UTF-8.
Reporter = Callable[[Report], str]
